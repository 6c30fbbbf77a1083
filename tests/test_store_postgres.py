"""What the PostgreSQL store promises beyond the protocol: durability, order, exclusion, words for trouble."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from postgres import Server, fresh_database, shared_server
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import DBAPIError

from flowrt.errors import (
    NotAStore,
    RunExists,
    RunOwned,
    StoreCorrupt,
    StoreTooNew,
    StoreUnavailable,
    UnknownRun,
)
from flowrt.store import sql_events
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewEvent, Park, WaitRow
from flowrt.store.sql_turns import Turn, take_turn
from stores import LATER, another_machine, batch, data, ended_run, new_run, owned_run

ME = this_owner()


@pytest.fixture
def url():
    return fresh_database()


@pytest.fixture
def opened(url):
    """Opens stores on the same database."""
    made = []

    def one_more():
        store, _ = open_store(url, "memory:")
        made.append(store)
        return store

    yield one_more
    for store in made:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


def later(work):
    """Do something in a thread; what it waits for can be seen."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


def still_waits(future):
    time.sleep(0.3)
    return not future.done()


# Order and exclusion


def test_an_event_becomes_visible_after_all_that_have_smaller_numbers(store, opened):
    other = opened()
    with store._engine.begin() as connection:
        [first] = sql_events.accept_all(connection, [NewEvent("e", None, b"slow", 1)])
        quick = later(lambda: other.send(NewEvent("e", None, b"quick", 1)))
        assert still_waits(quick)
        assert other.news([], 0).last_event_id == 0
    assert quick.result(9) == first + 1
    assert [row.payload for row in other.events("e", None, "r1", 0, 9)] == [b"slow", b"quick"]


def test_a_parking_and_an_event_cannot_miss_each_other(store, opened):
    other = opened()
    epoch = owned_run(store, served=True)
    park = batch("r1", epoch, 1, b"x", park=Park(None, [WaitRow("e", None, 0)]))
    # The event first, not committed.
    with other._engine.begin() as connection:
        sql_events.accept_all(connection, [NewEvent("e", None, b"", 1)])
        parking = later(lambda: store.append([park]))
        assert still_waits(parking)
    assert parking.result(9) == frozenset()
    assert store.run("r1").wake_at == 0
    # The parking first, not committed.
    [row] = store.claim_due(ME, 0, LATER, 1)
    number = store.news([], 0).last_event_id
    again = batch("r1", row.epoch, 2, b"y", park=Park(None, [WaitRow("e", None, number)]))
    hold, held = threading.Event(), threading.Event()

    def slow(_):
        held.set()
        hold.wait(9)

    sqlalchemy_event.listen(store._engine, "commit", slow)
    parking = later(lambda: store.append([again]))
    assert held.wait(9)
    sending = later(lambda: other.send(NewEvent("e", None, b"", 2)))
    assert still_waits(sending)
    hold.set()
    assert (parking.result(9), sending.result(9)) == (frozenset(), number + 1)
    sqlalchemy_event.remove(store._engine, "commit", slow)
    assert store.run("r1").wake_at == 0


def test_parkings_do_not_wait_for_each_other(store, opened):
    other = opened()
    epoch = owned_run(store, served=True)
    with other._engine.begin() as connection:
        take_turn(connection, Turn.EVENTS, shared=True)
        park = Park(None, [WaitRow("e", None, 0)])
        assert later(lambda: store.append([batch("r1", epoch, 1, b"x", park=park)])).result(9) == frozenset()


def test_engines_that_ask_at_once_get_different_runs(store, opened):
    for n in range(40):
        store.create(new_run(f"r{n}", served=True))
    stores = [store, opened(), opened()]
    start = threading.Barrier(3)

    def take(one):
        start.wait()
        taken = []
        while rows := one.claim_due(this_owner(), 5, LATER, 3):
            taken += [row.run_id for row in rows]
        return taken

    with ThreadPoolExecutor(3) as pool:
        taken = [run_id for ids in pool.map(take, stores) for run_id in ids]
    assert sorted(taken) == sorted(f"r{n}" for n in range(40))


def test_due_runs_that_another_engine_is_just_taking_are_left_out(store, opened):
    for run_id in ("r1", "r2"):
        store.create(new_run(run_id, served=True))
    other = opened()
    with store._engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1 FROM flowc.runs WHERE run_id = 'r1' FOR UPDATE")
        assert [row.run_id for row in other.claim_due(ME, 9, LATER, 9)] == ["r2"]


