"""The rules of actors, for every store. In: a change, or the queue for an actor; out: why it is refused."""

from collections.abc import Sequence

from flowrt.errors import ActorBusy, StoreCorrupt
from flowrt.store.rows import ActorChange, LockRow


def refused(run_id: str, change: ActorChange) -> StoreCorrupt:
    """What is wrong when a change does not begin from the version that there is.

    Who calls a method has its turn, and nobody else writes meanwhile: so the store is not as it was left.
    """
    return StoreCorrupt(
        f"The state of the actor {change.name} is not the one that the step `{change.step}` of run {run_id} "
        f"began from (version {change.version}): the store has been changed by something else. Restore it "
        "from a copy."
    )


def check_free(name: str, queue: Sequence[LockRow]) -> None:
    """Raise ActorBusy for an actor that is called just now, or is about to be."""
    if queue:
        first = queue[0]
        raise ActorBusy(
            f"The actor {name} is being called by run {first.run_id} (step `{first.step}`). Wait until that "
            f"has ended, or cancel it: flowc cancel {first.run_id}"
        )
