"""A tree in; a Python function that evaluates it out.

Each node becomes a closure over the closures of its parts, so that the work of taking the tree apart is done
once for an expression, however often a loop evaluates it. A comprehension has a frame of its own with its
targets, as in Python: what is inside finds a target by the number of frames between, and finds the value
that the target has at that moment, also from a generator that is read later. The first items of a
comprehension are evaluated outside of that frame. The depth of a tree is at most 100 (`flowc.expr.parse`),
so the recursion over it is bounded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from flowrt.expr.attributes import read_attribute
from flowrt.expr.budget import ExpressionError
from flowrt.expr.calls import builtin_call, method_call, secret_of, undefined
from flowrt.expr.frame import Code, Frame, assign, names_of, read_target
from flowrt.expr.kinds import is_true
from flowrt.expr.operators import BINARY, COMPARE, pay_hash, unary
from flowrt.expr.order import iterate
from flowrt.expr.subscript import get_item
from flowrt.expr.text import format_value, text_of
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
    TupleOf,
    Unary,
)

_LAZY_BUILTINS = frozenset({"zip", "enumerate", "reversed"})
_LAZY_METHODS = frozenset({"keys", "values", "items"})
_NODES_PER_STEP = 10


@dataclass(slots=True)
class Builder:
    """A walk through a tree that makes closures.

    Attributes:
        scopes: The targets of the comprehensions around, the outermost first.
        nodes: How many nodes there have been.
        lazy: Whether the value may hold iterators.
        multiplies: Whether the value may hold the same part many times.
    """

    scopes: list[frozenset[str]] = field(default_factory=list[frozenset[str]])
    nodes: int = 0
    lazy: bool = False
    multiplies: bool = False

    def build(self, expr: Expr) -> Code:  # noqa: C901, PLR0911, PLR0912 - one case a kind of node
        """The closure for a node."""
        self.nodes += 1
        match expr:
            case Const(value=value):
                return lambda _: value
            case Name(id=name):
                return self._name(name)
            case Attribute(value=value, name=name):
                of = self.build(value)
                return lambda frame: read_attribute(of(frame), name)
            case Index(value=value, index=index):
                of, at = self.build(value), self.build(index)
                return lambda frame: get_item(of(frame), at(frame), frame.budget)
            case Slice():
                return self._slice(expr)
            case Unary():
                return self._unary(expr)
            case Binary():
                return self._binary(expr)
            case Compare():
                return self._compare(expr)
            case Logic():
                return self._logic(expr)
            case IfElse(test=test, then=then, orelse=orelse):
                cond, yes, no = self.build(test), self.build(then), self.build(orelse)
                return lambda frame: yes(frame) if is_true(cond(frame)) else no(frame)
            case ListOf(parts=parts):
                codes = self._all(parts)
                return lambda frame: [code(frame) for code in codes]
            case TupleOf(parts=parts):
                codes = self._all(parts)
                return lambda frame: tuple([code(frame) for code in codes])
            case SetOf(parts=parts):
                codes = self._all(parts)
                # As in Python, everything is evaluated before anything is hashed.
                return lambda frame: {_hashed(item, frame) for item in [code(frame) for code in codes]}
            case DictOf(items=items):
                pairs = tuple((self.build(key), self.build(value)) for key, value in items)
                return lambda frame: {
                    _hashed(key, frame): value
                    for key, value in [(key(frame), value(frame)) for key, value in pairs]
                }
            case FString():
                return self._fstring(expr)
            case Comprehension():
                return self._comprehension(expr)
            case Call():
                return self._call(expr)

    def _all(self, parts: tuple[Expr, ...]) -> tuple[Code, ...]:
        return tuple(self.build(part) for part in parts)

    def _name(self, name: str) -> Code:
        for hops, scope in enumerate(reversed(self.scopes)):
            if name in scope:
                return read_target(name, hops)

        def read(frame: Frame) -> object:
            try:
                return frame.env[name]
            except KeyError:
                raise NameError(undefined(name, frame.env)) from None

        return read

    def _slice(self, expr: Slice) -> Code:
        parts = (expr.lower, expr.upper, expr.step)
        lower, upper, step = (None if part is None else self.build(part) for part in parts)

        def make(frame: Frame) -> object:
            return slice(lower and lower(frame), upper and upper(frame), step and step(frame))

        return make

    def _unary(self, expr: Unary) -> Code:
        op, operand = expr.op, self.build(expr.operand)
        if op == "not":
            return lambda frame: not is_true(operand(frame))
        return lambda frame: unary(op, operand(frame), frame.budget)

    def _binary(self, expr: Binary) -> Code:
        self.multiplies = self.multiplies or expr.op == "*"
        function, left, right = BINARY[expr.op], self.build(expr.left), self.build(expr.right)
        return lambda frame: function(left(frame), right(frame), frame.budget)

    def _compare(self, expr: Compare) -> Code:
        first = self.build(expr.first)
        rest = tuple((COMPARE[op], self.build(right)) for op, right in expr.rest)
        if len(rest) == 1:
            function, right = rest[0]
            return lambda frame: function(first(frame), right(frame), frame.budget)

        def compare(frame: Frame) -> object:
            left: object = first(frame)
            result: object = True
            for function, code in rest:
                right = code(frame)
                result = function(left, right, frame.budget)
                if not is_true(result):
                    return result
                left = right
            return result

        return compare

    def _logic(self, expr: Logic) -> Code:
        codes, stop = self._all(expr.parts), expr.op == "or"
        before, last = codes[:-1], codes[-1]

        def decide(frame: Frame) -> object:
            for code in before:
                value = code(frame)
                if is_true(value) is stop:
                    return value
            return last(frame)

        return decide

    def _fstring(self, expr: FString) -> Code:
        codes = tuple(self._field(part) if isinstance(part, Field) else _text(part) for part in expr.parts)

        def join(frame: Frame) -> object:
            texts = [code(frame) for code in codes]
            frame.budget.characters(sum(len(text) for text in texts))
            return "".join(texts)

        return join

    def _field(self, part: Field) -> Callable[[Frame], str]:
        value, conversion = self.build(part.value), part.conversion
        form = None if part.format is None else self.build(part.format)

        def show(frame: Frame) -> str:
            shown = value(frame)
            if conversion:
                shown = text_of(shown, conversion, frame.budget)
            return format_value(shown, "" if form is None else cast("str", form(frame)), frame.budget)

        return show

    def _call(self, expr: Call) -> Code:
        args = self._all(expr.args)
        kwargs = tuple((keyword.name, self.build(keyword.value)) for keyword in expr.kwargs)
        match expr.func:
            case Attribute(value=value, name=name):
                self.lazy = self.lazy or name in _LAZY_METHODS
                return method_call(self.build(value), name, args, kwargs)
            case Name(id="secret"):
                return lambda frame: secret_of(frame, [arg(frame) for arg in args], named=bool(kwargs))
            case Name(id=name):
                self.lazy = self.lazy or name in _LAZY_BUILTINS
                return builtin_call(name, args, kwargs)
            case _:
                raise ExpressionError("Only what has a name can be called in an expression.")

    def _comprehension(self, expr: Comprehension) -> Code:
        self.multiplies = True
        first = self.build(expr.clauses[0].items)
        self.scopes.append(frozenset[str]().union(*(names_of(clause.targets) for clause in expr.clauses)))
        before = self.nodes
        clauses = [
            (clause.targets, None if number == 0 else self.build(clause.items), self._all(clause.conditions))
            for number, clause in enumerate(expr.clauses)
        ]
        key = None if expr.key is None else self.build(expr.key)
        element = self.build(expr.element)
        cost = 1 + (self.nodes - before) // _NODES_PER_STEP
        self.scopes.pop()

        def rounds(inner: Frame, values: Iterator[object], level: int) -> Iterator[None]:
            """Assign the targets of the clauses from `level` on, once for each round that goes through."""
            targets, _, conditions = clauses[level]
            for value in values:
                inner.budget.spend(cost)
                assign(inner, targets, value)
                if all(is_true(condition(inner)) for condition in conditions):
                    if level + 1 == len(clauses):
                        yield
                    else:
                        code = clauses[level + 1][1]
                        assert code is not None  # Only the first clause has its items evaluated outside.
                        yield from rounds(inner, iterate(code(inner), inner.budget), level + 1)

        def start(frame: Frame) -> tuple[Frame, Iterator[None]]:
            inner = frame.inside()
            return inner, rounds(inner, iterate(first(frame), frame.budget), 0)

        if expr.kind == "generator":
            self.lazy = True
        return _collector(expr.kind, start, key, element)


def _collector(
    kind: str, start: Callable[[Frame], tuple[Frame, Iterator[None]]], key: Code | None, element: Code
) -> Code:
    """The closure that makes the list, set, dict or generator from the rounds of a comprehension."""

    def as_list(frame: Frame) -> object:
        inner, rounds = start(frame)
        return [element(inner) for _ in rounds]

    def as_set(frame: Frame) -> object:
        inner, rounds = start(frame)
        return {_hashed(element(inner), inner) for _ in rounds}

    def as_dict(frame: Frame) -> object:
        assert key is not None  # A dict comprehension has a key.
        inner, rounds = start(frame)
        return {_hashed(key(inner), inner): element(inner) for _ in rounds}

    def as_generator(frame: Frame) -> object:
        inner, rounds = start(frame)
        return (element(inner) for _ in rounds)

    match kind:
        case "list":
            return as_list
        case "set":
            return as_set
        case "dict":
            return as_dict
        case _:
            return as_generator


def _text(text: str) -> Callable[[Frame], str]:
    return lambda _: text


def _hashed(value: object, frame: Frame) -> object:
    pay_hash(value, frame.budget)
    return value
