"""The flows of the workflow patterns in `docs/patterns` run, and what they do is what the pattern says."""

import re

import pytest
from served_patterns import PATTERNS, served

PAGE = PATTERNS.parent / "patterns.md"
FILES = ("test_patterns.py", "test_patterns_events.py")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patterns")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTS", str(folder / "acts.log"))
        found = served(folder)
        yield found
        found.close()


def in_order(log, *what):
    """Whether these acts were done one after another, whatever else was."""
    at = [log.index(each) for each in what]
    return at == sorted(at)


def in_turn(log):
    """Whether each act that begins has ended when the next one begins; what was done."""
    begun, ended = log[::2], log[1::2]
    assert [each.replace("begin ", "end ") for each in begun] == ended
    return [each.removeprefix("begin ") for each in begun]


def test_01_sequence(house):
    assert house.play(1).log == ["pick", "pack", "ship"]


def test_02_parallel_split(house):
    """Each way waits for the other to have begun: one after another they would wait for ever."""
    [first, *rest] = house.play(2).log
    assert first == "order"
    assert sorted(rest) == ["bill", "pack"]


def test_03_synchronization(house):
    *both, last = house.play(3).log
    assert sorted(both) == ["bill", "pack"]
    assert last == "ship"


@pytest.mark.parametrize(
    ("kind", "way"), [("letter", "stamp"), ("box", "weigh"), ("bag", "weigh"), ("cow", "ask")]
)
def test_04_exclusive_choice(house, kind, way):
    assert house.play(4, kind=kind).log == [way]


@pytest.mark.parametrize(("cash", "way"), [(True, "count the money"), (False, "charge the card")])
def test_05_simple_merge(house, cash, way):
    assert house.play(5, cash=cash).log == [way, f"after {way}"]


@pytest.mark.parametrize("needs", [[], ["fire"], ["doctor", "police"], ["doctor", "fire", "police"]])
def test_06_multi_choice(house, needs):
    assert sorted(house.play(6, needs=needs).log) == needs


@pytest.mark.parametrize("needs", [[], ["police"], ["police", "fire"]])
def test_07_structured_synchronizing_merge(house, needs):
    *came, report = house.play(7, needs=needs).log
    assert sorted(came) == sorted(needs)
    assert report == "report of " + " and ".join(needs)


def test_08_multi_merge(house):
    log = house.play(8).log
    assert len(log) == 6
    for part in ("front", "back"):
        assert in_order(log, part, f"paint the {part}", f"dry the {part}")


def test_09_structured_discriminator(house):
    """The second way ends, and what is behind the discriminator is done once."""
    assert house.play(9).log == ["quick", "go on", "slow", "end"]


def test_10_arbitrary_cycles(house):
    played = house.play(10)
    assert played.value == "printed"
    assert played.log == ["edit 0", "review 0", "edit 1", "legal 1", "review 2", "legal 2"]


@pytest.mark.parametrize("gift", [True, False])
def test_11_implicit_termination(house, gift):
    assert sorted(house.play(11, gift=gift).log) == ["archive", "mail", *(["wrap"] if gift else [])]


def test_12_instances_without_synchronization(house):
    """The run has ended before any of the instances does anything."""
    played = house.play(12)
    assert played.log == ["all are started"]
    played.send("open")
    played.has_done("all are started", "invite 1", "invite 2", "invite 3")


def test_13_instances_known_at_design_time(house):
    *mounted, last = house.play(13).log
    assert sorted(mounted) == ["mount left", "mount right", "mount spare"]
    assert last == "drive"


@pytest.mark.parametrize("rooms", [1, 5])
def test_14_instances_known_at_run_time(house, rooms):
    *cleaned, last = house.play(14, rooms=rooms).log
    assert sorted(cleaned) == [f"clean room {n}" for n in range(rooms)]
    assert last == f"{rooms} rooms are clean"


def test_15_instances_not_known_before(house):
    played = house.begin(15).has_done("arrive at first")
    played.send("found", "second")
    played.has_done("arrive at first", "arrive at second")
    played.send("left", to="first")
    played.send("found", "third")
    arrived = [f"arrive at {site}" for site in ("first", "second", "third")]
    played.has_done(*arrived, "leave first")
    played.send("found", None)
    played.send("left", to="third")
    played.send("left", to="second")
    *_, last = played.succeeded().log
    assert last == "report"
    assert sorted(played.log) == [*arrived, "leave first", "leave second", "leave third", "report"]


@pytest.mark.parametrize(("event", "act"), [("called", "answer the phone"), ("wrote", "write back")])
def test_16_deferred_choice(house, event, act):
    played = house.begin(16)
    played.send(event)
    assert played.succeeded().log == [act, "file it"]


def test_17_interleaved_parallel_routing(house):
    done = in_turn(house.play(17).log)
    assert sorted(done) == ["coat", "dry", "read", "wash"]
    assert in_order(done, "wash", "coat")
    assert in_order(done, "wash", "dry")


def test_18_milestone(house):
    """A change that comes before the milestone waits for it; one that comes behind it finds nobody."""
    played = house.begin(18)
    played.send("change", "here")
    played.has_done("pay", "send to here")
    played.send("change", "there")
    played.has_done("pay", "send to here", "send to there")
    played.send("packed")
    played.succeeded()
    played.send("change", "nowhere")
    assert played.log == ["pay", "send to here", "send to there", "ship"]


def test_19_cancel_task(house):
    played = house.begin(19).has_done("begin")
    played.send("withdrawn")
    assert played.succeeded().value == "withdrawn"
    assert played.log == ["begin", "after it"]


