"""The stores that campaigns are held on. In: their kinds; out: where a trial's store and blobs are."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Ground:
    """A kind of store. On SQLite each trial has a store of its own, on a server all share one."""

    name: str
    url: str | None = None

    def store(self, folder: str) -> str:
        return self.url or f"{folder}/store"

    def blobs(self, folder: str) -> str | None:
        return f"{folder}/blobs" if self.url else None


@contextmanager
def grounds(kinds: list[str]) -> Iterator[list[Ground]]:
    """Grounds of these kinds, `sqlite` or `postgres`, for the time of a `with` block."""
    with ExitStack() as stack:
        yield [_ground(kind, stack) for kind in kinds]


def _ground(kind: str, stack: ExitStack) -> Ground:
    if kind == "sqlite":
        return Ground(kind)
    from postgres import postgres_server  # noqa: PLC0415 - only if it is asked for

    return Ground(kind, stack.enter_context(postgres_server()))
