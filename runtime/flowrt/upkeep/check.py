"""Check: everything in a store is read and held against what it must be. In: a store; out: findings.

* the database: what it says of its own files
* each run: its journal is there without a gap, each record is decoded, epochs never fall, and the whole
  is folded with the run's program to a state that agrees with the run's row
* each program and callable: its bytes are those of its digest
* each blob that a record, a run or a deployment names: it is there, and its bytes are those of its
  digest; and the store knows of the reference, or the next collection would take the blob
* each event: it is what was accepted; each deployment, and each place in a queue for a lock, can be read
* the state of each actor: it is what was written, and the store knows which blob it is in

Nothing is unpickled but constants of hand-written graphs, and nothing is changed. Damage is never raised:
it is a finding, and the check goes on with the next thing; only a store that cannot be reached ends it.
A check may run beside engines: what is deleted meanwhile is no finding. With a key (see
`flowrt.store.sealed`) everything is authenticated as well.

Memory: a key for each blob that was read, 32 bytes, and otherwise one run at a time.
"""

from collections.abc import Sequence
from functools import partial

from flowrt.engine.actors import state_of
from flowrt.errors import StoreCorrupt, WrongStoreKey
from flowrt.store.port import Blobs, Store
from flowrt.upkeep.check_blobs import NamedBlobs
from flowrt.upkeep.check_programs import Programs
from flowrt.upkeep.check_run import check_run
from flowrt.upkeep.finding import Checked, Findings
from flowrt.value import Blob

_PAGE = 500
_NO_EVENT = 1 << 62


def check_store(store: Store, blobs: Blobs, run_ids: Sequence[str] | None = None) -> Checked:
    """Read a store, and tell what is damaged in it.

    Args:
        store: The store; it is not changed.
        blobs: The place of its blobs.
        run_ids: Check these runs alone, and nothing that does not belong to one of them.

    Raises:
        UnknownRun: One of `run_ids` is not there.
        StoreUnavailable: The store cannot be reached.
    """
    found = Findings()
    programs, named = Programs(store), NamedBlobs(store, blobs)
    if run_ids is None:
        for fault in found.attempt("database", store.faults) or ():
            found.note("database", fault)
        ids = found.attempt("run", store.run_ids) or []
    else:
        for run_id in run_ids:
            found.attempt("run", partial(store.run, run_id), run_id)
        ids = list(run_ids)
    records = sum(check_run(store, run_id, programs, named, found) for run_id in ids)
    events = 0
    if run_ids is None:
        events = _check_events(store, found)
        _check_locks(store, found)
        _check_cached(store, found)
        _check_actors(store, named, found)
        _check_deployments(store, programs, named, found)
    return Checked(
        tuple(dict.fromkeys(found.found)), len(ids), records, named.count, named.byte_count, events
    )


def _check_events(store: Store, found: Findings) -> int:
    """Read all events; a page with a damaged one is read event by event. Returns how many are sound."""
    last = found.attempt("event", lambda: store.news((), _NO_EVENT).last_event_id) or 0
    after = count = 0
    while after < last:
        page = _events(store, after, _PAGE)
        if page is None:
            # One of them is damaged: go past them one at a time.
            end = min(after + _PAGE, last)
            count += sum(_is_sound(store, number, found) for number in range(after + 1, end + 1))
            after = end
        elif page:
            count, after = count + len(page), page[-1]
        else:
            break
    return count


def _events(store: Store, after: int, limit: int) -> list[int] | None:
    """The numbers of some events; None when one of them is damaged."""
    try:
        return [event.event_id for event in store.all_events(after, limit)]
    except (StoreCorrupt, WrongStoreKey):
        return None


def _is_sound(store: Store, number: int, found: Findings) -> bool:
    event = found.attempt("event", lambda: store.all_events(number - 1, 1))
    return event is not None and [one.event_id for one in event] == [number]


def _check_locks(store: Store, found: Findings) -> None:
    """Read all places in the queues for locks; one that is damaged keeps those behind it from being read."""
    after = 0
    while page := found.attempt("lock", partial(store.all_locks, after, _PAGE)):
        after = page[-1].ticket


def _check_cached(store: Store, found: Findings) -> None:
    """Read all cached values; one that is damaged keeps those behind it from being read."""
    after = ""
    while page := found.attempt("cached value", partial(store.all_cached, after, _PAGE)):
        after = page[-1].key


def _check_actors(store: Store, named: NamedBlobs, found: Findings) -> None:
    """Read all states of actors; one that is damaged keeps those behind it from being read."""
    after = ""
    while page := found.attempt("actor", partial(store.actors.every, after, _PAGE)):
        after = page[-1].name
        for row in page:
            state = found.attempt("actor", partial(state_of, row))
            if isinstance(state, Blob):
                named.check(state.digest, found)


def _check_deployments(store: Store, programs: Programs, named: NamedBlobs, found: Findings) -> None:
    for deployment in found.attempt("deployment", store.deployments) or ():
        programs.check(deployment.program_digest, found)
        if deployment.snapshot is not None:
            named.check(deployment.snapshot, found)
    named.check_references(found)
