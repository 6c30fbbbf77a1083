"""Two flow files come in, as IR or as trees; the first place where they differ goes out, if there is one.

Places in the text take no part, and neither do quotes and brackets of YAML: the same flow in another layout,
or in the other syntax, is the same.
"""

from collections.abc import Mapping
from typing import cast

from flowc.ir import File
from flowc.span import Source, Span
from flowc.tree import Tree

_LAYOUT = frozenset({"at", "span", "origin", "style", "flow", "source"})
_PLACES = frozenset({"at"})


def difference(one: File, other: File) -> str | None:
    """Where two files mean something different, as a path such as `flows.0.body.steps.2.callee`."""
    return _difference(one, other, _PLACES)


def tree_difference(one: Tree, other: Tree) -> str | None:
    """Where two trees hold different keys or scalars."""
    roots = [tuple(each.root for each in tree.documents if each.root is not None) for tree in (one, other)]
    return _difference(roots[0], roots[1], _LAYOUT)


def _difference(one: object, other: object, left_out: frozenset[str]) -> str | None:
    waiting: list[tuple[str, object, object]] = [("", one, other)]
    while waiting:
        path, a, b = waiting.pop()
        if type(a) is not type(b):
            return path or "all of it"
        mine, theirs = _parts(a, left_out), _parts(b, left_out)
        if mine is None or theirs is None:
            if not _equal(a, b):
                return path
        elif list(mine) != list(theirs):
            return path
        else:
            waiting += [(f"{path}.{key}".lstrip("."), mine[key], theirs[key]) for key in reversed(mine)]
    return None


def _parts(value: object, left_out: frozenset[str]) -> dict[str, object] | None:
    """What a value consists of; None when it is one thing."""
    if isinstance(value, Span | Source | str | bytes):
        return None
    if isinstance(value, tuple | list):
        return {str(index): part for index, part in enumerate(cast("tuple[object, ...]", value))}
    if isinstance(value, Mapping):
        return {str(key): part for key, part in cast("Mapping[object, object]", value).items()}
    names: tuple[str, ...] = getattr(type(value), "__match_args__", ())
    return {name: getattr(value, name) for name in names if name not in left_out} if names else None


def _equal(a: object, b: object) -> bool:
    if isinstance(a, Span | Source):
        return True
    return repr(a) == repr(b) if isinstance(a, float) else a == b
