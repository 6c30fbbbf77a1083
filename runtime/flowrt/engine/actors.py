"""Actors of one run: which state a call begins from, and what it has made of it.

In: attempts that are about to be made, and results. Out: attempts with the states of their objects, changes
for the store.

A call has its turn when its attempt is made, and keeps it until its result is recorded: so the state that is
read here is the newest until then, and the store takes the change only if it still is. A state that a call
has left as it was is not written.
"""

from dataclasses import dataclass, field

from flowrt.encoding import flat_form
from flowrt.engine.active import ActiveRun
from flowrt.errors import CodecError, StoreCorrupt
from flowrt.executor.port import Attempt, Outcome, Returned
from flowrt.failpoint import hit
from flowrt.noun import replace
from flowrt.record import Record, Succeeded
from flowrt.store.port import Store
from flowrt.store.rows import ActorChange, ActorRow
from flowrt.value import Blob, Handle, Inline


@dataclass(frozen=True, slots=True)
class Turn:
    """A call that is being made: the name of the lock that it has, what its object was before."""

    name: str
    version: int = 0
    state: Handle | None = None


@dataclass(slots=True)
class Actors:
    """The objects whose methods a run calls. `turns` are the calls that are being made, by step."""

    run: ActiveRun
    store: Store
    turns: dict[str, Turn] = field(default_factory=dict[str, Turn])

    def give_states(self, ready: dict[str, Attempt]) -> None:
        """Give the attempts of calls the states of their objects. Raises StoreError."""
        names = {
            step: self.run.state.lock_name(step)
            for step, attempt in ready.items()
            if attempt.task.actor is not None
        }
        if not names:
            return
        rows = {row.name: row for row in self.store.actors.found(sorted(set(names.values())))}
        for step, name in names.items():
            row = rows.get(name)
            turn = Turn(name) if row is None else Turn(name, row.version, state_of(row))
            self.turns[step] = turn
            ready[step] = replace(ready[step], state=turn.state)

    def left_by(self, record: Record, outcome: Outcome) -> ActorChange | None:
        """What a call that has ended has made of its object; None when that is as it was."""
        turn = self.turns.pop(getattr(record, "step", ""), None)
        if turn is None or not isinstance(record, Succeeded) or not isinstance(outcome, Returned):
            return None
        state = outcome.state
        if state is None or state == turn.state:
            return None
        hit("actor.changed")
        return ActorChange(
            turn.name,
            turn.version,
            flat_form.to_bytes(state),
            state.digest if isinstance(state, Blob) else None,
            record.step,
            record.ended_at,
        )


def state_of(row: ActorRow) -> Inline | Blob:
    """The handle of a stored state. Raises StoreCorrupt."""
    try:
        handle = flat_form.from_bytes(row.state)
    except CodecError as error:
        raise StoreCorrupt(f"The state of the actor {row.name} is damaged.") from error
    if not isinstance(handle, Inline | Blob):
        raise StoreCorrupt(f"The state of the actor {row.name} is a {type(handle).__name__}.")
    if row.blob != (handle.digest if isinstance(handle, Blob) else None):
        raise StoreCorrupt(
            f"The state of the actor {row.name} is not in the value that the store keeps for it. Restore the "
            "store from a copy."
        )
    return handle