def test_of_connections_that_claim_at_once_one_wins(store, opened):
    stores = [store, opened(), opened()]
    for n in range(15):
        store.create(new_run(f"r{n}"))
        start = threading.Barrier(3)

        def claim(one, n=n, start=start):
            start.wait()
            try:
                return one.claim(f"r{n}", this_owner(), 0, LATER)
            except RunOwned:
                return "owned"

        with ThreadPoolExecutor(3) as pool:
            assert sorted(map(str, pool.map(claim, stores))) == ["1", "owned", "owned"]


def test_of_connections_that_create_at_once_one_does(store, opened):
    stores = [store, opened(), opened()]
    start = threading.Barrier(3)

    def create(one):
        start.wait()
        try:
            one.create(new_run(program_digest="q" * 64))
        except RunExists:
            return "exists"
        return "created"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(create, stores)) == ["created", "exists", "exists"]


def test_a_dedupe_id_that_is_sent_at_once_is_accepted_once(store, opened):
    stores = [store, opened(), opened()]
    with ThreadPoolExecutor(3) as pool:
        sent = [
            pool.submit(stores[n % 3].send, NewEvent("e", None, b"", 1, dedupe=str(n // 3)))
            for n in range(30)
        ]
    assert len({one.result() for one in sent}) == 10
    assert len(store.all_events(0, 99)) == 10


def test_an_event_to_a_run_that_is_just_deleted_is_refused_or_gone(store, opened):
    ended_run(store)
    other = opened()
    with store._engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1 FROM flowc.runs WHERE run_id = 'r1' FOR UPDATE")
        sending = later(lambda: other.send(NewEvent("e", None, b"", 1, run_id="r1")))
        assert still_waits(sending)
        connection.exec_driver_sql("DELETE FROM flowc.records")
        connection.exec_driver_sql("DELETE FROM flowc.runs")
    with pytest.raises(UnknownRun, match="r1"):
        sending.result(9)
    assert other.all_events(0, 9) == []


def test_a_sweep_does_not_take_the_program_of_a_run_that_is_just_made(store, opened):
    ended_run(store, "r1")
    store.delete("r1")
    other = opened()
    with store._engine.begin() as connection:
        take_turn(connection, Turn.PROGRAMS, shared=True)  # As whoever makes a run has it.
        sweeping = later(lambda: other.sweep(0))
        assert still_waits(sweeping)
        connection.exec_driver_sql(
            "INSERT INTO flowc.runs (run_id, flow, status, program_digest, inputs_digest, labels, versions,"
            " python_path, created_at, head, epoch, lease_until)"
            f" VALUES ('r2', 'f', 'pending', '{'p' * 64}', 'i', '', '', '', 1, 1, 0, 0)"
        )
    assert sweeping.result(9).programs == 0
    assert store.program("p" * 64) == b"program"


def test_a_transaction_that_is_given_up_for_another_is_made_again(store):
    epochs = [owned_run(store, run_id) for run_id in ("r1", "r2")]
    held = threading.Event()

    def cross():
        with store._engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10s'")
            connection.exec_driver_sql("SELECT 1 FROM flowc.runs WHERE run_id = 'r2' FOR UPDATE")
            held.set()
            time.sleep(0.5)
            connection.exec_driver_sql("SELECT 1 FROM flowc.runs WHERE run_id = 'r1' FOR UPDATE")

    crossing = later(cross)
    held.wait(9)
    batches = [batch("r1", epochs[0], 1, b"a"), batch("r2", epochs[1], 1, b"b")]
    assert store.append(batches) == frozenset()
    crossing.result(20)
    assert (data(store, "r1"), data(store, "r2")) == ([b"started", b"a"], [b"started", b"b"])


def test_stores_that_are_made_at_once_are_one():
    url = shared_server().database()
    start = threading.Barrier(3)

    def make(_):
        start.wait()
        return open_store(url, "memory:")[0]

    with ThreadPoolExecutor(3) as pool:
        stores = list(pool.map(make, range(3)))
    stores[0].create(new_run())
    assert [store.run("r1").head for store in stores] == [1, 1, 1]
    for store in stores:
        store.close()


# Trouble


def test_a_broken_connection_is_said_and_the_next_call_has_another(url, store):
    epoch = owned_run(store)
    with psycopg.connect(url, autocommit=True) as other:

        def end_all(_):
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            other.execute(f"{others} AND datname = current_database()")

        sqlalchemy_event.listen(store._engine, "commit", end_all)
        with pytest.raises(StoreUnavailable, match="append to journals"):
            store.append([batch("r1", epoch, 1, b"a")])
        sqlalchemy_event.remove(store._engine, "commit", end_all)
    assert store.append([batch("r1", epoch, 1, b"a")]) == frozenset()
    assert data(store) == [b"started", b"a"]


@pytest.mark.slow
def test_a_server_that_crashes_and_comes_back_has_kept_all():
    with Server() as server:
        store, _ = open_store(server.database(), "memory:")
        epoch = owned_run(store)
        for seq in range(1, 20):
            store.append([batch("r1", epoch, seq, b"%d" % seq)])
        server.kill()
        with pytest.raises(StoreUnavailable, match=r"cannot be reached|starting or stopping"):
            store.run("r1")
        server.start()
        assert data(store)[1:] == [b"%d" % seq for seq in range(1, 20)]
        assert store.append([batch("r1", epoch, 20, b"more")]) == frozenset()
        store.close()


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("ALTER DATABASE {db} SET synchronous_commit = off", "synchronous_commit is off"),
        ("ALTER DATABASE {db} SET default_transaction_read_only = on", "read-only"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_in_words(url, statement, match):
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(shared_server().admin_url, autocommit=True) as admin:
        admin.execute(statement.format(db=name))
    with pytest.raises(StoreUnavailable, match=match), closing(open_store(url, "memory:")[0]) as store:
        store.create(new_run())


def test_durability_can_be_asked_for_in_the_url(url):
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(shared_server().admin_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    open_store(f"{url}&options=-c%20synchronous_commit%3Don", "memory:")[0].close()


@pytest.mark.parametrize(
    ("statement", "error", "match"),
    [
        ("UPDATE flowc.meta SET value = '4'", StoreTooNew, "version 4"),
        ("DELETE FROM flowc.meta", NotAStore, "names no version"),
        ("DROP TABLE flowc.meta", NotAStore, "holds other tables"),
    ],
)
def test_another_store_is_refused(url, statement, error, match):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
    with pytest.raises(error, match=match):
        open_store(url, "memory:")


def test_tables_that_are_not_there_are_damage(url, store):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE flowc.waits")
    store.create(new_run())
    with pytest.raises(StoreCorrupt, match="not as flowc has made them"):
        store.claim("r1", ME, 0, LATER)


def test_a_store_that_is_not_there_is_made_only_when_it_may_be():
    url = shared_server().database()
    with pytest.raises(StoreUnavailable, match="There is no store at"):
        open_store(url, "memory:", create=False)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regnamespace('flowc')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/db", "cannot be reached"),
        ("postgresql://u@127.0.0.1:1/db?password=s3cret", "cannot be reached"),
        ("postgresql://u:s3cret@127.0.0.1:port/db", "cannot be read"),
        ("postgresql://u:s3cret@127.0.0.1:1/db?nonsense=1", "nonsense"),
    ],
)
def test_a_password_is_never_shown(url, match):
    with pytest.raises(StoreUnavailable, match=match) as caught:
        open_store(url, "memory:")
    assert "s3cret" not in str(caught.value)


def test_a_user_without_rights_is_told_what_to_ask_for(url):
    server = shared_server()
    empty = server.database()
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'guest'").fetchone():
            admin.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(StoreUnavailable, match="GRANT CREATE ON DATABASE"):
        open_store(empty.replace("postgres:@", "guest@"), "memory:")
    with pytest.raises(StoreUnavailable, match="no such database"):
        open_store(url.partition("/flows")[0] + "/nowhere?" + url.partition("?")[2], "memory:")


def test_a_database_needs_a_place_for_values(url):
    with pytest.raises(StoreUnavailable, match="--blobs or FLOWC_BLOBS"):
        open_store(url)


def test_a_process_that_was_stopped_holding_a_lock_does_not_stop_the_others(url, store, monkeypatch):
    assert {
        name: psycopg_setting(store, name)
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    } == {"statement_timeout": "1min", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "5s"}
    monkeypatch.setattr("flowrt.store.postgres._LIMITS", "-c idle_in_transaction_session_timeout=300")
    stopped, _ = open_store(url, "memory:")
    connection = stopped._engine.connect()
    take_turn(connection, Turn.EVENTS)
    assert later(lambda: store.send(NewEvent("e", None, b"", 1))).result(9) == 1
    with pytest.raises(DBAPIError, match=r"idle-in-transaction|closed"):
        connection.exec_driver_sql("SELECT 1")
    connection.close()
    stopped.close()


def psycopg_setting(store, name):
    with store._engine.begin() as connection:
        return connection.exec_driver_sql(f"SHOW {name}").scalar()


def test_a_run_of_another_machine_is_passed_over_only_after_its_lease(store):
    store.create(new_run())
    store.claim("r1", another_machine(), 0, LATER)
    with pytest.raises(RunOwned):
        store.claim("r1", ME, LATER - 1, 2 * LATER)
    assert store.claim("r1", ME, LATER, 2 * LATER) == 2
