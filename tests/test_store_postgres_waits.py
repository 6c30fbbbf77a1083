"""Who has waited for others on PostgreSQL sees what they have done, whatever the server is set to."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Barrier

import psycopg
import pytest
from postgres import fresh_database
from sqlalchemy import make_url

from flowrt.store import sql_events
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, NewEvent, Park, WaitRow
from flowrt.store.sql_turns import Turn, take_turn
from stores import new_deployment, new_run

EVENT = NewEvent("go", None, b"x", 1, dedupe="d")


@pytest.fixture
def stores():
    """Two connections to a database in which a transaction sees one instant, if it does not ask otherwise."""
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = make_url(url).database
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    with ExitStack() as stack:
        yield [stack.enter_context(closing(open_store(url, "memory:")[0])) for _ in range(2)]


def behind(store, event, work):
    """Do something in another connection while an event is being accepted; it waits, and goes on."""
    with ThreadPoolExecutor(1) as pool:
        with store._engine.begin() as connection:
            take_turn(connection, Turn.EVENTS)
            waiting = pool.submit(work)
            time.sleep(0.3)
            assert not waiting.done()
            numbers = sql_events.accept_all(connection, [event])
        return numbers, waiting.result()


def test_a_dedupe_id_that_has_just_been_accepted_is_known(stores):
    store, other = stores
    assert behind(store, EVENT, lambda: other.send(EVENT)) == ([1], 1)


def test_an_event_that_has_just_been_accepted_wakes_who_parks(stores):
    store, other = stores
    store.create(new_run(served=True))
    [row] = store.claim_due(this_owner(), 10, 10**9, 1)
    parking = Batch("r1", row.epoch, 1, [b"record"], park=Park(None, [WaitRow("go", None, 0)]))
    behind(store, EVENT, lambda: other.append([parking]))
    assert store.run("r1").wake_at == 0


def test_a_flow_that_is_deployed_by_two_at_once_is_deployed(stores):
    barrier = Barrier(2)

    def deploy(store, name):
        barrier.wait()
        store.deploy(new_deployment(name))

    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            for done in [pool.submit(deploy, store, f"f{number}") for store in stores]:
                done.result()
    assert len(stores[0].deployments()) == 20
