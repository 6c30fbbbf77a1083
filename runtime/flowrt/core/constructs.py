"""Constructs: how each operation begins, goes on at a record, and goes on when a body of it ends.

In: the machine and a live step. Out: commands, new frames, or the step's outcome. Loops have files of
their own.
"""

from flowrt.command import (
    AwaitEvent,
    AwaitTimer,
    Choose,
    Decide,
    Evaluate,
    RunTask,
    SendEvent,
    StartRun,
    StartSleep,
    StartWait,
    StopTask,
    TakeSample,
)
from flowrt.core.actors import ask_again, open_call, stop_call
from flowrt.core.bounds import (
    block_ended,
    block_failed,
    block_retries,
    entered,
    open_bounded,
    time_is_up,
)
from flowrt.core.flows import flow_ended, start_flow
from flowrt.core.for_each import body_ended, expanded, open_for
from flowrt.core.frame import Frame, Step
from flowrt.core.locks import lock_body_ended, locked, open_lock, queued, stop_lock, unlocked
from flowrt.core.loops import begin, decided, next_round, open_loop, part_ended
from flowrt.core.machine import Machine, broken, halted
from flowrt.core.once import open_once
from flowrt.core.outcome import HALTED, Broken, Done, Halted, Left, Outcome
from flowrt.core.path import arm_prefix
from flowrt.core.race import branch_ended, known_need, open_race
from flowrt.core.saga import completed, is_undoing, open_saga, saga_part_ended, task_env
from flowrt.core.switch import chosen
from flowrt.core.tries import is_finishing, open_try, rethrow, told_for, try_part_ended
from flowrt.expr.tree import Const, Name
from flowrt.program import (
    Block,
    Bounded,
    Branch,
    CallFlow,
    Compute,
    Emit,
    Fail,
    ForEach,
    Leave,
    Lock,
    Loop,
    Race,
    Rethrow,
    Saga,
    Sample,
    Sleep,
    Start,
    Switch,
    Task,
    Try,
    Wait,
)
from flowrt.record import (
    Begun,
    Chosen,
    Computed,
    Decided,
    Detached,
    Emitted,
    Entered,
    Expanded,
    Failed,
    Fired,
    Locked,
    Queued,
    Received,
    Retrying,
    Sleeping,
    StepRecord,
    Stopped,
    Succeeded,
    Unlocked,
    Waiting,
)
from flowrt.value import NONE, Fields, Handle, Literal

THEN, ELSE = 0, 1


def open_step(machine: Machine, step: Step) -> None:  # noqa: C901, PLR0912 - one arm a kind
    """Begin a step."""
    path, env = step.path, step.env
    match step.node.op:
        case Task() as task:
            _open_task(machine, step, task)
        case Compute(Name(name)):
            machine.settle(step, Done(env[name]))
        case Compute(Const() as constant):
            machine.settle(step, Done(Literal(constant)))
        case Compute(expr):
            machine.command(path, Evaluate(path, expr, env))
        case Fail(message):
            machine.command(path, Evaluate(path, message, env, "fail"))
        case Sample() as sample:
            machine.command(path, TakeSample(path, sample))
        case Branch(cond):
            machine.command(path, Decide(path, cond, env))
        case Switch() as op:
            machine.command(path, Choose(path, op, env))
        case ForEach() as op:
            open_for(machine, step, op)
        case Loop() as op:
            open_loop(machine, step, op)
        case Sleep() as op:
            machine.command(path, StartSleep(path, op, env))
        case Wait() as op:
            machine.command(path, StartWait(path, op, env))
        case Emit() as op:
            machine.command(path, SendEvent(path, op, env))
        case Block(body):
            machine.start_block(body, step)
        case Saga() as op:
            open_saga(machine, step, op)
        case Race() as op:
            open_race(machine, step, op)
        case Try() as op:
            open_try(machine, step, op)
        case Bounded() as op:
            open_bounded(machine, step, op)
        case Rethrow(name):
            rethrow(machine, step, env[name])
        case Lock() as op:
            open_lock(machine, step, op)
        case CallFlow(flow, args):
            start_flow(machine, step, flow, {name: env[source] for name, source in args})
        case Start() as op:
            machine.command(path, StartRun(path, op, env))
        case Leave() as op:
            machine.settle(step, _leave(op, env))


def _open_task(machine: Machine, step: Step, task: Task) -> None:
    if task.actor is not None:
        open_call(machine, step, task, task.actor)
    elif task.once:
        open_once(machine, step)
    else:
        machine.command(step.path, RunTask(step.path, task, task_env(step, task)))


