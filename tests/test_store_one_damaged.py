"""A run whose rows are damaged while a server works on it: it is laid aside, and the others end well."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest
from served_stories import begin, go_on, served
from sqlalchemy import Row, text
from stories import InlineExecutor

from flowrt.executor.port import Attempt
from flowrt.store.port import Store
from stores import store_of

CHAIN = """
flow: f
steps:
  - {id: a, call: "s.add(1, 2)"}
  - {id: b, call: "s.add(a, 2)"}
  - {id: c, call: "s.add(b, 2)"}
  - return: c
"""

DAMAGES = {
    "its head is lost": "UPDATE {f}runs SET head = head + 7 WHERE run_id = 'r7'",
    "a record stands where none was written": (
        "INSERT INTO {f}records (run_no, seq, epoch, checksum, data) SELECT run_no, head, epoch, 0, data "
        "FROM (SELECT runs.run_no, head, runs.epoch, data FROM {f}runs AS runs JOIN {f}records AS records "
        "ON records.run_no = runs.run_no AND seq = 0 WHERE run_id = 'r7') AS found"
    ),
}


@dataclass
class Damages(InlineExecutor):
    """Damages the rows of a run when its second step is to be made."""

    store: object = None
    damage: str = ""
    done: bool = False

    def submit(self, attempts: Sequence[Attempt]) -> None:
        if not self.done and any((one.key.run_id, one.key.step) == ("r7", "b") for one in attempts):
            with self.store._engine.begin() as connection:
                assert connection.execute(text(self.damage)).rowcount == 1
            self.done = True
        super().submit(attempts)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nineteen_of_twenty_runs_end_well(kind: str, damage: str, tmp_path) -> None:
    with closing(store_of(kind, tmp_path)) as store:
        _nineteen_end_well(store, kind, damage)


def _nineteen_end_well(store: Store, kind: str, damage: str) -> None:
    told = "r7 is damaged" if "head" in damage else "to append to journals"
    schema = "flowc." if kind == "postgres" else ""
    executor = Damages(store=store, damage=DAMAGES[damage].format(f=schema))
    story = served(CHAIN, store=store, executor=executor)
    for number in range(1, 20):
        begin(story, f"r{number}")
    rows: dict[str, Row] = {}

    def over() -> bool:
        with store._engine.begin() as connection:
            found = connection.execute(text(f"SELECT * FROM {schema}runs"))
            rows.update({row.run_id: row for row in found})
        return not {row.status for row in rows.values()} & {"pending", "running", "waiting"}

    go_on(story, done=over)
    assert executor.done
    assert [i for i, row in rows.items() if row.status != "succeeded"] == ["r7"]
    assert (rows["r7"].status, rows["r7"].owner, rows["r7"].wake_at) == ("suspended", None, None)
    assert told in rows["r7"].problem
