"""Nodes of Python's `ast` in; the tree of the language, with places in the author's file, out.

Only what is listed here gets through; everything else is reported, by name where people are likely to
write it. The converter runs after `flowc.expr.scan`, which has reported what shows in single tokens.
"""

import ast
from collections.abc import Callable, Iterable

from flowc.expr.place import Place
from flowc.expr.scan import MAX_DEPTH, too_deep
from flowrt.expr.tree import (
    At,
    Attribute,
    Binary,
    BinaryOp,
    Call,
    Clause,
    Compare,
    CompareOp,
    Comprehension,
    ComprehensionKind,
    Const,
    DictOf,
    Expr,
    IfElse,
    Index,
    Keyword,
    ListOf,
    Logic,
    Name,
    SetOf,
    Slice,
    Target,
    TupleOf,
    Unary,
    UnaryOp,
)
from flowrt.noun import noun

_BINARY: dict[type[ast.operator], BinaryOp] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_UNARY: dict[type[ast.unaryop], UnaryOp] = {ast.UAdd: "+", ast.USub: "-", ast.Not: "not"}
_COMPARE: dict[type[ast.cmpop], CompareOp] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_KINDS: dict[type[ast.expr], ComprehensionKind] = {
    ast.ListComp: "list",
    ast.SetComp: "set",
    ast.GeneratorExp: "generator",
}


class Unusable(Exception):
    """The expression holds something that is not in the language; the finding has been reported."""


