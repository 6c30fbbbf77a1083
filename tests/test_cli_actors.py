"""`flowc actors`: what there is, what it holds, and how it goes."""

import json

import pytest

from flowc.cli.main import main
from flowrt.store.open import open_store
from flowrt.store.rows import LockRequest
from stores import batch, owned_run

KNOT = """\
class Knot:
    def __init__(self):
        self.n, self.me = 0, self

    def count(self):
        self.n += 1
"""

FLOW = """\
flowc: 1
use: {b: bank}
actors: {account: b.Account}
flow: paid
inputs: {user: str, amount: int}
steps:
  - id: left
    call: account(user).deposit(amount)
  - return: left
"""

BANK = """\
class Account:
    def __init__(self, owner):
        self.owner, self.amount, self.notes = owner, 0, ("opened",)

    def deposit(self, amount):
        self.amount += amount
        return self.amount
"""


@pytest.fixture
def flowc(tmp_path, monkeypatch, capsys):
    """Call a command in a folder with a flow; returns the code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("FLOWC_STORE", "FLOWC_BLOBS", "FLOWC_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "x.flow.yaml").write_text(FLOW)
    (tmp_path / "bank.py").write_text(BANK)

    def call(*argv):
        capsys.readouterr()
        code = main(list(argv))
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_actors_are_listed_shown_and_removed(flowc):
    assert flowc("actors")[0] == 2  # There is no store.
    for number, user in enumerate(("ann", "bob", "ann")):
        words = ("-i", f"user={user}", "-i", "amount=5", "--id", f"r{number}", "--executor", "local")
        assert flowc("run", "x.flow.yaml", *words)[0] == 0
    code, out, _ = flowc("actors")
    head, *rows = out.splitlines()
    assert (code, head.split()) == (0, ["ACTOR", "VERSION", "BYTES", "CHANGED", "BY"])
    assert [row.split()[0] for row in rows] == ["bank:Account(ann)", "bank:Account(bob)"]
    told = json.loads(flowc("actors", "--json")[1])
    assert told[0].items() >= {"class": "bank:Account", "key": "ann", "version": 2, "run": "r2"}.items()
    state = json.loads(flowc("actors", "bank:Account(ann)")[1])
    assert state == {"owner": "ann", "amount": 10, "notes": ["opened"]}
    assert flowc("actors", "--remove", "bank:Account(ann)") == (0, "", "actor bank:Account(ann) removed\n")
    code, _, err = flowc("actors", "--remove", "bank:Account(ann)")
    assert (code, "There is no actor bank:Account(ann)" in err) == (2, True)
    assert flowc("actors", "bank:Account(ann)")[0] == 2
    assert [row.split()[0] for row in flowc("actors")[1].splitlines()[1:]] == ["bank:Account(bob)"]


def test_an_object_that_is_kept_whole_is_shown_by_its_attributes(flowc, tmp_path):
    (tmp_path / "knots.py").write_text(KNOT)
    calls = 'flowc: 1\nactors: {knot: "knots:Knot"}\nflow: k\nsteps: [{call: knot("a\'b").count()}]\n'
    (tmp_path / "k.flow.yaml").write_text(calls)
    assert flowc("run", "k.flow.yaml", "--executor", "local")[0] == 0
    state = json.loads(flowc("actors", "knots:Knot(a'b)")[1])
    assert state["n"] == 1


def test_an_actor_that_is_called_is_not_removed(flowc, tmp_path):
    store, _ = open_store(str(tmp_path / ".flowc"))
    assert flowc("actors")[2] == "The store has no actors.\n"
    epoch = owned_run(store)
    asked = [LockRequest("s", "bank:Account(ann)", 1)]
    store.append([batch("r1", epoch, 1, b"asks", locks=asked)])
    store.close()
    code, _, err = flowc("actors", "--remove", "bank:Account(ann)")
    assert (code, "is being called by run r1" in err, "flowc cancel r1" in err) == (2, True, True)


def test_removing_needs_a_name(flowc):
    code, _, err = flowc("actors", "--remove")
    assert (code, "needs the name of an actor" in err) == (2, True)
