"""`try`: its body, the catch that deals with its failure, and `finally`, which runs whatever happened.

In: the end of the body, of a catch, or of `finally`. Out: the next of them, and then the step's outcome.

    body ends well, or leaves     finally
    body fails                    the first catch that names the failure, then finally; without one, finally
    the step is told to stop      the body or the catch is stopped, then finally

How that ended is the *verdict*; it is the step's outcome once `finally` has ended well. `finally` is not
stopped by whoever stops the step or cancels the run: as with undos, a step that is told to stop while its
`finally` runs notes that and goes on. When `finally` itself fails, its failure takes the place of the
verdict and names the failure that was on its way.

Going on behind a failure. What a catch has dealt with is not blamed: its catch stays, and a failure in the
catch is reopened inside the catch. But a catch that passes the failure on (`raise: e`), or tells it in
other words (`raise`, `fail`), only speaks for the body: going on behind it is going on inside the body, so
such a failure blames the records of the body's, and all that the catch has recorded. Likewise, when a body
did not end well, `finally` was for a body that had ended, and now goes on: what it recorded is voided,
and it runs anew when the body has ended again (`Anew`).
"""

from flowrt.core.catching import is_one_of, together
from flowrt.core.frame import Frame, Step, TryParts
from flowrt.core.machine import Machine, halted
from flowrt.core.outcome import HALTED, Anew, Blame, Broken, Done, Halted, Left, Names, Outcome
from flowrt.core.path import arm_prefix, catch_prefix
from flowrt.expr.tree import Const
from flowrt.noun import replace
from flowrt.program import CallFlow, Try
from flowrt.record import Failure
from flowrt.value import Handle, Literal

BODY, CATCH, FINALLY = 0, 1, 2


def open_try(machine: Machine, step: Step, op: Try) -> None:
    """Begin with the body; failures in it are compared with the types of the catches where they arise."""
    step.parts = TryParts()
    frame = machine.start_frame(op.body, arm_prefix(step.path, "try"), step.env, step, BODY)
    frame.catches = together(frame.catches, (path for catch in op.catches for path in catch.types))


def try_part_ended(machine: Machine, step: Step, op: Try, frame: Frame, outcome: Outcome) -> None:
    """The body of a `try` ended, a catch, or `finally`."""
    parts = _parts(step)
    if frame.tag == FINALLY:
        _finished(machine, step, parts, frame, outcome)
        return
    if step.halting:
        outcome = halted(outcome)
    elif frame.tag == BODY and isinstance(outcome, Broken) and _catch(machine, step, op, outcome):
        return
    if op.final is None:
        machine.settle(step, outcome)
        return
    parts.verdict = outcome
    machine.start_frame(op.final, arm_prefix(step.path, "finally"), step.env, step, FINALLY)


def _catch(machine: Machine, step: Step, op: Try, outcome: Broken) -> bool:
    """Begin the first catch that names the failure, if there is one."""
    parts = _parts(step)
    for index, catch in enumerate(op.catches):
        if is_one_of(catch.types, outcome.failure):
            parts.failure, parts.blamed = outcome.failure, outcome.seqs
            parts.error = error_value(outcome.failure)
            env = {**step.env, catch.name: parts.error} if catch.name else step.env
            machine.start_frame(catch.body, catch_prefix(step.path, index), env, step, CATCH)
            return True
    return False


def error_value(failure: Failure) -> Handle:
    """What the author reads of a failure that was caught."""
    return Literal(
        Const(
            {
                "type": failure.type,
                "message": failure.message,
                "step": failure.step,
                "traceback": failure.traceback,
            }
        )
    )


def _finished(machine: Machine, step: Step, parts: TryParts, frame: Frame, outcome: Outcome) -> None:
    """`finally` has ended: the step ends as its body or catch did, or fails as `finally` has."""
    verdict = parts.verdict
    assert verdict is not None, "finally comes last"
    blamed: tuple[Blame, ...] = ()
    if isinstance(verdict, Broken | Halted):
        blamed = (*verdict.seqs, Anew(frame.prefix, 0))
    elif isinstance(outcome, Broken):
        blamed = outcome.seqs
    if step.halting or isinstance(verdict, Halted):
        if isinstance(outcome, Broken):
            machine.undo_failures.add_finally(step.path, outcome.failure)
        machine.settle(step, Halted(blamed) if blamed else HALTED)
        return
    match outcome:
        case Broken(failure):
            if isinstance(verdict, Broken):
                failure = _after(failure, verdict.failure)
            machine.settle(step, Broken(failure, blamed))
        case Left():
            machine.settle(step, outcome)
        case Done(_, names):
            machine.settle(step, _passed_on(verdict, names, blamed))
        case Halted():
            raise AssertionError("nothing stops `finally`")


def _passed_on(verdict: Outcome, names: Names, blamed: tuple[Blame, ...]) -> Outcome:
    """The verdict, with what `finally` has assigned."""
    match verdict:
        case Done(value, known):
            return Done(value, {**known, **names})
        case Left("break" | "continue", _, known):
            return replace(verdict, names={name: names.get(name, value) for name, value in known.items()})
        case Left():
            return verdict
        case Broken(failure):
            return Broken(failure, blamed)
        case Halted():
            return Halted(blamed)


def _after(failure: Failure, first: Failure) -> Failure:
    """The failure of a `finally`, which names the one that was on its way."""
    where = f" in step `{first.step}`" if first.step else ""
    said = f"{first.type}: {first.message}" if first.message else first.type
    return replace(failure, message=f"{failure.message}\nBefore `finally` failed, this failed{where}: {said}")


def rethrow(machine: Machine, step: Step, error: Handle) -> None:
    """`raise` of a caught error: the same failure goes on."""
    frame = step.frame
    while frame.owner is not None:
        parts = frame.owner.parts
        if frame.tag == CATCH and parts is not None and parts.error is error:
            assert parts.failure is not None, "a catch runs for a failure"
            machine.settle(step, Broken(parts.failure, (*parts.blamed, Anew(frame.prefix, 0))))
            return
        frame = frame.owner.frame
    raise AssertionError(f"{step.path} raises what no catch around it has caught")


def told_for(step: Step) -> tuple[Blame, ...]:
    """What a `raise` or `fail` blames beside itself: in a catch, what that has caught, and the catch."""
    frame = step.frame
    while (owner := frame.owner) is not None and not isinstance(owner.node.op, CallFlow):
        if owner.parts is not None and frame.tag != BODY:
            return (*owner.parts.blamed, Anew(frame.prefix, 0)) if frame.tag == CATCH else ()
        frame = owner.frame
    return ()


def is_finishing(step: Step) -> bool:
    """Whether a step is a `try` whose `finally` runs."""
    return step.parts is not None and step.parts.verdict is not None


def _parts(step: Step) -> TryParts:
    assert step.parts is not None, f"{step.path} is not a `try`"
    return step.parts
