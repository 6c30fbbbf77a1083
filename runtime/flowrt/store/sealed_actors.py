"""The states of actors, sealed. In: changes of states, or rows; out: the same, in an envelope or out of it.

Nobody without the key can make a state, change one, or give one to another actor. An earlier state of the
same actor can be put back with the version that it had, as a whole store can.
"""

from collections.abc import Collection
from dataclasses import replace

from flowrt.store.port import ActorStates
from flowrt.store.rows import ActorChange, ActorRow
from flowrt.store.seal import Seals, place


class SealedActors:
    """Takes no state out of a store without its seal."""

    def __init__(self, states: ActorStates, seals: Seals) -> None:
        """Put in front of `states`."""
        self._states = states
        self._seals = seals

    def found(self, names: Collection[str]) -> list[ActorRow]:
        """The states under these names. Raises StoreCorrupt, WrongStoreKey."""
        return [self._opened(row) for row in self._states.found(names)]

    def every(self, after: str, limit: int) -> list[ActorRow]:
        """States with names behind `after`. Raises StoreCorrupt, WrongStoreKey."""
        return [self._opened(row) for row in self._states.every(after, limit)]

    def remove(self, name: str) -> frozenset[str]:
        """Remove a state. As the port says."""
        return self._states.remove(name)

    def _opened(self, row: ActorRow) -> ActorRow:
        where = _place(row.name, row.version, row.run_id, row.step, row.at)
        return replace(row, state=self._seals.unseal(where, row.state, f"the state of the actor {row.name}"))


def sealed_change(seals: Seals, run_id: str, change: ActorChange) -> ActorChange:
    """What a run has made of a state, sealed."""
    where = _place(change.name, change.version + 1, run_id, change.step, change.at)
    return replace(change, state=seals.seal(where, change.state))


def _place(name: str, version: int, run_id: str, step: str, at: int) -> bytes:
    fields = (name, str(version), run_id, step, str(at))
    return place("actor", *(field.encode("utf-8", "surrogatepass") for field in fields))
