"""An older store on PostgreSQL is brought up to date. In: a connection; out: the same store, new.

An older flowc that is connected would go on writing as it knows how: rows without checksums. So there must
be none: it is looked for by the name under which flowc connects, which is another one in each version of
the schema. One that connects later finds the new version and refuses it. Of several processes of this
version that come at once, one does the work and the others wait for it.

All is done in one transaction, which has the tables to itself.
"""

import time

from sqlalchemy import Connection, text, update

from flowrt.errors import StoreUnavailable
from flowrt.store.migrate_3 import to_3
from flowrt.store.schema import SCHEMA_VERSION, meta

PATIENCE_S = 4.0
"""Less than a transaction may idle, and than others wait for the turn to look."""

_PAUSE_S = 0.1

APPLICATION = f"flowc/{SCHEMA_VERSION}"
"""The name under which this version connects. Before version 3 it was `flowc`."""

_OLDER = text(
    "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND application_name LIKE 'flowc%' AND application_name <> :this"
)
_TABLES = "meta, runs, records, programs, code, program_code, events, waits, blob_refs, deployments"


def migrate(connection: Connection, place: str, schema: str) -> None:
    """Bring the store in `schema` up to date from version 2, within the transaction of the connection.

    Raises:
        StoreUnavailable: An older flowc is connected.
    """
    give_up_at = time.monotonic() + PATIENCE_S
    while connection.scalar(_OLDER, {"this": APPLICATION}):
        if time.monotonic() >= give_up_at:
            raise StoreUnavailable(
                f"The store {place} was made by an older version of flowc, and a process of that version is "
                "connected to it. Let that process end, or stop it; then the store is brought up to date."
            )
        time.sleep(_PAUSE_S)
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    connection.execute(text(f"SET LOCAL search_path TO {schema}"))
    connection.execute(text("SET LOCAL statement_timeout TO 0"))
    connection.execute(text(f"LOCK TABLE {_TABLES} IN ACCESS EXCLUSIVE MODE"))
    to_3(connection)
    version = update(meta).where(meta.c.key == "schema_version")
    connection.execute(version.values(value=str(SCHEMA_VERSION)))
