"""Parking: how a run that only waits is let go. In: a run as it stands; out: what the store has to know.

A parked run is rows in the store: the instant at which it is due, and the events that it waits for. It
takes no memory, no timer and no lease until then. Whether it pays is a matter of time: a run that is due
within moments is kept.
"""

from flowrt.command import AskTurn, AwaitEvent, AwaitLock, AwaitTimer, RunTask
from flowrt.engine.conduct import Conductor
from flowrt.store.rows import Park, WaitRow


def park_of(conductor: Conductor, not_before: int) -> Park | None:
    """How the run can be let go; None when it is due before `not_before`, or does not only wait."""
    run = conductor.run
    if run.in_flight or conductor.busy:
        return None
    due: list[int] = []
    for command in run.state.open_commands:
        if conductor.locks.is_kept(command):
            continue
        match command:
            case AwaitTimer(_, at) | RunTask(not_before=at) | AskTurn(not_before=at):
                due.append(at)
            case AwaitEvent(due_at=at):
                due += [at] if at else []
            case AwaitLock():
                pass
            case _:
                return None
    wake_at = min(due, default=None)
    if wake_at is not None and wake_at < not_before:
        return None
    waits = [WaitRow(*wait.place, wait.looked) for wait in conductor.inbox.waits.values()]
    return Park(wake_at, waits, conductor.locks.steps)