def test_20_cancel_case(house):
    played = house.begin(20).has_done("book").cancel()
    assert played.ended("cancelled").log == ["book", "unbook"]


@pytest.mark.parametrize("bottles", [0, 2])
def test_21_structured_loop(house, bottles):
    played = house.play(21, bottles=bottles)
    opened = [f"open bottle {left}" for left in range(bottles, 0, -1)]
    assert played.log == [*opened, "refill bottle 0", "refill bottle 1"]
    assert played.value == 2


def test_22_recursion(house):
    played = house.play(22, pages=[1, 2, 3, 4, 5])
    assert played.value == 15
    assert sorted(played.log) == [f"read {page}" for page in range(1, 6)]


def test_28_blocking_discriminator(house):
    """The second round is ready to begin as soon as the first goes on, and is kept back until all is over."""
    log = house.play(28).log
    assert log == [f"{what} {n}" for n in (1, 2) for what in ("quick", "go on", "slow")]


def test_29_cancelling_discriminator(house):
    assert house.play(29).log == ["ask the neighbour", "after ask the neighbour"]


def test_30_structured_partial_join(house):
    *two, third, fourth, last = house.play(30).log
    assert sorted(two) == ["ann", "bob"]
    assert [third, fourth, last] == ["go on", "cyd", "end"]


def test_31_blocking_partial_join(house):
    log = house.play(31).log
    for n, part in ((1, log[:4]), (2, log[4:])):
        assert sorted(part[:2]) == [f"ann {n}", f"bob {n}"]
        assert part[2:] == [f"go on {n}", f"cyd {n}"]


def test_32_cancelling_partial_join(house):
    *two, last = house.play(32).log
    assert sorted(two) == ["ann", "bob"]
    assert last == "2 votes"


def test_37_acyclic_synchronizing_merge(house):
    for abroad in (True, False):
        for cents in (5, 50_000):
            log = house.play(37, abroad=abroad, cents=cents).log
            chosen = (["fill in customs"] if abroad else []) + (["insure"] if cents > 10_000 else [])
            assert sorted(log) == sorted(["stamp", "ship", *chosen, *(["seal"] if chosen else [])])
            assert log[-1] == "ship"
            for each in chosen:
                assert in_order(log, each, "seal")
            if abroad:
                assert in_order(log, "fill in customs", "stamp")


@pytest.mark.parametrize("translate", [True, False])
def test_38_general_synchronizing_merge(house, translate):
    log = house.play(38, drafts=2, translate=translate).log
    assert log == ["draft 1", "draft 2", *(["translate"] if translate else []), "print"]


def test_39_critical_section(house):
    """Two runs, and two ways in each: nobody is on the bridge with another."""
    first, second = house.begin(39), house.begin(39)
    for played in (first, second):
        assert len(played.succeeded().log) == 6
    lines = house.acts.read_text().splitlines()
    ours = [line for line in lines if line.startswith((first.name, second.name)) and " is " in line]
    assert len(ours) == 8
    for on, over in zip(ours[::2], ours[1::2], strict=True):
        assert on.replace("is on the bridge", "is over") == over


def test_40_interleaved_routing(house):
    tests = ["blood", "eyes", "heart"]
    *log, last = house.play(40, tests=tests).log
    assert last == "report"
    assert sorted(in_turn(log)) == tests


def test_41_thread_merge(house):
    log = house.play(41).log
    assert log.count("egg") == 6
    assert in_order(log, "box 1 with 3", "box 2 with 3")
    assert log[: log.index("box 1 with 3")].count("egg") >= 3
    assert log[-1] == "box 2 with 3"


def test_42_thread_split(house):
    first, *rest = house.play(42, copies=3).log
    assert first == "write"
    assert sorted(rest) == sorted(f"{what} {n}" for what in ("print", "fold") for n in range(3))
    assert all(in_order(rest, f"print {n}", f"fold {n}") for n in range(3))


def test_43_explicit_termination(house):
    played = house.play(43)
    assert played.value == "found"
    assert played.log == ["search the right"]


def rows():
    """The patterns of the page: number, file, name, support."""
    page = PAGE.read_text()
    row = r"^\| \[?WCP-(\d+)(?:\]\(patterns/(\S+)\))? \| (.+?) \| (yes|composed|partly) \|"
    return [(int(number), *rest) for number, *rest in re.findall(row, page, re.MULTILINE)]


def test_the_page_has_every_pattern_with_its_flow():
    found = rows()
    assert sorted(number for number, *_ in found) == list(range(1, 44))
    assert {name for _, name, *_ in found} == {path.name for path in PATTERNS.glob("*.yaml")}
    for number, name, *_ in found:
        assert name.startswith(f"wcp{number:02}_")
    words = ("yes", "composed", "partly")
    counts = [sum(support == word for *_, support in found) for word in words]
    said = re.search(r"(\d+) patterns are \*\*yes\*\*, (\d+) .*? and (\d+) ", PAGE.read_text(), re.DOTALL)
    assert said is not None
    assert [int(number) for number in said.groups()] == counts
    assert sum(counts) == 43


def test_every_flow_has_a_test_and_is_named_for_its_pattern():
    tests = "".join((PATTERNS.parent.parent / "tests" / name).read_text() for name in FILES)
    tested = {int(number) for number in re.findall(r"house\.(?:play|begin)\((\d+)", tests)}
    for path in PATTERNS.glob("*.yaml"):
        number, name = re.fullmatch(r"wcp(\d+)_(\w+)\.flow\.yaml", path.name).groups()
        assert int(number) in tested
        text = path.read_text()
        assert text.startswith(f"# WCP-{int(number)}, ")
        assert f"\nflow: {name}\n" in text
