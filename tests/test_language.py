"""The reference of the language is held to its word: it has every key, and both syntaxes say the same."""

import re

import pytest
from ir_equal import plain
from reference import PAGES, PAIR, sections, understood, whole_files

from flowc.codes.table import CODES
from flowc.lower.file import lower_linked
from flowc.resolve import keys
from flowc.resolve.holdings import HOLDINGS
from flowrt.expr.budget import MAX_BITS, MAX_CHARACTERS, MAX_ELEMENTS, MAX_STEPS
from flowrt.expr.builtins_table import BUILTINS
from flowrt.expr.methods import METHODS
from flowrt.failures import FAILURES
from flowrt.graph.ops import remote_for
from flowrt.program import Body, Node

BLOCK = re.compile(r"^```(\w*)", re.MULTILINE)
LINES = ("Node", "Crash", "Cancel", "`resume --failed`")
SECTIONS = sections()
PAIRS = [
    pytest.param(*pair, id=f"{page.stem}-{n}")
    for page in PAGES
    for n, pair in enumerate(PAIR.findall(page.read_text()))
]


@pytest.mark.parametrize(("yaml", "flow"), PAIRS)
def test_both_syntaxes_say_the_same(yaml, flow):
    one, other = map(understood, whole_files(yaml, flow))
    assert plain(one.file) == plain(other.file)
    for each in one.file.flows:
        assert lower_linked(one, each.name.text) == lower_linked(other, each.name.text)


def test_every_block_is_one_of_a_pair():
    for page in PAGES:
        text = page.read_text()
        languages = [language for language in BLOCK.findall(text) if language]
        assert languages == ["yaml", "flow"] * len(PAIR.findall(text)), page.name


def section(*heads):
    """The one section that has one of these headings."""
    found = [each for each in SECTIONS if each.head in heads]
    assert found, f"no section is called {heads[0]}"
    return found


def told_keys(*heads):
    """The keys in the first columns of the tables of these sections."""
    rows = "".join(each.text for each in section(*heads))
    return set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE))


COMMON = {"id", "doc"}


@pytest.mark.parametrize("kind", keys.STEPS)
def test_every_key_of_every_step_is_told(kind):
    assert set(keys.STEPS[kind].keys) - COMMON <= told_keys(f"`{kind}`")


def is_map(value):
    return isinstance(value, keys.Construct)


MAPS = {
    "FIRST_FLOW": ("The head of a file", "A flow"),
    "FLOW": ("A flow",),
    "EVENT": ("An event",),
    "INPUT": ("An input",),
    "DEFAULTS": ("`defaults`",),
    "SCHEDULE": ("`schedule`",),
    "RETRY": ("`retry`",),
    "CACHE": ("`cache`",),
    "UNDO": ("`saga`",),
    "CASE": ("`switch`",),
    "RACE_BRANCH": ("`race`",),
    "CATCH": ("`try`",),
    "SLEEP": ("`sleep`",),
}
"""Where the keys of each map stand that is no step."""


@pytest.mark.parametrize("name", [name for name, each in vars(keys).items() if is_map(each)])
def test_every_key_of_every_other_map_is_told(name):
    assert name in MAPS, f"`{name}` is a new map of keys: it belongs into the reference"
    assert set(vars(keys)[name].keys) <= told_keys(*MAPS[name])


def test_what_is_not_run_yet_is_told_and_nothing_else():
    later = {*keys.FILE_LATER, *keys.LATER_STEPS}
    later |= {key for each in keys.STEPS.values() for key in each.later}
    told = [each for each in SECTIONS if each.head == "Not yet"]
    assert set(re.findall(r"^\| `(\w+)` \|", "".join(each.text for each in told), re.MULTILINE)) == later


def nodes_of(body):
    """All nodes of a body, those inside of its nodes included."""
    found, stack = [], [body]
    while stack:
        part = stack.pop()
        if isinstance(part, Node):
            found.append(part.op)
        if isinstance(part, Body | Node) or hasattr(part, "__dataclass_fields__"):
            stack.extend(getattr(part, name) for name in part.__dataclass_fields__)
        elif isinstance(part, tuple):
            stack.extend(part)
    return found


@pytest.mark.parametrize("kind", keys.STEPS)
def test_every_construct_says_what_it_compiles_to_and_what_becomes_of_it(kind):
    [told] = section(f"`{kind}`")
    for word in LINES:
        assert f"**{word}**" in told.text, word
    said = re.search(r"- \*\*Node\*\*:(.*?)(?=\n- \*\*)", told.text, re.DOTALL)
    assert said is not None
    named = set(re.findall(r"`(\w+)` \(`(\w+)`\)", said[1]))
    assert told.pairs
    made = set()
    for pair in told.pairs:
        linked = understood(whole_files(*pair)[0])
        for op in nodes_of(lower_linked(linked, "page").flows["page"].body):
            made.add((remote_name(op), type(op).__name__))
    assert named <= made | {("fail", "Rethrow")}
    assert named


def remote_name(op):
    return remote_for(op)._function.__name__


PLACES = {
    "expression": {"expression", "binder", "callee", "call"},
    "data": {"data", "arguments", "message", "duration", "pause", "count", "factor", "options"},
    "name": {"name", "names", "type", "exceptions", "modules", "events", "labels"},
}


@pytest.mark.parametrize("place", PLACES)
def test_the_kind_of_place_of_every_key_is_told(place):
    [told] = section("Three kinds of places")
    [row] = re.findall(rf"^\| {place} \| (.*?) \|", told.text, re.MULTILINE)
    assert {key for key, each in HOLDINGS.items() if each.place in PLACES[place]} <= set(
        re.findall(r"`(\w+)`", row)
    )


def test_the_functions_and_methods_are_told():
    [functions] = section("Functions")
    for name in (*BUILTINS, "now", "today", "uuid", "random", "secret"):
        assert re.search(rf"`{name}[`(]", functions.text), name
    [methods] = section("Methods")
    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", methods.text, re.MULTILINE))
    for cls, names in METHODS:
        if cls.__name__ in rows:
            assert set(re.findall(r"`(\w+)`", rows[cls.__name__])) == names
    assert len(rows) == 12


def test_the_budgets_are_told():
    [budgets] = section("Budgets")
    for most in (MAX_STEPS, MAX_ELEMENTS, MAX_CHARACTERS, MAX_BITS):
        assert f"| {most:,}" in budgets.text


def test_the_classes_of_failures_are_told():
    [told] = section("`try`")
    assert [each.__name__ for each in FAILURES if f"`flowrt:{each.__name__}`" not in told.text] == []


def test_the_options_of_ray_are_told():
    [told] = section("`options`")
    assert [name for name in keys.OPTIONS if f"`{name}`" not in told.text] == []


def test_the_findings_that_are_told_are_there():
    for page in PAGES:
        assert set(re.findall(r"F\d{4}", page.read_text())) <= set(CODES)


def test_pages_are_short():
    for page in PAGES:
        assert len(page.read_text().splitlines()) <= 400, page.name
