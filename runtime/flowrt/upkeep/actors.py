"""Actors of a store: what there is, what it holds, and how it goes. In: a store; out: facts, states.

Removing a state is two steps, as with runs (see `flowrt.upkeep.delete`): the row goes, and then the blob that
nothing needs any more, unless it is young.
"""

from collections.abc import Iterator
from typing import cast

from flowrt.engine.actors import state_of
from flowrt.errors import UnknownActor
from flowrt.noun import noun
from flowrt.shown.load import load
from flowrt.store.content import GRACE_US
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import ActorRow
from flowrt.value import Blob

_PAGE = 500


@noun
class ActorFacts:
    """An actor: its class and key, how often it was changed and by whom last, how large its state is."""

    name: str
    cls: str
    key: str
    version: int
    size: int
    run_id: str
    step: str
    at: int


def every_actor(store: Store) -> Iterator[ActorFacts]:
    """All actors of a store. Raises StoreCorrupt at one that is damaged."""
    after = ""
    while page := store.actors.every(after, _PAGE):
        after = page[-1].name
        yield from map(_facts, page)


def _facts(row: ActorRow) -> ActorFacts:
    state = state_of(row)
    size = state.size if isinstance(state, Blob) else len(state.data)
    cls, _, key = row.name.removesuffix(")").partition("(")
    return ActorFacts(row.name, cls, key, row.version, size, row.run_id, row.step, row.at)


def actor_state(store: Store, blobs: Blobs, name: str) -> object:
    """What an actor is made of, such as its attributes by name.

    Raises:
        UnknownActor: There is none of that name.
        StoreError: The store or the place of the blobs cannot be used.
    """
    rows = store.actors.found([name])
    if not rows:
        raise UnknownActor(f"There is no actor {name}. `flowc actors` shows those that are.")
    stored = load(blobs, state_of(rows[0]))
    if not isinstance(stored, tuple):
        return stored
    kind, *parts = cast("tuple[object, ...]", stored)
    if not kind:
        return getattr(parts[0], "__dict__", None) or parts[0]
    _, state, items, pairs = parts
    found = [part for part in (state, items, pairs) if part is not None]
    return found[0] if len(found) == 1 else found


def remove_actor(store: Store, blobs: Blobs, name: str, *, now: int) -> None:
    """Remove the state of an actor; the next call of it begins anew.

    Raises:
        UnknownActor: There is none of that name.
        ActorBusy: A run calls it, or waits for its turn.
        StoreError: The store or the place of the blobs cannot be used.
    """
    for digest in store.actors.remove(name):
        blobs.remove(digest, now - GRACE_US)
