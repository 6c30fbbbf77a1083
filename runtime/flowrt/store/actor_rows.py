"""The state of an actor as a row of a database. In: a change, or a row; out: a row, or what it says."""

from collections.abc import Mapping
from shlex import quote
from typing import cast

from sqlalchemy import Row

from flowrt.errors import StoreCorrupt
from flowrt.store.checksum import actor_checksum
from flowrt.store.rows import ActorChange, ActorRow
from flowrt.store.texts import spelt, unspelt

_CHECKED = ("name", "version", "blob", "run_id", "step", "changed_at")


def actor_values(run_id: str, change: ActorChange) -> dict[str, object]:
    """The columns of a state after a change."""
    values: dict[str, object] = {
        "name": spelt(change.name),
        "version": change.version + 1,
        "blob": change.blob,
        "run_id": run_id,
        "step": spelt(change.step),
        "changed_at": change.at,
        "state": change.state,
    }
    return {**values, "checksum": _checksum(values)}


def actor_row(row: Row[*tuple[object, ...]]) -> ActorRow:
    """A state as it is stored. Raises StoreCorrupt."""
    try:
        sound = row.checksum == _checksum({name: getattr(row, name) for name in (*_CHECKED, "state")})
        name, step = unspelt(row.name), unspelt(row.step)
    except (ValueError, TypeError, AttributeError):
        sound, name, step = False, row.name, ""
    if not sound:
        raise StoreCorrupt(
            f"The state of the actor {name} is damaged. Restore the store from a copy, or remove the state, "
            f"which loses it: flowc actors --remove {quote(name)}"
        )
    return ActorRow(name, row.version, row.state, row.blob, row.run_id, step, row.changed_at)


def _checksum(values: Mapping[str, object]) -> int:
    return actor_checksum(tuple(values[name] for name in _CHECKED), cast("bytes", values["state"]))
