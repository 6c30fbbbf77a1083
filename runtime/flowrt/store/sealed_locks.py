"""Places in the queues for locks, sealed. In: requests and rows; out: the same.

A place is sealed by who asks for it, so nobody without the key can make one, or change what it is for. Who
is given a lock is written by whoever gives one back, within the database. So a grant that is met is held
against the others of its lock: one that was written over another makes more holders than may be.
"""

from dataclasses import replace

from flowrt.errors import StoreCorrupt
from flowrt.store.port import Store
from flowrt.store.rows import LockRequest, LockRow
from flowrt.store.seal import Seals
from flowrt.store.sealed_places import lock_place


def sealed_lock(seals: Seals, run_id: str, nonce: bytes, asked: LockRequest) -> LockRequest:
    """What a run asks for, with its seal."""
    return replace(asked, seal=seals.seal(lock_place(run_id, nonce, asked), b""))


def check_lock(seals: Seals, nonce: bytes, row: LockRow) -> LockRow:
    """A place of the run of that nonce. Raises StoreCorrupt, WrongStoreKey."""
    what = f"the place of run {row.run_id} for the lock `{row.name}`"
    seals.unseal(lock_place(row.run_id, nonce, row), row.seal, what)
    return row


def check_holders(store: Store, row: LockRow) -> None:
    """Raise StoreCorrupt when more hold the lock of a row than may."""
    held = [one for one in store.lock_queue(row.name, row.limit + 1) if one.granted]
    if len(held) > row.limit:
        raise StoreCorrupt(
            f"The lock `{row.name}` is held by more than {row.limit}: somebody has changed the queue in the "
            "store. Restore the store from a copy."
        )
