"""The fragments of the reference run; behind each record they are cut and go on, or are cancelled."""

import sys
from datetime import UTC, datetime
from types import ModuleType

import pytest
from reference import PAGES, PAIR, understood, whole_files
from stories import Story, copy_first

import flowrt
from flowc.lower.file import lower_linked
from flowrt.encoding.values import Values
from flowrt.record import Begun, Detached, Emitted, Succeeded
from flowrt.store.rows import NewEvent

GIVEN = {
    "n": 25,
    "items": [{"name": "lamp", "price": 3, "count": 2}, {"name": "rug", "price": 5, "count": 0}],
    "kind": "dvd",
    "order": {
        "id": "A1",
        "hash": "h",
        "cents": 1200,
        "total": 10,
        "due": datetime(2026, 1, 1, tzinfo=UTC),
        "kind": "toy",
    },
}
APPROVAL = {"approved": True, "amount": 11}
FRAGMENTS = [
    pytest.param(yaml, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (yaml, _) in enumerate(PAIR.findall(page.read_text()))
    if not yaml.startswith(("flowc: 1", "# "))
]


class Busy(OSError):
    pass


class Rejected(Exception):
    pass


def rows(*_, **__):
    """What any task gives that has no better answer."""
    return [1, 2]


class Arrival(flowrt.EventListener):
    async def poll_for_event(self, path):
        return f"the text of {path}"

    async def event_checkpointed(self, event):
        assert event == "the text of orders.csv"


class Account:
    """An actor's class."""

    def __init__(self, owner):
        self.owner, self.amount = owner, 100

    def deposit(self, amount):
        self.amount += amount
        return self.amount

    def withdraw(self, amount):
        return self.deposit(-amount)

    def balance(self):
        return self.amount


class Shop(ModuleType):
    """A module that has every task."""

    Busy, Fatal, Rejected, Arrival, Account = Busy, Busy, Rejected, Arrival, Account

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return {"next": lambda n: n - 1, "is_ready": lambda _: True}.get(name, rows)


@pytest.fixture(autouse=True)
def shop(monkeypatch):
    for name in ("shop", "shop.tasks", "shop.other", "feeds"):
        monkeypatch.setitem(sys.modules, name, Shop(name))
    monkeypatch.setenv("API_KEY", "not a secret")


def program_of(yaml):
    """The program of a fragment."""
    return lower_linked(understood(whole_files(yaml, "")[0]), "page")


def begun_story(program):
    """A run that is to be driven, and the event that somebody has sent."""
    story = Story(program)
    story.start(GIVEN)
    payload = Values(story.blobs).encode(APPROVAL)
    event = NewEvent(name="approval", key="A1", payload=payload, at=story.clock.now())
    story.store.send(event)
    return story, event


def ended(story, result):
    """How a run has ended, as data."""
    if result.status == "succeeded":
        return Values(story.blobs).load(result.value)
    return (result.status, result.failure.type, result.failure.message)


def cut(whole, event, count):
    """The run as it would go on had its machine died behind a record."""
    records = whole.records()[:count]
    sent = {each.dedupe.partition("/")[2]: each for each in whole.store.sent}
    emitted = [sent[each.step] for each in records if isinstance(each, Emitted)]
    begun = {each.run_id for each in records if isinstance(each, Detached)}
    started = [run for run in whole.store.started if run.run_id in begun]
    return copy_first(whole, count, [event, *emitted], started)


@pytest.mark.parametrize("yaml", FRAGMENTS)
def test_a_fragment_runs_and_goes_on_behind_every_record(yaml):
    whole, event = begun_story(program_of(yaml))
    expected = ended(whole, whole.drive())
    records = whole.records()
    assert isinstance(expected, tuple) == yaml.startswith("- fail:"), expected
    for count in range(1, len(records)):
        other = cut(whole, event, count)
        done = {each.step for each in records[:count] if isinstance(each, Succeeded)}
        begun = {each.step for each in records[:count] if isinstance(each, Begun)}
        told = ended(other, other.drive())
        if begun - done:
            assert told[:2] == ("failed", "flowrt.OutcomeUnknown")
        else:
            assert told == expected, f"after {count} of {len(records)} records"
        assert not {key.step for key in other.executor.made} & done


@pytest.mark.parametrize("yaml", FRAGMENTS)
def test_a_fragment_is_cancelled_behind_every_record(yaml):
    """From then on nothing is called but what takes steps back, and what a `finally` holds."""
    whole, event = begun_story(program_of(yaml))
    whole.drive()
    records = whole.records()
    for count in range(1, len(records) - 1):  # Behind the last but one all that is missing is the end.
        other = cut(whole, event, count)
        other.store.request_cancel("story", "")
        unknown = isinstance(records[count - 1], Begun)
        assert other.drive().status == ("failed" if unknown else "cancelled")
        for key in other.executor.made:
            assert key.step.endswith(".undo") or ".finally." in key.step, (count, key.step)
