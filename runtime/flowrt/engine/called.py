"""The modules that a program calls. In: a program. Out: names of modules, those of pickled code included.

Pickled code names modules in texts, among others; so of its texts those count that name a module which
this process has imported. That is asked where a graph is handed over, by the process that made it.
"""

import pickletools
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import cast

from flowrt.program import (
    Imported,
    Pickled,
    Program,
    Retry,
)
from flowrt.type_ref import TypeRef

_TREE = "flowrt.expr.tree"
_LOOK_BYTES = 1 << 20


def modules_of(program: Program) -> set[str]:
    """The modules of a program's callables, of the classes of its inputs, and of the exceptions it names."""
    found: set[str] = set()
    for noun in _nouns(program):
        match noun:
            case Imported(path):
                found.add(path.partition(":")[0])
            case Pickled(digest):
                found |= set(_named_in(program.code.get(digest, b"")))
            case TypeRef(name) if ":" in name:
                found.add(name.partition(":")[0])
            case Retry(catch=catch, unless=unless):
                found |= {_module(path) for path in (*catch, *unless)}
            case _:
                continue
    return found - {""}


def _nouns(program: Program) -> Iterator[object]:
    """Every noun of a program, but for what is inside expressions."""
    open_: list[object] = list(program.flows.values())
    while open_:
        thing = open_.pop()
        if isinstance(thing, tuple):
            open_.extend(cast("tuple[object, ...]", thing))
        elif is_dataclass(thing) and not isinstance(thing, type) and type(thing).__module__ != _TREE:
            yield thing
            open_.extend(getattr(thing, each.name) for each in fields(thing))


def _module(path: str) -> str:
    """The module of an exception: `package.module:Class`, or `package.module.Class`, or one of Python's."""
    module, colon, _ = path.partition(":")
    return module if colon else path.rpartition(".")[0]


def _named_in(code: bytes) -> Iterator[str]:
    try:
        for _, text, at in pickletools.genops(code):
            if isinstance(text, str) and text in sys.modules and text != "__main__":
                yield text
            if at is not None and at > _LOOK_BYTES:
                return
    except ValueError:
        return
