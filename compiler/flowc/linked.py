"""A flow file with those that it uses: made by `flowc.link`, made into one program by `flowc.lower`.

`place` is the absolute path of a file, by which files are told apart. `used` holds, by their aliases, the
files that could be read and do not use this one in turn; so they make no circle. Those with errors are among
them, for their findings. `found` are the findings about this file alone.
"""

from collections.abc import Iterator, Mapping

from flowc.diagnostic import Diagnostic
from flowc.ir import File, Flow
from flowrt.noun import field, noun

ABOUT_USE = frozenset({"F0130", "F0131"})
"""Findings about what a file uses: they stand beside those in the used file, and are no reason for more."""


@noun
class Linked:
    """A flow file with those that it uses; `file` is None when hardly anything of it was understood."""

    file: File | None
    place: str
    used: "Mapping[str, Linked]" = field(default_factory=dict[str, "Linked"])
    found: tuple[Diagnostic, ...] = ()


def every_file(linked: Linked) -> Iterator[Linked]:
    """The file and all that it uses, directly or not, each once, those used first at the front."""
    seen: set[str] = set()
    todo = [linked]
    while todo:
        each = todo.pop()
        if each.place not in seen:
            seen.add(each.place)
            yield each
            todo.extend(reversed([*each.used.values()]))


def error_count(linked: Linked) -> int:
    """How many errors a file has of its own: what is wrong with a file that it uses is found there."""
    return sum(each.severity == "error" and each.code not in ABOUT_USE for each in linked.found)


def used_flows(linked: Linked) -> dict[str, Flow]:
    """The flows of the files that a file uses, under the names by which it calls them.

    Those of a file with errors are left out: they may be others when it has been mended.
    """
    return {
        f"{alias}.{flow.name.text}": flow
        for alias, each in linked.used.items()
        if each.file is not None and not error_count(each)
        for flow in each.file.flows
    }
