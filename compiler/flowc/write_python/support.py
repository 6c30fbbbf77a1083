"""The functions that a written program may need, as Python source; only those it uses are put into it.

They are what somebody would write by hand: short, on asyncio and Ray, with nothing of flowc in them.
"""

from collections.abc import Mapping
from importlib.resources import files

from flowrt.noun import noun


@noun
class Part:
    """A piece of source: what it defines, what it imports, and which other pieces it needs."""

    source: str
    imports: tuple[str, ...]
    needs: tuple[str, ...]


def parts() -> Mapping[str, Part]:
    """The pieces by name, in the order in which they stand in a program.

    They stand in `support.txt`, each below a line `### name | imports | needs`.
    """
    text = (files("flowc.write_python") / "support.txt").read_text(encoding="utf-8")
    found: dict[str, Part] = {}
    for piece in text.split("\n### ")[1:]:
        head, _, source = piece.partition("\n")
        name, imports, needs = (word.strip() for word in head.split("|"))
        found[name] = Part(source.strip("\n") + "\n", _words(imports), _words(needs))
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";") if word.strip())
