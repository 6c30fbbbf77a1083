"""A tree in; all of its nodes, or the names that it reads from its surroundings, out."""

from collections.abc import Iterator

from flowrt.expr.tree import (
    Attribute,
    Binary,
    Call,
    Compare,
    Comprehension,
    Const,
    DictOf,
    Expr,
    Field,
    FString,
    IfElse,
    Index,
    ListOf,
    Logic,
    Name,
    SetOf,
    Slice,
    Target,
    TupleOf,
    Unary,
)


def walk(expr: Expr) -> Iterator[Expr]:
    """All nodes of a tree, each before its parts, in the order of the text.

    The parts of a comprehension come in the order of evaluation: its clauses before its element.
    """
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(parts_of(node)))


def parts_of(node: Expr) -> list[Expr]:  # noqa: C901, PLR0911, PLR0912 - one case a kind of node
    """The expressions directly inside a node."""
    match node:
        case Const() | Name():
            return []
        case Attribute(value=value):
            return [value]
        case Index(value=value, index=index):
            return [value, index]
        case Slice(lower=lower, upper=upper, step=step):
            return [part for part in (lower, upper, step) if part is not None]
        case Unary(operand=operand):
            return [operand]
        case Binary(left=left, right=right):
            return [left, right]
        case Compare(first=first, rest=rest):
            return [first, *(right for _, right in rest)]
        case Logic(parts=parts) | ListOf(parts=parts) | TupleOf(parts=parts) | SetOf(parts=parts):
            return list(parts)
        case IfElse(test=test, then=then, orelse=orelse):
            return [then, test, orelse]
        case DictOf(items=items):
            return [part for item in items for part in item]
        case FString():
            return [part for piece in node.parts if isinstance(piece, Field) for part in _field_parts(piece)]
        case Comprehension(key=key, element=element, clauses=clauses):
            inside = [part for clause in clauses for part in (clause.items, *clause.conditions)]
            return [*inside, *([] if key is None else [key]), element]
        case Call(func=func, args=args, kwargs=kwargs):
            return [func, *args, *(keyword.value for keyword in kwargs)]


def free_names(expr: Expr) -> list[Name]:
    """The names that a tree reads from its surroundings, each time it does, in the order of the text.

    Left out are the targets of comprehensions inside their comprehension, and the names of the builtin
    functions that calls call (`len` in `len(x)`).
    """
    found: list[Name] = []
    _free(expr, frozenset(), found)
    return found


def target_names(target: Target) -> list[str]:
    """The names that the target of a clause assigns."""
    if isinstance(target, str):
        return [target]
    return [name for part in target for name in target_names(part)]


def _field_parts(field: Field) -> list[Expr]:
    return [field.value] if field.format is None else [field.value, field.format]


def _free(expr: Expr, bound: frozenset[str], found: list[Name]) -> None:
    match expr:
        case Name(id=name):
            if name not in bound:
                found.append(expr)
        case Call(func=Name(), args=args, kwargs=kwargs):
            for part in (*args, *(keyword.value for keyword in kwargs)):
                _free(part, bound, found)
        case Comprehension():
            _free_of_comprehension(expr, bound, found)
        case _:
            for part in parts_of(expr):
                _free(part, bound, found)


def _free_of_comprehension(node: Comprehension, bound: frozenset[str], found: list[Name]) -> None:
    # Python evaluates the items of the first clause outside; everything else sees all of the targets.
    inner = bound.union(*(target_names(clause.targets) for clause in node.clauses))
    for number, clause in enumerate(node.clauses):
        _free(clause.items, inner if number else bound, found)
        for condition in clause.conditions:
            _free(condition, inner, found)
    if node.key is not None:
        _free(node.key, inner, found)
    _free(node.element, inner, found)
