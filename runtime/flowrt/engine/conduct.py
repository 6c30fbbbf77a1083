"""Conduct: carries out the commands of one run, and turns what comes back into records.

In: commands of the core, outcomes of the executor, timers, events. Out: records noted in the run,
attempts for the executor. It decides nothing about the flow of the run: that is the core's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never, cast

from flowrt.amounts import duration_us
from flowrt.clock import Clock
from flowrt.command import (
    AskTurn,
    AwaitEvent,
    AwaitLock,
    AwaitTimer,
    BeginTask,
    Choose,
    Command,
    Decide,
    EndRun,
    EnterBlock,
    Evaluate,
    Expand,
    RetryBlock,
    RunTask,
    SendEvent,
    StartLock,
    StartRun,
    StartSleep,
    StartWait,
    StopTask,
    TakeSample,
    Unlock,
)
from flowrt.encoding.values import Values
from flowrt.engine.active import ActiveRun, Along, cancel_noted
from flowrt.engine.actors import Actors
from flowrt.engine.caching import Caching
from flowrt.engine.detach import Detacher
from flowrt.engine.inbox import Inbox
from flowrt.engine.locks import Locks
from flowrt.engine.narrow import narrow_env
from flowrt.engine.outcomes import Outcomes
from flowrt.engine.perform import Performer
from flowrt.engine.tell import tell_attempt, tell_cancel, tell_forced
from flowrt.engine.timers import Timer, Timers
from flowrt.executor.port import Attempt, AttemptKey, Executor, Halted, Outcome
from flowrt.expr.evaluate import evaluate, truth
from flowrt.expr.tree import Expr
from flowrt.failpoint import hit
from flowrt.program import Pickled
from flowrt.record import (
    Begun,
    CancelRequested,
    Failed,
    Fired,
    Received,
    Stopped,
    Succeeded,
    digests_of,
)
from flowrt.store.port import Store
from flowrt.store.rows import Cancel, EventRow
from flowrt.value import Inline

GRACE_US = 5_000_000
"""How long a task that was asked to stop may take before it is stopped by force."""

STALE_US = 600_000_000
"""From which age on a blob without a record is put again: see `flowrt.store.content`."""

EVENT = "event"
"""The name of the payload in `match`."""


@dataclass(slots=True)
class Conductor:
    """Carries out what one run wants. `ready` are the attempts to be submitted at the end of the turn.

    `forced`: the run is being cancelled, and its tasks are not given time to end by themselves.
    """

    run: ActiveRun
    store: Store
    values: Values
    executor: Executor
    timers: Timers
    clock: Clock
    inbox: Inbox
    performer: Performer
    detacher: Detacher
    locks: Locks
    caching: Caching
    actors: Actors
    ready: dict[str, Attempt] = field(default_factory=dict[str, Attempt])
    forced: bool = False

    @property
    def busy(self) -> bool:
        """Whether there is something to do without anything coming in."""
        return (
            self.run.dirty
            or self.run.state.has_fresh
            or bool(self.inbox.fresh or self.locks.fresh or self.ready)
        )

    # Commands

    def carry_out(self, command: Command) -> None:  # noqa: C901, PLR0912 - one arm a command
        """Do what a command says, or set out to do it."""
        run = self.run
        match command:
            case RunTask():
                self._run_task(command)
            case Evaluate():
                run.note(self.performer.evaluate(command), follows=True)
            case Decide():
                run.note(self.performer.decide(command), follows=True)
            case Choose():
                run.note(self.performer.choose(command), follows=True)
            case Expand():
                run.note(self.performer.expand(command), follows=True)
                hit("expand.noted")
            case BeginTask(step):
                run.note(Begun(step, self.clock.now()))
            case TakeSample():
                run.note(self.performer.sample(command))
            case StartSleep():
                run.note(self.performer.sleep(command))
                hit("sleep.noted")
            case StartWait():
                run.note(self.performer.wait(command))
                hit("wait.noted")
            case AwaitTimer(step, due_at):
                self.timers.set(Timer(due_at, run.run_id, step, "fire"))
                hit("timer.set")
            case AwaitEvent():
                self._await_event(command)
            case SendEvent():
                self._send_event(command)
            case StartRun():
                detached, child = self.detacher.detach(command, run.state.times_anew(command.step))
                run.note(detached, along=Along(child=child))
                hit("detach.noted")
            case EnterBlock():
                run.note(self.performer.enter(command))
            case RetryBlock():
                run.note(self.performer.retry(command))
            case AskTurn(step, not_before=at) if at > self.clock.now():
                self.timers.set(Timer(at, run.run_id, step, "attempt"))
            case StartLock() | AskTurn() | AwaitLock() | Unlock():
                self.locks.carry_out(command)
            case StopTask(step):
                self._stop(step)
            case EndRun():
                run.note(self.performer.end(command), along=Along(unlocks=self.locks.all_given_back()))
                hit("end.noted")
            case _:
                assert_never(command)

    def _send_event(self, command: SendEvent) -> None:
        record, event = self.performer.event(command, self.run.state.times_anew(command.step))
        self.run.note(record, along=Along(event=event))
        hit("emit.noted")

    def _run_task(self, command: RunTask) -> None:
        now = self.clock.now()
        if command.not_before > now:
            timer = Timer(command.not_before, self.run.run_id, command.step, "attempt")
            self.timers.set(timer)
            return
        attempt = self.performer.guard(command.step, lambda: self._attempt(command))
        if isinstance(attempt, Failed):
            self.run.note(attempt)
            return
        failed = self.caching.prepare(command)
        if failed is not None:
            self.run.note(failed)
            return
        self.run.in_flight[command.step] = attempt.key
        self.ready[command.step] = attempt

    def submit(self) -> None:
        """Hand the attempts that are ready to the executor."""
        for record in self.caching.take_over(self.ready):
            del self.ready[record.step], self.run.in_flight[record.step]
            self.caching.left_by(record)
            self.run.note(record)
        if self.ready:
            self.actors.give_states(self.ready)
            hit("dispatch.begun")
            self.executor.submit(list(self.ready.values()))
            hit("dispatch.done")
            self.ready = {}

    def _attempt(self, command: RunTask) -> Attempt:
        task = command.task
        env = self.performer.env(command.env)
        options = {} if task.options is None else _mapping("options", evaluate(task.options, env))
        return Attempt(
            key=AttemptKey(self.run.run_id, command.step, command.attempt, self.run.epoch),
            task=task,
            env=narrow_env(command.env, self.values),
            run=self.run.facts,
            options=options,
            timeout_s=_seconds("timeout", task.timeout, env),
            code=self._code(task.callee.digest) if isinstance(task.callee, Pickled) else None,
            heartbeat_s=_seconds("heartbeat", task.heartbeat, env),
            times_anew=self.run.state.times_anew(command.step),
            catches=self.run.state.catches(command.step),
        )

    def _code(self, digest: str) -> bytes:
        code = self.run.program.code.get(digest)
        return code if code is not None else self.store.code(digest)

    def _await_event(self, command: AwaitEvent) -> None:
        self.inbox.add(command)
        if command.due_at:
            self.timers.set(Timer(command.due_at, self.run.run_id, command.step, "fire"))

    def _stop(self, step: str) -> None:
        if self.ready.pop(step, None) is not None:
            del self.run.in_flight[step]
        key = self.run.in_flight.get(step)
        if key is None:
            self.run.note(Stopped(step, self.clock.now()))
            return
        self.executor.stop(key, force=self.forced)
        if not self.forced:
            self.timers.set(Timer(self.clock.now() + GRACE_US, self.run.run_id, step, "force"))

    # What comes back

    def take_outcome(self, key: AttemptKey, outcome: Outcome) -> None:
        """An attempt has ended. Raises StoreUnavailable, and then has done nothing."""
        if self.run.in_flight.get(key.step) != key:
            return
        command = self.run.state.command(key.step)
        match outcome:
            case Halted() if isinstance(command, RunTask) and not command.task.once:
                # Stopped by someone else than us: make it again.
                del self.run.in_flight[key.step]
                self.run.state.put_back([command])
            case _:
                record = Outcomes(self.performer).record(key, outcome, command, self.clock.now())
                tell_attempt(self.run.run_id, record)
                del self.run.in_flight[key.step]
                cached, actor = self.caching.left_by(record), self.actors.left_by(record, outcome)
                self.run.note(record, along=Along(cached=cached, actor=actor))
                hit("outcome.taken")

    def fire(self, timer: Timer) -> None:
        """A timer is due. One whose purpose is gone does nothing. Raises StoreUnavailable."""
        if not self.wants(timer):
            return
        now = self.clock.now()
        if now < timer.at:
            self.timers.set(timer)  # The clock was put back since it was looked at.
            return
        command = self.run.state.command(timer.step)
        match timer.purpose:
            case "attempt":
                assert isinstance(command, RunTask | AskTurn), "only attempts are retried"
                # Not at once: it may be one of those that wait for the run to have its locks back.
                self.run.state.put_back([command])
            case "fire":
                if isinstance(command, AwaitEvent):
                    if timer.step not in self.inbox.waits:
                        return  # Left over from before the run was let go: the wait sets its own.
                    # What was accepted in time was in time, though nobody has looked since.
                    if self._take_event(timer.step):
                        return
                if timer.step not in self.run.answered:
                    self.inbox.drop(timer.step)
                    self.run.note(Fired(timer.step, now))
                    hit("timer.fired")
            case "force":
                tell_forced(timer.run_id, timer.step)
                self.executor.stop(self.run.in_flight[timer.step], force=True)

    def wants(self, timer: Timer) -> bool:
        """Whether a timer still has a purpose."""
        command, step = self.run.state.command(timer.step), timer.step
        if step in self.run.answered:
            return False
        match timer.purpose:
            case "attempt":
                return isinstance(command, RunTask | AskTurn) and step not in self.run.in_flight
            case "fire":
                return isinstance(command, AwaitTimer | AwaitEvent) and command.due_at == timer.at
            case "force":
                return isinstance(command, StopTask) and step in self.run.in_flight

    def make_blobs_young(self, now: int, noted_from: int) -> None:
        """Put blobs again that were put long ago and have no record yet: they might be taken for unneeded.

        A result lies about for so long when the store could not be reached, or this process was stopped.
        Nothing was noted before `noted_from`. Raises StoreError; StoreCorrupt when one is gone already.
        """
        for noted in self.run.pending:
            record = noted.record
            put_at = record.ended_at if isinstance(record, Succeeded) else noted_from
            if now - put_at > STALE_US:
                state = noted.along.actor and noted.along.actor.blob
                for digest in [*digests_of(record), *([state] if state else [])]:
                    self.values.refresh(digest)

    # Events

    def flushed(self) -> None:
        """What was noted is durable: apply it."""
        self.run.flushed()
        if self.inbox.taken:
            self.inbox.settle(self.run.state.consumed, self.run.answered.__contains__)
            hit("inbox.settled")

    def look_for_fresh(self, until: int) -> None:
        """Let waits that have to look take what has arrived, one at least. Raises StoreError."""
        for step in list(self.inbox.fresh):
            self._take_event(step)
            if self.clock.now() >= until:
                return
        if self.locks.fresh:
            self.locks.look()

    def note_cancel(self, cancel: Cancel) -> None:
        """Somebody asks for the run to be cancelled; who asks again with force gets that."""
        run = self.run
        if not cancel_noted(run):
            tell_cancel(run.run_id, cancel)
            run.note(CancelRequested(self.clock.now(), cancel.reason, cancel.force))
            hit("cancel.noted")
        elif cancel.force and not self.forced:
            for step, key in run.in_flight.items():
                # What was not told to stop is an undo, or will be told with force.
                if step not in self.ready and isinstance(run.state.command(step), StopTask):
                    self.executor.stop(key, force=True)
        self.forced = self.forced or cancel.force

    def _take_event(self, step: str) -> bool:
        wait = self.inbox.waits.get(step)
        if wait is None:
            return False
        if self.run.state.command(step) is not wait.command:
            self.inbox.drop(step)  # It was told to stop.
            return False
        event = self.inbox.look(step, self.store, self.run.state.consumed, self._accepts)
        hit("inbox.looked")
        if event is not None:
            self.run.note(Received(step, event.event_id, Inline(event.payload)))
            hit("inbox.taken")
        return event is not None

    def _accepts(self, command: AwaitEvent, event: EventRow) -> bool:
        match_ = command.wait.match
        if match_ is None:
            return True
        env = self.performer.env(command.env)

        def work() -> bool:
            return truth(evaluate(match_, env.having(EVENT, self.values.peek(Inline(event.payload)))))

        accepted = self.performer.guard(command.step, work)
        if isinstance(accepted, Failed):
            self.inbox.drop(command.step)
            self.run.note(accepted)
            return False
        return accepted


def _seconds(what: str, expr: Expr | None, env: Mapping[str, object]) -> float | None:
    return None if expr is None else duration_us(what, evaluate(expr, env)) / 1_000_000


def _mapping(what: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"`{what}` is a mapping, not {type(value).__name__}.")
    items = cast("dict[object, object]", value)
    return {str(name): item for name, item in items.items()}
