"""The stores that campaigns are held on. In: their kinds; out: where a trial's store and blobs are.

What a process has written outlives its SIGKILL whether it was synced or not. So where only processes die,
and not machines, a disk in memory does as well as any, and much faster: folders are made there.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

IN_MEMORY = Path("/dev/shm")


def scratch(name: str) -> TemporaryDirectory[str]:
    """A folder for a trial, in memory where that is possible."""
    return TemporaryDirectory(prefix=f"flowc-{name}-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None)


@dataclass(frozen=True)
class Ground:
    """A kind of store. On SQLite each trial has a store of its own, on a server all share `url`."""

    name: str
    url: str | None = None
    admin_url: str = ""

    def store(self, folder: str) -> str:
        return self.url or f"{folder}/store"

    def blobs(self, folder: str) -> str | None:
        return f"{folder}/blobs" if self.url else None

    @contextmanager
    def own(self) -> Iterator["Ground"]:
        """A ground that no other trial stands on."""
        if self.url is None:
            yield self
            return
        import psycopg  # noqa: PLC0415 - only where there is a server

        name, template = f"own_{uuid4().hex}", _database(self.url)
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                yield Ground(self.name, self.url.replace(f"/{template}?", f"/{name}?"), self.admin_url)
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _database(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@contextmanager
def grounds(kinds: list[str]) -> Iterator[list[Ground]]:
    """Grounds of these kinds, `sqlite` or `postgres`, for the time of a `with` block."""
    with ExitStack() as stack:
        yield [_ground(kind, stack) for kind in kinds]


def _ground(kind: str, stack: ExitStack) -> Ground:
    if kind == "sqlite":
        return Ground(kind)
    from postgres import Server  # noqa: PLC0415 - only if it is asked for

    from flowrt.store.open import open_store  # noqa: PLC0415

    server = stack.enter_context(Server(str(IN_MEMORY)) if IN_MEMORY.is_dir() else Server())
    url = server.database()
    open_store(url, "memory:")[0].close()
    return Ground(kind, url, server.admin_url)
