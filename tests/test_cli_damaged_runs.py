"""One damaged run does not keep the others from being seen and driven: `flowc list`, `flowc resume --all`."""

import json
import sqlite3

import pytest

from flowc.cli.main import main
from flowrt.errors import StoreCorrupt
from flowrt.listing import listed
from flowrt.store.open import open_store

FLOW = "flowc: 1\nflow: sums\ninputs: {n: int}\nsteps:\n  - return: n + 1\n"


@pytest.fixture
def flowc(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sums.flow.yaml").write_text(FLOW)

    def call(*argv):
        capfd.readouterr()
        code = main(list(argv))
        out, err = capfd.readouterr()
        return code, out, err

    for number, name in enumerate(("first", "second", "third")):
        run = ("run", "sums.flow.yaml", "-i", f"n={number}", "--id", name, "--quiet")
        assert call(*run, "--executor", "local")[0] == 0
    return call


def damage(folder, statement):
    connection = sqlite3.connect(folder / ".flowc" / "journal.db")
    assert connection.execute(statement).rowcount == 1
    connection.commit()
    connection.close()


ROW = "UPDATE runs SET flow = 'other' WHERE run_id = 'second'"


@pytest.mark.parametrize("column", ["flow = 'other'", "created_at = 5", "status = 'running'", "labels = '{'"])
def test_the_other_runs_are_listed_and_the_damaged_one_is_named(flowc, tmp_path, column):
    damage(tmp_path, f"UPDATE runs SET {column} WHERE run_id = 'second'")
    code, out, err = flowc("list")
    assert code == 2
    assert [line.split()[0] for line in out.splitlines()] == ["RUN", "third", "first"]
    assert "second" in err
    assert "flowc store check" in err
    code, out, err = flowc("list", "--json")
    assert (code, [each["run"] for each in json.loads(out)]) == (2, ["third", "first"])
    assert "second" in err


def test_a_run_whose_first_record_is_damaged_is_left_out_of_the_documents(flowc, tmp_path):
    damage(
        tmp_path,
        "UPDATE records SET data = x'00' WHERE seq = 1 AND run_no = (SELECT run_no FROM runs WHERE "
        "run_id = 'second')",
    )
    code, out, err = flowc("list", "--json")
    assert (code, [each["run"] for each in json.loads(out)]) == (2, ["third", "first"])
    assert "second" in err


def test_all_that_can_be_resumed_is_resumed(flowc, tmp_path):
    damage(tmp_path, ROW)
    store, _ = open_store(str(tmp_path / ".flowc"))
    row = store.run("first")
    store.close()
    assert row.status == "succeeded"
    code, out, err = flowc("resume", "--all", "--json")
    assert (code, out) == (2, "[]\n")
    assert "second" in err


def test_a_store_that_is_damaged_as_a_whole_is_told_as_one(flowc, tmp_path):
    file = tmp_path / ".flowc" / "journal.db"
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 4096 * 30)
    code, out, err = flowc("list")
    assert (code, out) == (2, "")
    assert err.count("error:") == 1


@pytest.mark.usefixtures("flowc")
def test_a_run_that_its_id_does_not_find_is_damaged(tmp_path):
    store, _ = open_store(str(tmp_path / ".flowc"))

    class Blind:
        """The store, whose index of ids has lost a run."""

        def __getattr__(self, name):
            return getattr(store, name)

        def runs(self, *_):
            raise StoreCorrupt("A row is damaged.")

        def run(self, run_id):
            return store.run("nobody" if run_id == "first" else run_id)

    found = listed(Blind(), None, None, None)
    store.close()
    assert [row.run_id for row, _ in found.rows] == ["third", "second"]
    assert [each.run_id for each in found.damaged] == ["first"]
