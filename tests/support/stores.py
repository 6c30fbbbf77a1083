"""Stores of each kind, and what is put into them. In: a kind and a folder; out: a store, rows for it."""

import dataclasses

from postgres import fresh_database

from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.port import Store
from flowrt.store.rows import Batch, Deployment, LockRequest, NewRun

KINDS = ("memory", "sqlite", "postgres")
SECOND = 1_000_000
LATER = 10 * SECOND


def store_of(kind: str, folder: object) -> Store:
    """An empty store."""
    match kind:
        case "memory":
            return open_store("memory:")[0]
        case "sqlite":
            return open_store(f"{folder}/.flowc")[0]
        case "postgres":
            return open_store(fresh_database(), "memory:")[0]
    raise AssertionError(kind)


def new_run(run_id: str = "r1", **changes: object) -> NewRun:
    run = NewRun(
        run_id=run_id,
        flow="hello",
        program_digest="p" * 64,
        program=b"program",
        code={"c" * 64: b"code"},
        inputs_digest="i" * 64,
        first=b"started",
        labels={"team": "ä"},
        versions={"flowc": "0.1.0"},
        python_path=("/a", "/b c"),
        created_at=5,
    )
    return dataclasses.replace(run, **changes)


def new_deployment(name: str = "hello", **changes: object) -> Deployment:
    deployment = Deployment(
        name=name,
        program_digest="p" * 64,
        program=b"program",
        code={"c" * 64: b"code"},
        labels={"team": "ä"},
        versions={"flowc": "0.1.0"},
        python_path=("/a",),
        snapshot="5" * 64,
        schedule='{"cron": "* * * * *"}',
        cursor=100,
        deployed_at=7,
        seal=b"seal",
    )
    return dataclasses.replace(deployment, **changes)


def batch(run_id: str, epoch: int, first_seq: int, *records: bytes, **changes: object) -> Batch:
    return Batch(run_id, epoch, first_seq, list(records), **changes)


def owned_run(store: Store, run_id: str = "r1", now: int = 0, **changes: object) -> int:
    store.create(new_run(run_id, **changes))
    return store.claim(run_id, this_owner(), now, now + LATER)


def ended_run(store: Store, run_id: str = "r1", status: str = "succeeded", **changes: object) -> None:
    epoch = owned_run(store, run_id, **changes)
    store.append([batch(run_id, epoch, 1, b"end", status=status, ended_at=9)])
    store.release(run_id, epoch)


def another_machine(**changes: object) -> object:
    return dataclasses.replace(this_owner(), host="elsewhere.example", **changes)


def data(store: Store, run_id: str = "r1", first_seq: int = 0) -> list[bytes]:
    return [row.data for row in store.journal(run_id, first_seq)]


def ask(store, run_id, epoch, name="gpu", step="s", limit=1, **changes):
    """Let a run take a place in the queue for a lock."""
    head = store.run(run_id).head
    request = LockRequest(step, name, limit, **changes)
    assert store.append([batch(run_id, epoch, head, b"asks", locks=[request])]) == frozenset()


def give_back(store, run_id, epoch, *steps):
    """Let a run give back what these steps have, or their places."""
    head = store.run(run_id).head
    assert store.append([batch(run_id, epoch, head, b"gives", unlocks=steps)]) == frozenset()