@noun(frozen=False)
class Converter:
    """A walk through one parsed text.

    Attributes:
        place: Where the text stands.
        index: From a line and a column in bytes, as `ast` gives them, to an index into the text.
        placeholder: The tree for a name or a text that stands in for what Python did not parse, or None
            for what the author wrote. It gets the index and the depth at which the node stands.
        depth: How deep the walk is.
    """

    place: Place
    index: Callable[[int, int], int]
    placeholder: Callable[[int, int], Expr | None]
    depth: int = 0

    def convert(self, node: ast.expr) -> Expr:
        """The tree of a node.

        Raises:
            Unusable: Something in it is not in the language.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            too_deep(self.place, *self._range(node))
            raise Unusable
        result = self._atom(node) or self._operation(node) or self._collection(node)
        if result is None:
            raise self._left_out(node, "this form of Python")
        self.depth -= 1
        return result

    def _atom(self, node: ast.expr) -> Expr | None:  # noqa: PLR0911 - one case a kind of node
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name(id=name):
                start = self._range(node)[0]
                return self.placeholder(start, self.depth) or Name(name, self._at(node))
            case ast.Attribute(value=value, attr=name):
                return Attribute(self.convert(value), name, self._at(node))
            case ast.Subscript(value=value, slice=index):
                return Index(self.convert(value), self.convert(index), self._at(node))
            case ast.Slice(lower=lower, upper=upper, step=step):
                return Slice(self._maybe(lower), self._maybe(upper), self._maybe(step), self._at(node))
            case ast.Call():
                return self._call(node)
            case _:
                return None

    def _operation(self, node: ast.expr) -> Expr | None:
        match node:
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _negated(Unary(_UNARY[type(op)], self.convert(operand), self._at(node)), node, operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return Binary(_BINARY[type(op)], self.convert(left), self.convert(right), self._at(node))
            case ast.BoolOp(op=op, values=values):
                return Logic("and" if isinstance(op, ast.And) else "or", self._all(values), self._at(node))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                # The author's order: `then if test else orelse`.
                then = self.convert(body)
                return IfElse(self.convert(test), then, self.convert(orelse), self._at(node))
            case ast.Compare():
                return self._compare(node)
            case _:
                return None

    def _collection(self, node: ast.expr) -> Expr | None:  # noqa: PLR0911 - as above
        match node:
            case ast.List(elts=parts):
                return ListOf(self._all(parts), self._at(node))
            case ast.Tuple(elts=parts):
                return TupleOf(self._all(parts), self._at(node))
            case ast.Set(elts=[ast.Set(elts=[inner])]):
                start, end = self._range(inner)
                raise self._bad(
                    "F0307",
                    node,
                    "`{{ }}` is no template here",
                    f"everything is an expression already: write `{self.place.text(start, end)}`",
                )
            case ast.Set(elts=parts):
                return SetOf(self._all(parts), self._at(node))
            case ast.Dict(keys=keys, values=values):
                return DictOf(
                    tuple((self._key(k, v), self.convert(v)) for k, v in zip(keys, values, strict=True)),
                    self._at(node),
                )
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                clauses = self._clauses(node.generators)
                return Comprehension(_KINDS[type(node)], None, self.convert(element), clauses, self._at(node))
            case ast.DictComp(key=key, value=value, generators=generators):
                clauses = self._clauses(generators)
                return Comprehension("dict", self.convert(key), self.convert(value), clauses, self._at(node))
            case ast.Starred():
                raise self._left_out(node, "unpacking with `*`", "join lists with `+`")
            case _:
                return None

    def _constant(self, node: ast.Constant) -> Expr:
        value = node.value
        if isinstance(value, str):
            covered = self.placeholder(self._range(node)[0], self.depth)
            return Const(value, self._at(node)) if covered is None else covered
        if value is None or isinstance(value, (bool, int, float)):
            return Const(value, self._at(node))
        raise self._left_out(node, "this literal")

    def _call(self, node: ast.Call) -> Expr:
        if not isinstance(node.func, (ast.Name, ast.Attribute)):
            raise self._bad(
                "F0311",
                node.func,
                "only what has a name can be called",
                "write `name(…)`, `alias.name(…)` or `value.method(…)`",
            )
        func = self.convert(node.func)
        args = self._all(node.args)
        return Call(func, args, tuple(self._keywords(node.keywords)), self._at(node))

    def _keywords(self, keywords: Iterable[ast.keyword]) -> Iterable[Keyword]:
        seen: set[str] = set()
        for keyword in keywords:
            if keyword.arg is None:
                raise self._left_out(
                    keyword.value, "unpacking with `**`", "write each argument: `f(a=x.a, b=x.b)`"
                )
            start = self.index(keyword.lineno, keyword.col_offset)
            end = start + len(keyword.arg)
            if keyword.arg in seen:
                self.place.report(
                    "F0311", start, end, f"`{keyword.arg}` is given twice", "remove one of the two"
                )
                raise Unusable
            seen.add(keyword.arg)
            yield Keyword(keyword.arg, self.convert(keyword.value), self.place.span(start, end))

    def _compare(self, node: ast.Compare) -> Expr:
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.Is, ast.IsNot)) and not (
                isinstance(right, ast.Constant) and right.value is None
            ):
                word, wanted = ("is", "==") if isinstance(op, ast.Is) else ("is not", "!=")
                raise self._bad(
                    "F0306",
                    right,
                    f"`{word}` compares with `None` only",
                    f"write `{wanted}` to compare values",
                )
        first = self.convert(node.left)
        rest: list[tuple[CompareOp, Expr]] = []
        for op, right in zip(node.ops, node.comparators, strict=True):
            rest.append((_COMPARE[type(op)], self.convert(right)))
        return Compare(first, tuple(rest), self._at(node))

    def _key(self, key: ast.expr | None, value: ast.expr) -> Expr:
        if key is None:
            raise self._left_out(value, "unpacking with `**`", "write `dict(a, key=value)`, or each key")
        return self.convert(key)

    def _clauses(self, generators: Iterable[ast.comprehension]) -> tuple[Clause, ...]:
        clauses: list[Clause] = []
        for generator in generators:
            target = self._target(generator.target)
            items = self.convert(generator.iter)
            at = (self._at(generator.target)[0], self._at(generator.iter)[1])
            clauses.append(Clause(target, items, self._all(generator.ifs), at))
        return tuple(clauses)

    def _target(self, node: ast.expr) -> Target:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return tuple(self._target(part) for part in parts)
            case _:
                raise self._bad(
                    "F0304", node, "only a name can stand here", "write `for x in …` or `for a, b in …`"
                )

    def _all(self, nodes: Iterable[ast.expr]) -> tuple[Expr, ...]:
        return tuple(self.convert(node) for node in nodes)

    def _maybe(self, node: ast.expr | None) -> Expr | None:
        return None if node is None else self.convert(node)

    def _range(self, node: ast.expr) -> tuple[int, int]:
        start = self.index(node.lineno, node.col_offset)
        if node.end_lineno is None or node.end_col_offset is None:
            return start, start
        return start, self.index(node.end_lineno, node.end_col_offset)

    def _at(self, node: ast.expr) -> At:
        return self.place.span(*self._range(node))

    def _left_out(self, node: ast.expr, what: str, help_: str = "give it to a task") -> Unusable:
        return self._bad("F0304", node, f"{what} is not in the language of expressions", help_)

    def _bad(self, code: str, node: ast.expr, message: str, help_: str) -> Unusable:
        self.place.report(code, *self._range(node), message, help_)
        return Unusable()


def _negated(expr: Unary, sign: ast.expr, operand: ast.expr) -> Expr:
    """A number right behind a minus is one number, as it is to YAML: `[-5]` is the same in both syntaxes."""
    if (operand.lineno, operand.col_offset) != (sign.lineno, sign.col_offset + 1):
        return expr
    match expr:
        case Unary(op="-", operand=Const(value=int() | float() as number)) if not isinstance(number, bool):
            return Const(-number, expr.at)
        case _:
            return expr
