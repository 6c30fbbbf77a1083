"""The flows of the workflow patterns that events of the outside move on."""

from datetime import UTC, datetime, timedelta

import pytest
from served_patterns import served


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patterns")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTS", str(folder / "acts.log"))
        found = served(folder)
        yield found
        found.close()


def test_23_transient_trigger(house):
    played = house.begin(23)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    played.send("alarm", {"what": "the old one", "sent_at": long_ago})
    played.send("ready")
    played.has_done("listen")
    played.send("alarm", {"what": "the new one", "sent_at": datetime.now(UTC)})
    assert played.succeeded().log == ["listen", "heard the new one"]


def test_24_persistent_trigger(house):
    played = house.begin(24)
    played.send("parcel", "a lamp")
    played.send("ready")
    assert played.succeeded().log == ["unpack a lamp"]


def test_25_cancel_region(house):
    begun = ["light the grill", "put up the net"]
    played = house.begin(25).has_done(*begun)
    played.send("rain")
    played.send("evening")
    assert sorted(played.succeeded().log) == [*begun[:1], "make the beds", *begun[1:]]


def test_26_cancel_instances(house):
    played = house.begin(26)
    played.send("go", to="2")
    played.has_done("copy 2")
    played.send("stop")
    assert played.succeeded().log == ["copy 2", "go home"]


def test_27_complete_instances(house):
    """What the ended instances gave is used, and the others never end."""
    played = house.begin(27)
    played.send("go", to="3")
    played.has_done("copy 3", "hand over 3")
    played.send("go", to="1")
    played.has_done("copy 3", "hand over 3", "copy 1", "hand over 1")
    played.send("deadline")
    assert played.succeeded().log[-1] == "bind copy 3 and copy 1"
    assert len(played.log) == 5


def test_33_generalized_and_join(house):
    """Two frames come before any wheel: the second is kept for the second bike."""
    played = house.begin(33, bikes=2)
    for event, what in [("frame", "f1"), ("frame", "f2"), ("wheel", "w1")]:
        played.send(event, what)
    played.has_done("bike of f1 and w1")
    played.send("wheel", "w2")
    assert played.succeeded().log == ["bike of f1 and w1", "bike of f2 and w2"]


def test_34_static_partial_join_for_instances(house):
    """Two are enough to go on, and the other two run to their end."""
    played = house.begin(34)
    for name in ("cyd", "ann"):
        played.send("vote", to=name)
    played.has_done("ann votes", "cyd votes", "go on")
    for name in ("dan", "bob"):
        played.send("vote", to=name)
    log = played.succeeded().log
    assert log[2] == "go on"
    assert sorted(log[3:]) == ["bob votes", "dan votes"]


def test_35_cancelling_partial_join_for_instances(house):
    played = house.begin(35)
    for name in ("dan", "bob"):
        played.send("vote", to=name)
    *two, last = played.succeeded().log
    assert sorted(two) == ["bob votes", "dan votes"]
    assert last == "2 votes"


def test_36_dynamic_partial_join_for_instances(house):
    """The third is asked while the first has answered already; who is asked too late answers all the same."""
    played = house.begin(36)
    for name in ("ann", "bob"):
        played.send("member", name)
    played.has_done("ask ann", "ask bob")
    played.send("pledge", 60, to="ann")
    done = ["ask ann", "ask bob", "ann gives 60"]
    played.has_done(*done)
    played.send("member", "cyd")
    played.has_done(*done, "ask cyd")
    played.send("pledge", 50, to="cyd")
    assert played.succeeded().log[-1] == "build for 110"
    played.send("pledge", 1, to="bob")
    played.has_done(*done, "ask cyd", "cyd gives 50", "build for 110", "bob gives 1")


def acts(played):
    """What was done, in order; what was under way when its server ended may have been done twice."""
    return list(dict.fromkeys(played.log))


def another_server(house):
    house.close()
    house.open()


def test_servers_come_and_go_between_the_events(house):
    """Each event finds another server than the one before it; the runs do not notice."""
    bikes, site = house.begin(33, bikes=2), house.begin(15).has_done("arrive at first")
    for event, what in [("frame", "f1"), ("wheel", "w1"), ("wheel", "w2"), ("frame", "f2")]:
        bikes.send(event, what)
        another_server(house)
    site.send("found", "second")
    site.has_done("arrive at first", "arrive at second")
    another_server(house)
    site.send("found", None)
    site.send("left", to="second")
    another_server(house)
    site.send("left", to="first")
    assert acts(bikes.succeeded()) == ["bike of f1 and w1", "bike of f2 and w2"]
    assert acts(site.succeeded())[-1] == "report"
    assert len(acts(site)) == 5
