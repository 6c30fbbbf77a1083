"""A flow file that was read from YAML comes in; the comments inside of its expressions go out.

An expression that goes over lines, in a block or in quotes, may have comments of Python in it. To YAML they
are a part of the text, and they stay with it; in the DSL an expression stands on one line, so a writer has to
put them elsewhere. Whether a scalar is an expression the tree does not tell, and the IR does: it knows the
place of each. Data has the place of its whole scalar, an expression with a comment never has.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from flowc.comments.comment import Comment
from flowc.comments.of_dsl import comments_of_dsl
from flowc.comments.scalars import scalars_of
from flowc.ir import File
from flowc.span import Source, Span
from flowc.tree import Scalar, Tree
from flowrt.expr.tree import At

_OPEN, _CLOSE = "${{", "}}"


def comments_in_expressions(tree: Tree, file: File) -> tuple[Comment, ...]:
    """The comments that are a part of an expression for YAML, in order. The file has to be without errors."""
    if "#" not in tree.source.text:
        return ()
    commented = [
        scalar for scalar in scalars_of(tree) if "#" in scalar.text and isinstance(scalar.value, str)
    ]
    places = frozenset(_places(file)) if commented else frozenset[At]()
    found = [
        each
        for scalar in commented
        if _is_expression(scalar.span, places)
        for each in _comments(tree.source, scalar)
    ]
    return tuple(sorted(set(found), key=lambda each: each.start))


def _is_expression(span: Span, places: frozenset[At]) -> bool:
    if (span.start, span.end) in places:
        return False
    return any(span.start <= start < end <= span.end for start, end in places)


def _comments(source: Source, scalar: Scalar) -> Iterator[Comment]:
    text = scalar.text
    shift = text.find(_OPEN) + len(_OPEN) if text.strip().startswith(_OPEN) else 0
    inner = text[shift : text.rfind(_CLOSE)] if shift else text
    for each in comments_of_dsl(Source(source.name, inner)):
        yield Comment(scalar.at(shift + each.start), each.text, each.column, each.own_line)


def _places(file: File) -> Iterator[At]:
    """Where the expressions of a file stand."""
    waiting: list[object] = [file]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Span | Source | str | bytes):
            continue
        if isinstance(value, tuple | list):
            waiting += cast("tuple[object, ...]", value)
        elif isinstance(value, Mapping):
            waiting += cast("Mapping[object, object]", value).values()
        else:
            names: tuple[str, ...] = getattr(type(value), "__match_args__", ())
            waiting += (getattr(value, name) for name in names if name != "at")
            if "at" in names:
                yield getattr(value, "at")  # noqa: B009 - any noun with a place
