"""Cached values of one run: under which key a call is looked up, what is taken over, what is left for others.

In: calls that are about to be made, and results. Out: keys, records of steps whose values are taken over,
entries for the store.

A key is a digest of the callable and of what tells its calls apart. With a `key` that is the callable's
import path and the value of the expression. Else it is the callable's source and its arguments: an argument
that is a value of the run as it is counts by the digest of its bytes, any other is computed. A callable in
other words, or an argument that a process encodes in its own way, is another call: then the step runs.

The blob of a large value is kept by the run that made it. A run that takes it over refers to it by its own
record; until that is durable the blob is made young, so that no collection takes it (see
`flowrt.store.content`). One that is gone is no value: the step runs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from flowrt.amounts import duration_us
from flowrt.command import RunTask
from flowrt.encoding import flat_form
from flowrt.encoding.values import Values
from flowrt.engine.perform import Performer
from flowrt.errors import CodecError, StoreCorrupt, StoreError
from flowrt.executor.port import RunFacts
from flowrt.expr.evaluate import evaluate
from flowrt.expr.tree import Expr, Name
from flowrt.failpoint import hit
from flowrt.program import Imported
from flowrt.record import Failed, Succeeded, digests_of
from flowrt.snapshot.cache import code_folders
from flowrt.snapshot.source_text import source_of
from flowrt.store.port import Store
from flowrt.store.rows import CachedRow, NewCached
from flowrt.value import Blob, Collected, Element, Fields, Handle, Inline, Items, Literal

STALE_US = 600_000_000
"""From which age on the blob of a value is made young: see `flowrt.store.content`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The key of a call, and for how long its value lasts (None: for ever)."""

    key: str
    ttl_us: int | None


@dataclass(slots=True)
class Caching:
    """What a run takes over, and what it leaves. `keys` are those of the steps that are being made."""

    store: Store
    facts: RunFacts
    values: Values
    performer: Performer
    keys: dict[str, Kept] = field(default_factory=dict[str, Kept])
    _sources: dict[str, str] = field(default_factory=dict[str, str])

    def prepare(self, command: RunTask) -> Failed | None:
        """Find the key of a call that may be cached; the failure when its expressions raise."""
        cache = command.task.cache
        if cache is None:
            return None

        def work() -> Kept:
            env = self.performer.env(command.env)
            ttl = None if cache.ttl is None else duration_us("ttl", evaluate(cache.ttl, env))
            return Kept(self._key(command), ttl)

        kept = self.performer.guard(command.step, work)
        if isinstance(kept, Failed):
            return kept
        self.keys[command.step] = kept
        return None

    def take_over(self, steps: Mapping[str, object]) -> list[Succeeded]:
        """The records of those of these steps whose values are there. Raises StoreError."""
        wanted = {step: self.keys[step] for step in steps if step in self.keys}
        if not wanted:
            return []
        now = self.performer.clock.now()
        rows = {row.key: row for row in self.store.cached(sorted({k.key for k in wanted.values()}), now)}
        taken: list[Succeeded] = []
        for step, kept in wanted.items():
            row = rows.get(kept.key)
            if row is not None and (kept.ttl_us is None or row.made_at + kept.ttl_us > now):
                record = self._record(step, row, now)
                taken += [] if record is None else [record]
        if taken:
            hit("cache.hit")
        return taken

    def _record(self, step: str, row: CachedRow, now: int) -> Succeeded | None:
        record = Succeeded(step, _handle(row), 0, now, now)
        if now - row.made_at > STALE_US:
            for digest in digests_of(record):
                try:
                    self.values.refresh(digest)
                except StoreCorrupt:
                    return None  # Its run was just deleted.
        return record

    def left_by(self, record: object) -> NewCached | None:
        """What others may take over of a step that has ended; its key is forgotten with that."""
        step = getattr(record, "step", "")
        kept = self.keys.pop(step, None)
        if kept is None or not isinstance(record, Succeeded) or not record.attempt:
            return None
        now = self.performer.clock.now()  # By the clock that entries are looked up by, not the worker's.
        until = None if kept.ttl_us is None else now + kept.ttl_us
        return NewCached(kept.key, flat_form.to_bytes(record.value), now, until)

    # Keys

    def _key(self, command: RunTask) -> str:
        task, callee = command.task, command.task.callee
        assert task.cache is not None, f"{command.step} is not cached"
        if task.cache.key is not None:
            name = callee.path if isinstance(callee, Imported) else callee.digest
            value = evaluate(task.cache.key, self.performer.env(command.env))
            return _digest("key", name, self._bytes_of(value))
        source = self._source(callee.path) if isinstance(callee, Imported) else callee.digest
        name = callee.path if isinstance(callee, Imported) else ""
        parts: list[str | bytes] = ["call", name, source]
        for key, expr in (*((str(n), arg) for n, arg in enumerate(task.args)), *task.kwargs):
            parts += [key, self._argument(expr, command.env)]
        return _digest(*parts)

    def _source(self, path: str) -> str:
        known = self._sources.get(path)
        if known is None:
            folders = code_folders(self.facts.python_path, self.facts.snapshot, self.values.blobs)
            known = self._sources[path] = source_of(path, folders)
        return known

    def _argument(self, expr: Expr, env: Mapping[str, Handle]) -> bytes:
        """What tells an argument from others."""
        if isinstance(expr, Name) and expr.id in env:
            return self._of_handle(env[expr.id])
        try:
            return self._bytes_of(evaluate(expr, self.performer.env(env)))
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - a secret is not known here; what is wrong is found by the worker
            known = {name: self._of_handle(handle) for name, handle in sorted(env.items())}
            return flat_form.to_bytes(expr) + b"".join(known.values())

    def _of_handle(self, handle: Handle) -> bytes:
        match handle:
            case Inline(data):
                return hashlib.sha256(data).digest()
            case Blob(digest):
                return bytes.fromhex(digest)
            case _:
                return self._bytes_of(self.values.peek(handle))

    def _bytes_of(self, value: object) -> bytes:
        return hashlib.sha256(self.values.encode(value)).digest()


def _handle(row: CachedRow) -> Handle:
    """The handle of a cached value. Raises StoreCorrupt."""
    try:
        handle = flat_form.from_bytes(row.value)
    except CodecError as error:
        raise StoreCorrupt(f"The cached value {row.key} is damaged.") from error
    if isinstance(handle, Inline | Blob | Items | Fields | Element | Collected | Literal):
        return handle
    raise StoreCorrupt(f"Under the cached value {row.key} there is a {type(handle).__name__}.")


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