def _leave(op: Leave, env: dict[str, Handle]) -> Left:
    if op.kind == "tail":
        return Left("tail", names={name: env[source] for name, source in op.args}, flow=op.flow)
    return Left(op.kind, env[op.value] if op.value else NONE, env)


# Bodies


def frame_ended(machine: Machine, step: Step, frame: Frame, outcome: Outcome) -> None:  # noqa: C901
    """A body of a step ended."""
    del step.children[frame.tag]
    op = step.node.op
    if isinstance(op, ForEach):
        body_ended(machine, step, op, frame, outcome)
    elif isinstance(op, Loop):
        part_ended(machine, step, op, frame, outcome)
    elif isinstance(op, Saga):
        saga_part_ended(machine, step, frame, outcome)
    elif isinstance(op, Race):
        branch_ended(machine, step, op, frame, outcome)
    elif isinstance(op, Try):
        try_part_ended(machine, step, op, frame, outcome)
    elif isinstance(op, Bounded):
        block_ended(machine, step, op, outcome)
    elif isinstance(op, Lock):
        lock_body_ended(machine, step, outcome)
    elif step.halting:
        machine.settle(step, halted(outcome))
    elif isinstance(op, CallFlow):
        flow_ended(machine, step, outcome)
    elif isinstance(op, Block) and op.names and isinstance(outcome, Done):
        machine.settle(step, Done(Fields(tuple(outcome.names.items())), outcome.names))
    else:
        machine.settle(step, outcome)


# Records


def answer(machine: Machine, step: Step, record: StepRecord, seq: int) -> None:  # noqa: C901, PLR0912
    """Go on with a step at a record of it. A record that answers nothing that is open changes nothing."""
    match record:
        case Succeeded(_, value, attempt, started_at, ended_at):
            if machine.observer is not None:
                machine.observer.attempted(step.path, attempt, "", started_at, ended_at)
            completed(step, value, seq)
            machine.settle(step, Done(value))
        case Failed():
            _failed(machine, step, record, seq)
        case Retrying():
            _retry(machine, step, record, seq)
        case Begun(_, at):
            _begun(machine, step, at, seq)
        case Stopped():
            machine.settle(step, Halted((seq,)))
        case Computed(_, value):
            machine.settle(step, Done(value))
        case Decided(_, choice):
            _decided(machine, step, choice=choice)
        case Chosen(_, index):
            chosen(machine, step, index)
        case Expanded():
            _expanded(machine, step, record)
        case Sleeping(path, due_at):
            _tell_waiting(machine, step, "", None, due_at)
            machine.command(path, AwaitTimer(path, due_at))
        case Waiting(path, event, key, due_at):
            assert isinstance(step.node.op, Wait), f"{path} is not a wait"
            _tell_waiting(machine, step, event, key, due_at)
            step.due_at = due_at
            machine.command(path, AwaitEvent(path, step.node.op, step.env, key, due_at))
        case Fired():
            _fired(machine, step, seq)
        case Received(_, event_id, payload):
            machine.consumed.add(event_id)
            machine.settle(step, Done(payload, _names_without_else(step)))
        case Emitted():
            machine.settle(step, Done())
        case Queued():
            queued(machine, step, record, seq)
        case Locked():
            locked(machine, step)
        case Unlocked():
            unlocked(machine, step, seq)
        case Detached(_, run_id):
            machine.settle(step, Done(Literal(Const(run_id))))
        case Entered():
            entered(machine, step, record, seq)


def _tell_waiting(machine: Machine, step: Step, event: str, key: str | None, due_at: int) -> None:
    if machine.observer is not None:
        machine.observer.waiting(step.path, event, key, due_at)


def _failed(machine: Machine, step: Step, record: Failed, seq: int) -> None:
    failure, op = record.failure, step.node.op
    if isinstance(op, Bounded):
        block_failed(machine, step, record, seq)
        return
    if machine.observer is not None and isinstance(op, Task):
        error = f"{failure.type}: {failure.message}"
        machine.observer.attempted(step.path, record.attempt, error, record.started_at, record.ended_at)
    told = told_for(step) if isinstance(op, Fail) or (isinstance(op, Task) and op.raises) else ()
    machine.settle(step, Broken(failure, (*step.begun, *(step.retried or ()), seq, *told)))


