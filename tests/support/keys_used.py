"""Which keys of the language a flow file in YAML uses: in its tree, out pairs of a construct and a key.

What stands under a key is told by the same tables that messages and the published schema are made from, so a
key that is new to the language is a pair that no flow has yet.
"""

from collections.abc import Iterator

from flowc.read import read_bytes
from flowc.resolve import keys
from flowc.resolve.holdings import Place, holding
from flowc.resolve.keys import ENCLOSED, STEPS, Construct
from flowc.tree import Mapping, Node, Scalar, Sequence

Used = tuple[str, str]

MAPS: dict[Place, Construct] = {
    "retry": keys.RETRY,
    "schedule": keys.SCHEDULE,
    "defaults": keys.DEFAULTS,
    "call": keys.UNDO,
    "pause": keys.SLEEP,
    "cases": keys.CASE,
    "branches": keys.RACE_BRANCH,
    "catches": keys.CATCH,
}
"""The construct of a map that stands under a key, or of each in a list of them."""

NAMED: dict[Place, Construct] = {"inputs": keys.INPUT, "events": keys.EVENT}
"""The construct of the maps under the names of a map."""

BARE = ("break", "continue")
LIST = "a list of steps"
AFTER = ("a step of a graph", "after")


def all_keys() -> set[Used]:
    """Every key of every construct, and the bare words."""
    constructs = [each for each in vars(keys).values() if isinstance(each, Construct)]
    pairs = {(each.title, key) for each in [*constructs, *STEPS.values()] for key in each.keys}
    nameless = {(STEPS[kind].title, "id") for kind in keys.NAMELESS}
    return pairs - nameless | {AFTER} | {(LIST, word) for word in BARE}


def keys_used(name: str, data: bytes) -> set[Used]:
    """The keys that a file uses. It has no errors."""
    tree, found = read_bytes(name, data)
    assert not found, found
    used: set[Used] = set()
    for number, document in enumerate(tree.documents):
        used |= set(_of_map(keys.FLOW if number else keys.FIRST_FLOW, document.root))
    return used


def _of_map(construct: Construct, node: Node | None) -> Iterator[Used]:
    assert isinstance(node, Mapping), f"{construct.title} is a map"
    for entry in node.entries:
        key = entry.key.text
        if key == "after":
            yield AFTER
            continue
        yield construct.title, key
        if isinstance(entry.value, Mapping) and key == "cache":
            yield from _of_map(keys.CACHE, entry.value)
        else:
            yield from _under(holding(construct, key).place, entry.value)


def _under(place: Place, node: Node) -> Iterator[Used]:
    match node:
        case Mapping(entries=entries) if place in NAMED:
            for entry in (one for one in entries if isinstance(one.value, Mapping)):
                yield from _of_map(NAMED[place], entry.value)
        case Mapping(entries=entries) if place == "graph":
            for entry in entries:
                yield from _step(entry.value)
        case Mapping() | Sequence() if place in MAPS:
            for item in node.items if isinstance(node, Sequence) else [node]:
                yield from _of_map(MAPS[place], item)
        case Sequence(items=items) if place in ("steps", "block"):
            for item in items:
                yield from _step(item)
        case _:
            pass


def _step(node: Node) -> Iterator[Used]:
    match node:
        case Mapping(entries=entries):
            names = [entry.key.text for entry in entries if entry.key.text in STEPS]
            kind = next((name for name in names if name not in ENCLOSED), None) or names[0]
            yield from _of_map(STEPS[kind], node)
        case Scalar(text=text) if text in BARE:
            yield LIST, text
        case _:
            pass
