"""The port of a store: every durable fact of flowrt goes through these two protocols.

A `Store` keeps runs, their journals, programs and events. A `Blobs` keeps large encoded values by
content. Whatever a method of a `Store` writes is durable when it returns, or it raises and has changed
nothing. Instants are whole microseconds since 1970-01-01 UTC.

Ownership. A run is claimed before it is written. Each claim raises the run's epoch; every append is
conditional on the epoch (safety: a superseded owner can commit nothing), while the lease only says
whether the owner is believed to be alive (liveness).

Served runs. A run that is `served` belongs to whoever serves the store: `claim_due` hands out those that
are due. One that only waits is parked: it has no owner, and stands in the store as the instant at which
it wants to be looked at (`wake_at`) and the events that it waits for. An event that one of them waits for
makes it due at once, in the transaction that accepts the event. While a served run is owned, its
`wake_at` is the end of its lease: what a dead engine held becomes due by itself.

Locks. A batch asks for locks by name, and gives them back; the store keeps the queues. What a run gives
back goes to the head of the queue in the same transaction, which makes that run due if it is parked. A run
that is suspended, or that nobody goes on with, loses what it has.

Actors. A batch changes the states of objects whose methods the run has called, in the transaction of the
results; each has a version that grows with each change, and a change of another version than the newest is
none that an engine makes: it is refused as damage.

Events are numbered in the order in which they are accepted: of two events of a store, the one that
becomes visible first has the smaller number. A run sees the events that were accepted after it was
created, by number and not by anybody's clock.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from flowrt.store.rows import (
    ActorRow,
    Batch,
    BlobFacts,
    CachedRow,
    Deployment,
    EventRow,
    JournalRow,
    LockRow,
    NewEvent,
    NewRun,
    News,
    Owner,
    RunRow,
    RunStatus,
    Slot,
    Unused,
)


class ActorStates(Protocol):
    """The states of actors, which belong to no run: they stay until they are removed."""

    def found(self, names: Collection[str]) -> list[ActorRow]:
        """The states under these names, as far as there are any. Raises StoreCorrupt."""
        ...

    def every(self, after: str, limit: int) -> list[ActorRow]:
        """States with names behind `after`, in their order. Raises StoreCorrupt."""
        ...

    def remove(self, name: str) -> frozenset[str]:
        """Remove a state; return the blobs that nothing needs now.

        Raises UnknownActor, and ActorBusy while a call has its turn, or waits for it.
        """
        ...


class Store(Protocol):
    """Runs, journals, programs and events. Errors are those of `flowrt.errors`."""

    @property
    def actors(self) -> ActorStates:
        """The states of actors."""
        ...

    def create(self, run: NewRun, slot: Slot | None = None) -> None:
        """Create a run; with `slot`, move the cursor of its schedule in the same transaction.

        Raises RunExists, and SlotTaken when the cursor is not at `slot.after`: then nothing was done.
        """
        ...

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch.

        A run that has ended is taken to go on behind its end: a request to cancel it is over.
        A run that another owner holds is taken only when that lease has run out, or when the owner was
        a process of this machine and boot that lives no more. Raises UnknownRun, RunOwned.
        """
        ...

    def claim_due(self, owner: Owner, now: int, lease_until: int, limit: int, ahead: int = 0) -> list[RunRow]:
        """Take up to `limit` served runs whose `wake_at` has come, the earliest first.

        A run that nobody has is taken `ahead` microseconds before that.
        The rows are as they are after the claim, with their new epochs. Two engines that ask at the same
        time get different runs, and neither waits for the other.
        """
        ...

    def free_dead(self) -> int:
        """Make due at once what served runs are held by processes of this machine that live no more."""
        ...

    def free_unknown(self, owner: Owner, known: Mapping[str, int]) -> int:
        """Make due at once the served runs that `owner` has, but for those `known` to it, by id and epoch.

        The answer to a claim may be lost: then `owner` has runs in the store of which it knows nothing.
        """
        ...

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        ...

    def release(
        self,
        run_id: str,
        epoch: int,
        status: RunStatus | None = None,
        *,
        wake_at: int | None = None,
        problem: str | None = None,
    ) -> None:
        """Give a run up and set its status, if the epoch is still ours; else do nothing.

        A run that has ended keeps the status with which it has.
        `wake_at` is when a served run is due again (0: at once), `problem` why it was laid aside.
        """
        ...

    def serve(self, run_id: str, now: int) -> None:
        """Hand a run to whoever serves the store: it is `served`, and due at `now`. Raises UnknownRun."""
        ...

    def reopen(
        self, run_id: str, epoch: int, python_path: Sequence[str], snapshot: str | None, seal: bytes
    ) -> None:
        """Give a run that is ours other code to go on with, if the epoch is still ours."""
        ...

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs in one transaction; return the runs whose epoch is superseded.

        The batches of superseded runs are left out, the others are durable on return.
        Raises StoreUnavailable when nothing was written (disk full, I/O error, lost connection).
        """
        ...

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order. Raises UnknownRun, StoreCorrupt."""
        ...

    def journals(self, run_ids: Collection[str]) -> Mapping[str, Sequence[JournalRow]]:
        """The journals of several runs at once; those that are long, or damaged, are left out."""
        ...

    def run(self, run_id: str) -> RunRow:
        """One run. Raises UnknownRun."""
        ...

    def runs(
        self,
        status: Collection[RunStatus] | None = None,
        flow: str | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first."""
        ...

    def run_ids(self) -> list[str]:
        """The ids of all runs, the newest first: of those too whose rows are damaged."""
        ...

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt when it is not there."""
        ...

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt when it is not there."""
        ...

    def send(self, event: NewEvent) -> int:
        """Accept an event and return its number; the same number again for the same dedupe id.

        Raises UnknownRun for an event that is addressed to a run that does not exist.
        """
        ...

    def send_all(self, events: Sequence[NewEvent]) -> list[int]:
        """Accept several events in one transaction: all or none. As `send` for each."""
        ...

    def events(self, name: str, key: str | None, run_id: str, after_id: int, limit: int) -> list[EventRow]:
        """Events of that name and key for a run with a number above `after_id`, oldest first.

        An event that is addressed to another run is left out. A key of None matches events without a key.
        """
        ...

    def all_events(self, after_id: int, limit: int) -> list[EventRow]:
        """Events of every name with a number above `after_id`, oldest first. Raises StoreCorrupt."""
        ...

    def request_cancel(self, run_id: str, reason: str, *, force: bool = False) -> None:
        """Note that a run is to be cancelled; its owner, or the next one, acts on it.

        A parked run becomes due. The first reason stays; a later request may add force.
        """
        ...

    def locks_of(self, run_ids: Collection[str], *, answered: bool = False) -> list[LockRow]:
        """The places of some runs in the queues for locks, in order of asking. Raises StoreCorrupt.

        With `answered` those that have got their locks, or never will: it takes no longer when many wait.
        """
        ...

    def lock_queue(self, name: str, limit: int) -> list[LockRow]:
        """Who holds a lock, and then who waits for it, in order; at most `limit`. Raises StoreCorrupt."""
        ...

    def all_locks(self, after: int, limit: int) -> list[LockRow]:
        """Places with tickets above `after`, in order. Raises StoreCorrupt."""
        ...

    def free_locks(self, now: int) -> int:
        """Give to others what runs have that nobody goes on with; how many such runs there were.

        That are runs that are not served, or were laid aside, without an owner that lives, as far as others
        wait for what they have. Who comes back to one after all is superseded.
        """
        ...

    def cached(self, keys: Collection[str], now: int) -> list[CachedRow]:
        """The values under these keys that have not expired. Raises StoreCorrupt."""
        ...

    def all_cached(self, after: str, limit: int) -> list[CachedRow]:
        """Cached values with keys behind `after`, in their order. Raises StoreCorrupt."""
        ...

    def news(self, run_ids: Collection[str], after_event_id: int) -> News:
        """A cheap look at what happened outside; called several times a second."""
        ...

    def deploy(self, deployment: Deployment) -> None:
        """Serve a flow by its name from now on.

        One that is served already is replaced, and its cursor stays if its schedule is the same, unless it
        is ahead of the new one: a clock that was wrong has put it there.
        """
        ...

    def deployments(self) -> list[Deployment]:
        """What is served, by name; `program` and `code` are left empty (ask for them by digest)."""
        ...

    def undeploy(self, name: str) -> bool:
        """Serve a flow no more; false when it was not served. Its runs go on."""
        ...

    def move_cursor(self, name: str, after: int, to: int) -> bool:
        """Move the cursor of a schedule without a run, if it is at `after`; whether it was."""
        ...

    def delete(self, run_id: str) -> frozenset[str]:
        """Remove a run that has ended, and all that is its own; return the blobs that nothing needs now.

        Raises UnknownRun, RunNotEnded.
        """
        ...

    def needed(self, digests: Collection[str]) -> frozenset[str]:
        """Which of these blobs a run, a deployment or an actor refers to."""
        ...

    def check_references(self) -> None:
        """Raise StoreCorrupt when a row is damaged that says which blobs and callables are needed."""
        ...

    def call_damaged(self, after: int) -> int:
        """Make due what is served and damaged, so that whoever claims it finds out and lays it aside.

        A damaged row might never become due by itself. Some rows are looked at, those behind the place
        `after`; the place to go on from is returned, 0 at the end.
        """
        ...

    def sweep(self, before: int) -> Unused:
        """Remove programs that nothing refers to, and events accepted before `before` that no run can take.

        An event stays as long as a run that was created before it may still go on. Nobody waits long for
        this: it is done in many transactions, and what was removed before it raises stays removed.
        """
        ...

    def faults(self) -> list[str]:
        """What the database itself finds wrong with its files; a long look."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


class Blobs(Protocol):
    """Encoded values by the SHA-256 of their bytes. Objects are sent to workers: picklable."""

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store the concatenation of `parts` durably; return its digest (hex) and size in bytes.

        What is there already is not written again, unless it is so old that it may be on its way out.
        """
        ...

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, verified. Raises StoreCorrupt when absent or altered."""
        ...

    def renew(self, digest: str) -> None:
        """Make a blob as young as putting it again would, if need be without reading it.

        Raises StoreCorrupt when it is absent.
        """
        ...

    def every(self) -> Iterator[BlobFacts]:
        """All that is there, in no order; what else lies in the place is left out."""
        ...

    def remove(self, digest: str, put_before: int) -> bool:
        """Remove a blob that was last put before an instant; false when it is absent or younger."""
        ...

    def sweep(self, before: int) -> int:
        """Remove what puts that came to no end left behind before an instant; how many there were."""
        ...
