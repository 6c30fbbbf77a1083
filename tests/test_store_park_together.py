"""One transaction lets go of runs that wait and of runs that have ended, asked of each store."""

import pytest

from flowrt.store.rows import Park, WaitRow
from stores import KINDS, batch, owned_run, store_of


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def test_a_run_that_waits_is_let_go_together_with_one_that_has_ended(store):
    epochs = {run_id: owned_run(store, run_id, served=True) for run_id in ("waits", "ends")}
    waiting = Park(None, [WaitRow("go", None, 0)])
    lost = store.append(
        [
            batch("waits", epochs["waits"], 1, b"x", status="waiting", park=waiting),
            batch("ends", epochs["ends"], 1, b"y", status="succeeded", ended_at=1, park=Park()),
        ]
    )
    assert lost == frozenset()
    assert [store.run(run_id).status for run_id in ("waits", "ends")] == ["waiting", "succeeded"]
    assert [store.run(run_id).owner for run_id in ("waits", "ends")] == [None, None]
    assert store.run("ends").wake_at is None
