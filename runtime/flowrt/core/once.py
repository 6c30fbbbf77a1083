"""At most once: the failure of a step whose one attempt was begun, when nobody knows how it ended.

In: a step. Out: the command that begins it, or its failure. The engine finds that failure of what was under
way when its run is taken up. The core finds it of what was stopped in a saga that was undone, and then begins
anew: what the attempt did was not taken back, so its record `Begun` stays while all around it is void, and is
met in the fold before the step is there (`Machine.unknown`). When the step's turn comes it fails, and blames
that record: who goes on behind this failure has found out, and has the attempt made.
"""

from flowrt.command import BeginTask
from flowrt.core.frame import Step
from flowrt.core.machine import Machine
from flowrt.core.outcome import Broken
from flowrt.record import Failure

UNKNOWN = "flowrt.OutcomeUnknown"

_MESSAGE = (
    "The attempt was begun, and whoever made it was lost, or told to stop: it may have done its work, or "
    "not. It is not made again, because its step says `retry: never`. Find out what it did, then go on with "
    "`flowc resume --failed`, which makes it once more."
)


def unknown(path: str) -> Failure:
    """The failure of the step with this path."""
    return Failure(UNKNOWN, _MESSAGE, path)


def open_once(machine: Machine, step: Step) -> None:
    """Have the intent recorded, unless an attempt was begun before the saga around it was undone."""
    begun = machine.unknown.pop(step.path, None)
    if begun is None:
        machine.command(step.path, BeginTask(step.path))
    else:
        machine.settle(step, Broken(unknown(step.path), (begun,)))
