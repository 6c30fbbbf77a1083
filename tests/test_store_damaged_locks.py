"""A damaged place in a queue for a lock, or a damaged holder: that run is laid aside, the others go on."""

from collections.abc import Iterator

import pytest
from served_stories import begin, go_on, served
from sqlalchemy import text
from stories import NOON, HoldingExecutor, InlineExecutor

from flowrt.engine.terminating import terminate
from flowrt.errors import StoreCorrupt
from flowrt.store.owner import this_owner
from flowrt.store.rows import LockRequest
from stores import LATER, another_machine, batch, new_run, owned_run, store_of

LOCKED = """
flow: f
steps:
  - lock: gpu
    do:
      - {id: a, call: "s.add(1, 2)"}
      - sleep: 1m
      - {id: b, call: "s.add(a, 2)"}
  - return: 1
"""

BESIDE = """
flow: f
steps:
  - graph:
      held: s.add(1, 1)
      locked: {lock: gpu, do: [{sleep: 1m}]}
  - return: 1
"""
"""A run that cannot be let go while it waits: something of it is being made."""


class Holding(HoldingExecutor):
    """What stands beside locks is made when half of the minutes are over."""

    def turned(self, now: int) -> None:
        if now > NOON + 100_000_000:
            while self.held:
                self.let_go(next(iter(self.held)).step)


@pytest.fixture
def store(tmp_path) -> Iterator:
    opened = store_of("sqlite", tmp_path)
    yield opened
    opened.close()


def change(store, statement: str) -> None:
    with store._engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1


def ask(store, run_id: str, epoch: int, *names: str, limit: int = 1) -> None:
    head = store.run(run_id).head
    asked = [LockRequest(name, name, limit) for name in names]
    assert not store.append([batch(run_id, epoch, head, b"asks", locks=asked)])


def status_of(store) -> dict[str, str]:
    with store._engine.begin() as connection:
        return {row.run_id: row.status for row in connection.execute(text("SELECT run_id, status FROM runs"))}


@pytest.mark.parametrize("flow", [LOCKED, BESIDE], ids=["alone", "beside"])
def test_a_server_goes_on_when_a_place_is_damaged(store, flow: str):
    executor = InlineExecutor() if flow is LOCKED else Holding()
    story = served(flow, store=store, executor=executor)
    for number in range(1, 6):
        begin(story, f"r{number}")
    damaged: list[str] = []

    def look(now: int) -> None:
        if isinstance(executor, Holding):
            executor.turned(now)
        with store._engine.begin() as connection:
            if now > NOON + 20_000_000 and not damaged:
                query = "SELECT run_id FROM locks JOIN runs USING (run_no) WHERE ticket = 4 AND NOT granted"
                damaged.append(connection.execute(text(query)).scalar_one())
                connection.execute(text("UPDATE locks SET held_max = 9 WHERE ticket = 4"))

    open_ = {"pending", "running", "waiting"}
    go_on(story, look=look, done=lambda: not open_ & set(status_of(store).values()))
    assert {run_id for run_id, status in status_of(store).items() if status != "succeeded"} == set(damaged)
    assert "queue for a lock" in store.run(damaged[0]).problem
    assert store.all_locks(0, 9) == []


def test_a_place_that_is_damaged_is_not_taken_for_sound_when_its_lock_comes(store):
    first = owned_run(store, "r1")
    ask(store, "r1", first, "gpu")
    ask(store, "r2", owned_run(store, "r2"), "gpu")
    change(store, "UPDATE locks SET held_max = 9 WHERE NOT granted")
    store.append([batch("r1", first, 2, b"gives", unlocks=["gpu"])])
    with pytest.raises(StoreCorrupt, match="queue for a lock"):
        store.locks_of(["r2"])


def test_a_holder_whose_row_is_damaged_keeps_nobody_from_taking_what_others_left(store):
    for run_id in ("r1", "r2"):
        store.create(new_run(run_id))
        ask(store, run_id, store.claim(run_id, another_machine(), 0, LATER), run_id)
    ask(store, "r3", owned_run(store, "r3"), "r1", "r2")
    change(store, "UPDATE runs SET lease_until = 3 WHERE run_id = 'r1'")
    assert store.free_locks(LATER) == 1
    assert [(row.name, row.granted) for row in store.locks_of(["r3"])] == [("r1", False), ("r2", True)]


def test_who_asks_is_not_refused_because_another_place_is_damaged(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    ask(store, "r1", first, "a")
    ask(store, "r2", second, "b")
    change(store, "UPDATE locks SET held_max = 9 WHERE name = 'a'")
    ask(store, "r2", second, "a")
    [_, mine] = store.locks_of(["r2"])
    assert (mine.granted, mine.problem) == (False, None)


def test_a_run_whose_place_is_damaged_can_be_terminated(store):
    store.create(new_run("r1"))
    ask(store, "r1", store.claim("r1", this_owner(), 0, LATER), "a", "b")
    change(store, "UPDATE locks SET held_max = 9 WHERE name = 'a'")
    terminate(store, "r1", "enough")
    assert store.run("r1").status == "cancelled"
    assert store.all_locks(0, 9) == []
