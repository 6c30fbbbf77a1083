"""PostgreSQL as a store's database. In: a URL; out: an SQLAlchemy engine on it, checked.

The URL is libpq's: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`; what it leaves out
is taken from the environment (`PGPASSWORD`, `PGSSLROOTCERT`, `~/.pgpass` and so on). Passwords stand in no
message.

The tables are in a schema of their own, `flowc`, named in each statement: the search path plays no part.
The schema is made when it is not there; of several processes that make it at once, one does.

Durability. A commit is on disk when it returns: a server that is set to something else is refused.

Nothing waits for ever: connecting, a statement, a lock, and a transaction whose process was stopped in
the middle of it (its locks are in the way of others) all have an end.
"""

from contextlib import closing
from functools import partial

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateSchema

from flowrt.errors import NotAStore, StoreTooNew, StoreUnavailable
from flowrt.store.migrate_postgres import APPLICATION, migrate
from flowrt.store.schema import SCHEMA_VERSION, meta, metadata
from flowrt.store.sql_errors import translated
from flowrt.store.sql_turns import Turn, take_turn

SCHEMA = "flowc"

_CONNECT_S = 10
_STATEMENT_MS = 60_000
_LOCK_MS = 10_000
_STOPPED_MS = 5_000
"""Less than others wait for a lock: who is stopped while he holds one is put out before they give up."""

_ISOLATION = "READ COMMITTED"
"""Of what writes. Who has waited for a turn or a row has to see what those before him have committed; with
another level, which the server may have as its default, he would see the time before he waited."""

_LIMITS = " ".join(
    (
        f"-c statement_timeout={_STATEMENT_MS}",
        f"-c lock_timeout={_LOCK_MS}",
        f"-c idle_in_transaction_session_timeout={_STOPPED_MS}",
    )
)
# Not by functions such as to_regclass: what they know may be older than the transaction.
_TABLES = text(
    "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
)
_SCHEMA = text("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = :name")
_DEFAULTS = {
    "connect_timeout": str(_CONNECT_S),
    "application_name": APPLICATION,
    # A server that vanished is noticed within half a minute, even in the middle of a statement.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def shown(url: str) -> str:
    """The URL without its password."""
    return _shown(_parsed(url))


def _shown(url: URL) -> str:
    hidden = {key: "***" for key in url.query if "password" in key}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def open_database(url: str, *, create: bool) -> Engine:
    """An engine on the tables in the database at `url`.

    Raises:
        NotAStore: There is something else under the name of the schema.
        StoreTooNew: A newer version wrote it.
        StoreUnavailable: It cannot be reached or used, is not durable, or is not there and not to be made.
    """
    place = shown(url)
    engine = _engine(_parsed(url))
    event.listen(engine, "connect", partial(_check_durable, place))
    try:
        with translated("open it", place):
            _look(engine, place, create=create)
    except BaseException:
        engine.dispose()
        raise
    return engine.execution_options(schema_translate_map={None: SCHEMA})


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreUnavailable(
            "The URL of the store cannot be read. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "with %-codes for special characters in the password."
        ) from error
    return parsed.set(drivername="postgresql")


def _engine(url: URL) -> Engine:
    query = {key: value for key, value in _DEFAULTS.items() if key not in url.query}
    options = " ".join((_LIMITS, *_texts(url.query.get("options", ()))))
    full = url.set(drivername="postgresql+psycopg").update_query_dict({**query, "options": options})
    try:
        return create_engine(
            full,
            isolation_level=_ISOLATION,
            pool_pre_ping=True,
            pool_size=4,
            max_overflow=8,
            pool_timeout=_CONNECT_S,
        )
    except ImportError as error:
        raise StoreUnavailable(
            f'The store {_shown(url)} needs the package psycopg: pip install "flowc[postgres]"'
        ) from error


def _texts(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _check_durable(place: str, connection: DBAPIConnection, _: object) -> None:
    """Refuse a connection whose commits are not on disk when they return."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        [(synced, waited)] = cursor.fetchall()
    connection.rollback()
    if synced == "off":
        connection.close()
        raise StoreUnavailable(
            f"The store {place} is not durable: fsync is off. Switch it on in the server's settings."
        )
    if waited == "off":
        connection.close()
        raise StoreUnavailable(
            f"The store {place} is not durable: synchronous_commit is off. Switch it on for the user or the "
            "database, or in the URL: ?options=-c%20synchronous_commit%3Don"
        )


def _look(engine: Engine, place: str, *, create: bool) -> None:
    """See that the store is there, or make it."""
    with engine.begin() as connection:
        version = _version(connection, place)
    if version == SCHEMA_VERSION:
        return
    if version is not None:
        with engine.begin() as connection:
            _bring_up_to_date(connection, place)
        return
    if not create:
        raise StoreUnavailable(
            f"There is no store at {place}. `flowc run` makes one; --store or FLOWC_STORE names another."
        )
    with engine.begin() as connection:
        _make(connection, place)


def _version(connection: Connection, place: str) -> int | None:
    """The version of the store's schema, None when there is none. Raises NotAStore, StoreTooNew."""
    tables = set(connection.scalars(_TABLES, {"name": SCHEMA}))
    if not tables:
        return None
    if meta.name not in tables:
        raise NotAStore(f"The schema {SCHEMA} in {place} holds other tables. Use another database.")
    query = select(meta.c.value).where(meta.c.key == "schema_version")
    found = connection.scalar(query, execution_options={"schema_translate_map": {None: SCHEMA}})
    if found is None or not found.isdigit():
        raise NotAStore(f"The schema {SCHEMA} in {place} is not a flowc store: it names no version.")
    if int(found) > SCHEMA_VERSION:
        raise StoreTooNew(
            f"The store {place} has schema version {found}; this version of flowc knows {SCHEMA_VERSION}. "
            "Upgrade flowc, or use another store."
        )
    return int(found)


def _bring_up_to_date(connection: Connection, place: str) -> None:
    """Migrate the tables, unless another process has just done that."""
    take_turn(connection, Turn.SCHEMA)
    if _version(connection, place) != SCHEMA_VERSION:
        migrate(connection.execution_options(schema_translate_map={None: SCHEMA}), place, SCHEMA)


def _make(connection: Connection, place: str) -> None:
    """Make the tables, unless another process has just made them."""
    take_turn(connection, Turn.SCHEMA)
    if _version(connection, place) is not None:
        return
    if connection.scalar(_SCHEMA, {"name": SCHEMA}) is None:
        connection.execute(CreateSchema(SCHEMA))
    named = connection.execution_options(schema_translate_map={None: SCHEMA})
    metadata.create_all(named)
    named.execute(meta.insert().values(key="schema_version", value=str(SCHEMA_VERSION)))
