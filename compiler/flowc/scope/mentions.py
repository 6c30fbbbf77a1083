"""An expression comes in; out go the names it reads from its surroundings, and how each is used."""

from collections.abc import Iterable, Iterator

from flowc.expr.names import parts_of, target_names
from flowrt.expr.tree import (
    Attribute,
    Call,
    Compare,
    Comprehension,
    DictOf,
    Expr,
    ListOf,
    Name,
    SetOf,
    TupleOf,
)
from flowrt.noun import noun


@noun
class Mention:
    """A name that an expression reads.

    `field` is the attribute read from it, if one is (`called` when that is a method that is called).
    `word` says that a text could stand in its place, so that quotes may have been forgotten; `whole` that
    nothing else stands in the expression.
    """

    name: Name
    field: Attribute | None = None
    called: bool = False
    word: bool = False
    whole: bool = False


@noun
class _Visit:
    """What is still to be looked at: a part, the names that comprehensions around it bind, its role."""

    part: Expr
    bound: frozenset[str]
    word: bool = False


def mentions(expr: Expr) -> list[Mention]:
    """The names that `expr` reads from its surroundings, in the order of the text.

    The targets of a comprehension hide names of the surroundings, as in Python. The name of a builtin
    function that is called is no mention: no step can give it.
    """
    found: list[Mention] = []
    todo = [_Visit(expr, frozenset(), word=True)]
    while todo:
        visit = todo.pop()
        part, bound = visit.part, visit.bound
        called = isinstance(part, Call) and isinstance(part.func, Attribute)
        target = part.func if isinstance(part, Call) and called else part
        field = target if isinstance(target, Attribute) else None
        name = target if field is None else field.value
        if not isinstance(name, Name):
            todo.extend(_parts(part, bound))
            continue
        if name.id not in bound:
            found.append(Mention(name, field, called, word=visit.word and field is None, whole=name is expr))
        if isinstance(part, Call):
            todo.extend(_arguments(part, bound))
    found.sort(key=lambda mention: mention.name.at)
    return found


def _parts(expr: Expr, bound: frozenset[str]) -> Iterator[_Visit]:
    """The direct parts of an expression, each with the names bound there."""
    if isinstance(expr, Comprehension):
        return _comprehension(expr, bound)
    if isinstance(expr, Call) and isinstance(expr.func, Name):
        return _arguments(expr, bound)
    is_equality = isinstance(expr, Compare) and all(op in {"==", "!=", "in", "not in"} for op, _ in expr.rest)
    word = is_equality or isinstance(expr, ListOf | TupleOf | SetOf | DictOf)
    return _visits(parts_of(expr), bound, word=word)


def _visits(parts: Iterable[Expr], bound: frozenset[str], *, word: bool = False) -> Iterator[_Visit]:
    return (_Visit(part, bound, word) for part in parts)


def _arguments(call: Call, bound: frozenset[str]) -> Iterator[_Visit]:
    values = (*call.args, *(keyword.value for keyword in call.kwargs))
    return _visits(values, bound, word=True)


def _comprehension(expr: Comprehension, bound: frozenset[str]) -> Iterator[_Visit]:
    """Python evaluates the items of the first clause outside; all else sees the targets of every clause."""
    inner = bound.union(*(target_names(clause.targets) for clause in expr.clauses))
    first = expr.clauses[0].items
    for part in parts_of(expr):
        yield _Visit(part, bound if part is first else inner)
