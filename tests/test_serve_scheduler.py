"""Schedules at work: which runs are made when, by one server or several, whatever fails."""

import logging
from datetime import datetime

import pytest
from served_flows import write_flows

from flowc.compile import compile_all
from flowrt.engine.drive import start
from flowrt.errors import StoreUnavailable
from flowrt.noun import replace
from flowrt.schedule import Cron, Every, Schedule, schedule_json
from flowrt.serve.deploy import deployment_of
from flowrt.serve.scheduler import Scheduler
from flowrt.store.open import open_store

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def us(text):
    return round(datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000


NOW = us("2026-03-01T12:00:00")


@pytest.fixture(scope="module")
def flows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flows")
    return {each.program.main: each for each in compile_all(write_flows(folder))}


class Place:
    """A store with one flow `pulse`, and schedulers on it."""

    def __init__(self, flows, url, schedule):
        self.store, self.blobs = open_store(url)
        self.flows = flows
        self.pulse = flows["pulse"]
        self.deploy(schedule)

    def deploy(self, schedule, now=NOW):
        made = deployment_of(self.pulse.program, python_path=[], snapshot=None, now=now)
        self.store.deploy(replace(made, schedule=schedule_json(schedule)))

    def scheduler(self, store=None):
        return Scheduler(store or self.store, self.blobs)

    def runs(self):
        return sorted(row.run_id.removeprefix("pulse-2026") for row in self.store.runs())


@pytest.fixture(params=["memory:", "sqlite"])
def place(request, tmp_path, flows):
    made = []

    def make(when, catchup="none"):
        url = request.param if request.param == "memory:" else str(tmp_path / "store")
        made.append(Place(flows, url, Schedule(when, catchup)))
        return made[-1]

    yield make
    for each in made:
        each.store.close()


def test_each_slot_makes_one_run_that_is_served(place):
    here = place(Cron("0 * * * *"))
    scheduler = here.scheduler()
    assert scheduler.tick(NOW) <= NOW + HOUR
    for now in range(NOW, NOW + 3 * HOUR + 1, 10 * MINUTE):
        scheduler.tick(now)
    assert here.runs() == ["0301T130000Z", "0301T140000Z", "0301T150000Z"]
    row = here.store.run("pulse-20260301T130000Z")
    assert (row.served, row.status, row.labels["slot"]) == (True, "pending", "2026-03-01T13:00:00Z")


def test_the_next_slot_is_told(place):
    scheduler = place(Every(1)).scheduler()
    assert scheduler.tick(NOW) == NOW + 1_000_000


def test_two_servers_make_each_run_once(place):
    here = place(Every(60))
    first, second = here.scheduler(), here.scheduler()
    for now in range(NOW, NOW + 10 * MINUTE + 1, 5_000_000):
        first.tick(now)
        second.tick(now + 3_000_000)
    assert len(here.runs()) == 10


def test_what_was_missed_is_left_out(place, caplog):
    here = place(Cron("0 * * * *"))
    with caplog.at_level(logging.WARNING, "flowrt.serve"):
        here.scheduler().tick(NOW + 5 * HOUR + 30 * MINUTE)
    assert here.runs() == []
    assert "from 2026-03-01T13:00:00Z to 2026-03-01T17:00:00Z were missed" in caplog.text
    here.scheduler().tick(NOW + 6 * HOUR + 5_000_000)
    assert here.runs() == ["0301T180000Z"]


def test_a_slot_that_has_just_come_is_not_missed(place):
    here = place(Cron("0 * * * *"))
    here.scheduler().tick(NOW + 5 * HOUR + 30_000_000)
    assert here.runs() == ["0301T170000Z"]


def test_the_newest_of_what_was_missed_is_made_up_for(place):
    here = place(Cron("0 * * * *"), "one")
    here.scheduler().tick(NOW + 5 * HOUR + 30 * MINUTE)
    assert here.runs() == ["0301T170000Z"]


def test_all_that_was_missed_is_made_up_for(place):
    here = place(Cron("0 * * * *"), "all")
    scheduler = here.scheduler()
    now = NOW + 50 * HOUR + 30 * MINUTE
    while (again := scheduler.tick(now)) <= now:
        pass
    assert again > now
    assert len(here.runs()) == 50


@pytest.mark.parametrize("catchup", ["none", "one", "all"])
def test_a_clock_that_jumps_ten_years_ahead_makes_no_million_runs(place, catchup, caplog, monkeypatch):
    monkeypatch.setattr("flowrt.serve.scheduler.MADE_UP_MAX", 60)
    here = place(Cron("* * * * *"), catchup)
    scheduler = here.scheduler()
    scheduler.tick(NOW)
    now = NOW + 3653 * DAY + 30_000_000
    with caplog.at_level(logging.WARNING, "flowrt.serve"):
        turns = 0
        while scheduler.tick(now) <= now and turns < 100:
            turns += 1
    assert len(here.runs()) == {"none": 1, "one": 1, "all": 60}[catchup]
    assert "were missed and are left out" in caplog.text


def test_a_clock_that_goes_back_repeats_nothing_and_deploying_again_sets_it_right(place, caplog):
    here = place(Every(60))
    here.scheduler().tick(NOW + 366 * DAY)
    made = here.runs()
    assert len(made) == 1
    scheduler = here.scheduler()
    with caplog.at_level(logging.WARNING, "flowrt.serve"):
        for now in range(NOW, NOW + 5 * MINUTE, MINUTE // 2):
            scheduler.tick(now)
    assert here.runs() == made
    assert "a clock was wrong" in caplog.text
    here.deploy(Schedule(Every(60)), NOW + 5 * MINUTE)
    here.scheduler().tick(NOW + 6 * MINUTE)
    assert len(here.runs()) == 2


def test_the_same_schedule_deployed_again_goes_on_where_it_was(place):
    here = place(Every(3600))
    here.scheduler().tick(NOW + HOUR)
    here.deploy(Schedule(Every(3600)), NOW + HOUR + 20 * MINUTE)
    here.scheduler().tick(NOW + 2 * HOUR)
    assert here.runs() == ["0301T130000Z", "0301T140000Z"]


def test_another_schedule_begins_when_it_is_deployed(place):
    here = place(Every(3600))
    here.deploy(Schedule(Every(60)), NOW + 3 * HOUR)
    here.scheduler().tick(NOW + 3 * HOUR + MINUTE)
    assert here.runs() == ["0301T150100Z"]


def test_a_flow_that_is_deployed_or_withdrawn_is_noticed(place):
    here = place(Every(60))
    scheduler = here.scheduler()
    here.store.undeploy("pulse")
    scheduler.tick(NOW + MINUTE)
    assert here.runs() == []
    here.deploy(Schedule(Every(60)), NOW + 2 * MINUTE)
    scheduler.tick(NOW + 3 * MINUTE)
    scheduler.tick(NOW + 3 * MINUTE + 5_000_000)
    assert here.runs() == ["0301T120300Z"]


class Shaky:
    """A store that fails, or dies, around one call of one of its methods."""

    def __init__(self, store, method, when):
        self._store, self._method, self._when = store, method, when
        self.hit = False

    def __getattr__(self, name):
        call = getattr(self._store, name)
        if name != self._method or self.hit:
            return call

        def shaken(*args, **kwargs):
            self.hit = True
            if self._when == "after":
                call(*args, **kwargs)
            raise StoreUnavailable("lost")

        return shaken


@pytest.mark.parametrize("catchup", ["none", "one", "all"])
@pytest.mark.parametrize("method", ["create", "move_cursor", "deployments", "program"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("other", [False, True])
def test_a_server_may_die_or_lose_its_store_between_any_two_statements(place, method, when, catchup, other):
    """The same server goes on, or another one does: each slot has its run, and has it once."""
    here = place(Every(60), catchup)
    shaky = Shaky(here.store, method, when)
    scheduler = here.scheduler(shaky)
    with pytest.raises(StoreUnavailable):
        scheduler.tick(NOW + MINUTE)
    assert shaky.hit
    following = here.scheduler() if other else scheduler
    following.tick(NOW + MINUTE + 1_000_000)
    following.tick(NOW + 2 * MINUTE + 3_000_000)
    assert here.runs() == ["0301T120100Z", "0301T120200Z"]


def test_a_schedule_that_cannot_be_used_is_told_once_and_harms_no_other(place, caplog):
    here = place(Every(60))
    made = deployment_of(here.pulse.program, python_path=[], snapshot=None, now=NOW)
    for name, text in (("zone", '{"cron": "0 9 * * *", "tz": "No/Where", "catchup": "none"}'), ("odd", "{}")):
        here.store.deploy(replace(made, name=name, schedule=text))
    scheduler = here.scheduler()
    with caplog.at_level(logging.ERROR, "flowrt.serve"):
        for minute in range(1, 4):
            scheduler.tick(NOW + minute * MINUTE)
    assert len(here.runs()) == 3
    assert caplog.text.count("zone is not run by its schedule") == 1
    assert caplog.text.count("odd is not run by its schedule") == 1


def test_a_run_of_that_id_that_is_another_one_is_left_alone(place, caplog):
    here = place(Every(60))
    start(
        here.store,
        here.blobs,
        here.flows["fails"].program,
        {},
        run_id="pulse-20260301T120100Z",
        labels={},
        python_path=[],
    )
    with caplog.at_level(logging.WARNING, "flowrt.serve"):
        scheduler = here.scheduler()
        scheduler.tick(NOW + MINUTE)
        scheduler.tick(NOW + 2 * MINUTE)
    assert here.runs() == ["0301T120100Z", "0301T120200Z"]
    assert here.store.run("pulse-20260301T120100Z").flow == "fails"
    assert "exists and is another one" in caplog.text