def _begun(machine: Machine, step: Step, at: int, seq: int) -> None:
    """The intent is durable: the attempt may be made. Who reopens the run voids the intent as well."""
    task = step.node.op
    assert isinstance(task, Task), f"{step.path} is not a task"
    step.begun = (seq,)
    if not isinstance(machine.open_command(step.path), StopTask):
        machine.command(step.path, RunTask(step.path, task, task_env(step, task), first_at=at))


def _retry(machine: Machine, step: Step, record: Retrying, seq: int) -> None:
    """Another attempt follows. Who reopens the run behind the last one has all of them again."""
    task = step.node.op
    if isinstance(task, Bounded):
        block_retries(machine, step, record)
        return
    assert isinstance(task, Task), f"{step.path} is not a task"
    if machine.observer is not None:
        error = f"{record.failure.type}: {record.failure.message}"
        machine.observer.attempted(step.path, record.attempt, error, record.started_at, record.ended_at)
    before = machine.open_command(step.path)
    if isinstance(before, StopTask):
        return
    assert isinstance(before, RunTask), f"{step.path} is not running"
    step.retried = [] if step.retried is None else step.retried
    step.retried.append(seq)
    again = RunTask(
        step.path,
        task,
        before.env,
        record.attempt + 1,
        record.retry_at,
        before.lost_count + record.lost,
        before.first_at or record.started_at,
    )
    if task.actor is not None:
        ask_again(machine, step, task.actor, again)
    else:
        machine.command(step.path, again)


def _decided(machine: Machine, step: Step, *, choice: bool) -> None:
    op = step.node.op
    if isinstance(op, Loop):
        decided(machine, step, op, choice=choice)
        return
    assert isinstance(op, Branch), f"{step.path} is not a branch"
    machine.withdraw(step.path)
    if choice:
        machine.start_frame(op.then, arm_prefix(step.path, "then"), step.env, step, THEN)
    elif op.orelse is not None:
        machine.start_frame(op.orelse, arm_prefix(step.path, "else"), step.env, step, ELSE)
    else:
        machine.settle(step, Done())


def _expanded(machine: Machine, step: Step, record: Expanded) -> None:
    op = step.node.op
    if isinstance(op, Loop):
        begin(machine, step, op, record.parallel)
    elif isinstance(op, Race):
        known_need(machine, step, op, record.need)
    else:
        assert isinstance(op, ForEach), f"{step.path} is not a loop"
        expanded(machine, step, op, record)


def _fired(machine: Machine, step: Step, seq: int) -> None:
    op = step.node.op
    if isinstance(op, Loop):
        next_round(machine, step, op)
    elif isinstance(op, Sleep):
        machine.settle(step, Done())
    elif isinstance(op, Bounded):
        time_is_up(machine, step, op, seq)
    else:
        assert isinstance(op, Wait), f"{step.path} waits for no timer"
        _timed_out(machine, step, op, seq)


def _names_without_else(step: Step) -> dict[str, Handle]:
    """The names that the `else` of a wait assigns anew, as they were before: it has not run."""
    op = step.node.op
    assert isinstance(op, Wait), f"{step.path} is not a wait"
    return {name: step.env[name] for name, _ in op.orelse.exports} if op.orelse is not None else {}


def _timed_out(machine: Machine, step: Step, op: Wait, seq: int) -> None:
    machine.withdraw(step.path)
    if op.orelse is not None:
        machine.start_frame(op.orelse, arm_prefix(step.path, "else"), step.env, step, ELSE)
        return
    message = f"No event `{op.event}` came in time, and the wait has no `else`."
    machine.settle(step, broken("flowrt.WaitTimedOut", message, step.path, (seq,)))


# Stopping


def stop_step(machine: Machine, step: Step) -> None:
    """Stop a step: a task is told to stop, a timer or wait is dropped, bodies are stopped in turn.

    Undos are not stopped, nor is `finally`.
    """
    if step.halting or step.frame.open.get(step.index) is not step:
        return
    step.halting = True
    if isinstance(step.node.op, Task) and step.node.op.actor is not None:
        stop_call(machine, step)
    elif isinstance(step.node.op, Task):
        machine.command(step.path, StopTask(step.path))
    elif isinstance(step.node.op, Lock):
        stop_lock(machine, step)
    elif is_undoing(step) or is_finishing(step):
        pass  # It goes on, and ends as one that was told to stop.
    elif step.children:
        for child in step.children.values():
            machine.stop_frame(child, HALTED)
    else:
        machine.settle(step, HALTED)
