"""The states of actors in SQL. In: what batches have made, or the names of states; out: rows.

A state belongs to no run: it outlives those that have made it. The column `blob` says which blob it is in, so
that collections leave that one alone. A change is written only over the version that it began from.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, select, update

from flowrt.errors import UnknownActor
from flowrt.failpoint import hit
from flowrt.store import sql_locks, sql_remove
from flowrt.store.actor_rows import actor_row, actor_values
from flowrt.store.actor_rules import check_free, refused
from flowrt.store.rows import ActorRow, Batch
from flowrt.store.schema import actors
from flowrt.store.sql_insert import insert_if_absent
from flowrt.store.sql_rows import as_list, given_texts
from flowrt.store.sql_transactions import Transactions
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.texts import spelt


class SqlActors:
    """The states of the actors of one database."""

    def __init__(self, transactions: Transactions, place: str) -> None:
        """Use the database of `transactions`; `place` is how the store is named in messages."""
        self._transactions = transactions
        self._place = place

    def found(self, names: Collection[str]) -> list[ActorRow]:
        """The states under these names. Raises StoreCorrupt."""
        return self._transactions.read("look for actors", lambda c: _found(c, names))

    def every(self, after: str, limit: int) -> list[ActorRow]:
        """States with names behind `after`, in their order. Raises StoreCorrupt."""
        query = select(actors).where(actors.c.name > spelt(after)).order_by(actors.c.name).limit(limit)
        return self._transactions.read(
            "read the actors", lambda c: [actor_row(row) for row in c.execute(query)]
        )

    def remove(self, name: str) -> frozenset[str]:
        """Remove a state; return the blobs that nothing needs now. Raises UnknownActor, ActorBusy."""

        def work(connection: Connection) -> frozenset[str]:
            take_turn(connection, Turn.EVENTS)  # Nobody gets a turn at it meanwhile.
            check_free(name, sql_locks.queue(connection, name, 1))
            statement = delete(actors).where(actors.c.name == spelt(name)).returning(actors.c.blob)
            gone = connection.execute(statement).first()
            if gone is None:
                raise UnknownActor(
                    f"There is no actor {name} in the store {self._place}. `flowc actors` shows those that "
                    "are."
                )
            blobs = set[str]() if gone.blob is None else {str(gone.blob)}
            return frozenset(blobs) - sql_remove.needed(connection, blobs)

        return self._transactions.write(f"remove the actor {name}", work)


def change(connection: Connection, batches: Sequence[Batch]) -> None:
    """Write what batches have made. Raises StoreCorrupt when that did not begin from the newest versions."""
    made = [(batch.run_id, one) for batch in batches for one in batch.actors]
    for run_id, one in made:
        values = actor_values(run_id, one)
        if one.version == 0:
            written = insert_if_absent(connection, actors, values) is not None
        else:
            this = actors.c.name == values["name"], actors.c.version == one.version
            written = connection.execute(update(actors).where(*this).values(values)).rowcount == 1
        if not written:
            raise refused(run_id, one)
    if made:
        hit("actors.written")


def _found(connection: Connection, names: Collection[str]) -> list[ActorRow]:
    query = select(actors).where(actors.c.name.in_(given_texts(connection.dialect.name)))
    return [actor_row(row) for row in connection.execute(query, as_list([spelt(name) for name in names]))]
