"""A node in a place for expressions, or for data, comes in; an expression goes out.

In a place for expressions every scalar is an expression, also inside a list or a map, and `${{ }}` may
stand around the whole of it. In a place for data a scalar is itself, a scalar that is one `${{ e }}` is the
value of `e`, and text with `${{ e }}` in it is joined. The DSL has expressions in both, and says so of
each. Calls of tasks are still inside: `lift` takes them out.
"""

from collections.abc import Callable
from itertools import pairwise

from flowc.diagnostic import Diagnostic, Fix
from flowc.expr.parse import parse_callee, parse_expression
from flowc.read_yaml.cuts import quotes_help
from flowc.read_yaml.read import cut_by_comment
from flowc.resolve.found import Found
from flowc.resolve.setting import stand_in
from flowc.resolve.templates import Hole, Unclosed, split_template, whole_template, without_templates
from flowc.span import Source, Span
from flowc.tree import Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import At, Const, DictOf, Expr, Field, FString, ListOf
from flowrt.pattern import pattern

_WORD = pattern(r"\w")

_SAID = frozenset({"expression", "lost"})
"""Styles of scalars that are expressions wherever they stand."""

Parser = Callable[[str, Callable[[int], int], Source], tuple[Expr | None, list[Diagnostic]]]


def at(span: Span) -> At:
    """The place of an expression that is a whole node."""
    return (span.start, span.end)


def read_expression(found: Found, node: Node) -> Expr:
    """The expression in a place for expressions."""
    match node:
        case Sequence():
            return ListOf(tuple(read_expression(found, item) for item in node.items), at(node.span))
        case Mapping():
            if _is_set(node):
                return _report_set(found, node)
            items = tuple((read_data(found, e.key), read_expression(found, e.value)) for e in node.entries)
            return DictOf(items, at(node.span))
        case Scalar():
            return _scalar(found, node, parse_expression)


def _is_set(node: Mapping) -> bool:
    """Whether a map in brackets has keys alone, as `{1, 2}` has for YAML."""
    values = [entry.value for entry in node.entries]
    return (
        node.flow
        and bool(values)
        and all(isinstance(value, Scalar) and value.style == "plain" and not value.text for value in values)
    )


def _report_set(found: Found, node: Mapping) -> Expr:
    found.error(
        "F0103",
        "to YAML this is a map without values",
        node.span,
        help=quotes_help(found.source.text[node.span.start : node.span.end]),
    )
    return stand_in(at(node.span))


def read_callee(found: Found, node: Scalar) -> Expr:
    """The expression in a place that takes a callee: import paths and bare callees are allowed."""
    return _scalar(found, node, parse_callee)


def read_data(found: Found, node: Node) -> Expr:
    """The data in a place for values."""
    match node:
        case Sequence():
            return ListOf(tuple(read_data(found, item) for item in node.items), at(node.span))
        case Mapping():
            items = tuple((read_data(found, e.key), read_data(found, e.value)) for e in node.entries)
            return DictOf(items, at(node.span))
        case Scalar():
            return _template(found, node)


def computed(found: Found, node: Node) -> Expr | None:
    """The expression of a scalar that is one, by `${{ e }}` or in the DSL, and None for every other node."""
    if isinstance(node, Scalar) and node.style in _SAID:
        return _said(found, node, parse_expression)
    if not isinstance(node, Scalar) or "${{" not in node.text:
        return None
    holes = split_template(node.text)
    if isinstance(holes, Unclosed):
        return _unclosed(found, node, holes)
    hole = whole_template(node.text, holes)
    return _parse(found, node, hole.inner, hole.inner_end, parse_expression) if hole else None


def read_part(found: Found, node: Scalar, start: int) -> Expr:
    """The expression that a scalar holds from the character `start` on."""
    return _parse(found, node, start, len(node.text), parse_expression)


def _said(found: Found, node: Scalar, parser: Parser) -> Expr:
    """The expression of a scalar whose style says that it is one, or that it was one."""
    if node.style == "lost":
        return stand_in(at(node.span))
    return _parse(found, node, 0, len(node.text), parser)


def _scalar(found: Found, node: Scalar, parser: Parser) -> Expr:
    if node.style in _SAID:
        return _said(found, node, parser)
    return _plain_or_template(found, node, parser)


def _plain_or_template(found: Found, node: Scalar, parser: Parser) -> Expr:
    if not isinstance(node.value, str) and node.style == "plain":
        if node.text:
            return Const(node.value, at(node.span))
        found.error(
            "F0103",
            "an expression is missing here",
            node.span,
            help="write the expression after the colon; nothing at all is `null`",
        )
        return stand_in(at(node.span))
    if "${{" not in node.text:
        return _parse(found, node, 0, len(node.text), parser)
    holes = split_template(node.text)
    if isinstance(holes, Unclosed):
        return _unclosed(found, node, holes)
    hole = whole_template(node.text, holes)
    if hole is None:
        return _text_around(found, node, holes)
    return _parse(found, node, hole.inner, hole.inner_end, parser)


def _parse(found: Found, node: Scalar, start: int, end: int, parser: Parser) -> Expr:
    expr, wrong = parser(node.text[start:end], lambda index: node.at(start + index), found.source)
    if wrong:
        cut = cut_by_comment(found.source, node) if node.style == "plain" else None
        found.add([cut] if cut is not None else wrong)
    return stand_in(at(node.span)) if expr is None else expr


def _text_around(found: Found, node: Scalar, holes: tuple[Hole, ...]) -> Expr:
    better = without_templates(node.text, holes)
    if _joins_words(node.text, holes) or parse_expression(better, node.at, found.source)[1]:
        # Without the braces it is no expression, or another: it was meant as a text with values in it.
        quote = "'" if '"' in node.text else '"'
        better = f"f{quote}{without_templates(node.text, holes, braces=True)}{quote}"
    fixes = (Fix(node.span, better, f"write `{better}`"),) if node.style == "plain" else ()
    found.error(
        "F0109",
        "this place holds an expression, so `${{ }}` cannot stand inside other text",
        Span(node.at(holes[0].start), node.at(holes[0].end)),
        help=f"write `{better}`",
        fixes=fixes,
    )
    return stand_in(at(node.span))


def _joins_words(text: str, holes: tuple[Hole, ...]) -> bool:
    """Whether a template stands right beside a word or another template, as in `item_${{ n }}`."""
    around = ((text[: hole.start][-1:], text[hole.end :][:1]) for hole in holes)
    return any(_WORD.match(char) for pair in around for char in pair) or any(
        one.end == other.start for one, other in pairwise(holes)
    )


def _unclosed(found: Found, node: Scalar, unclosed: Unclosed) -> Expr:
    start = node.at(unclosed.start)
    found.error(
        "F0110",
        "`${{` has no `}}`",
        Span(start, start + 3),
        hint="it starts here",
        help="close it with `}}` in the same text",
    )
    return stand_in(at(node.span))


def _template(found: Found, node: Scalar) -> Expr:
    if node.style in _SAID:
        return _said(found, node, parse_expression)
    if not isinstance(node.value, str):
        return Const(node.value, at(node.span))
    if "${{" not in node.text:
        return Const(node.text, at(node.span))
    holes = split_template(node.text)
    if isinstance(holes, Unclosed):
        return _unclosed(found, node, holes)
    whole = whole_template(node.text, holes)
    if whole is not None:
        return _parse(found, node, whole.inner, whole.inner_end, parse_expression)
    parts: list[str | Field] = []
    done = 0
    for hole in holes:
        if hole.start > done:
            parts.append(node.text[done : hole.start])
        place = (node.at(hole.start), node.at(hole.end))
        parts.append(
            Field(_parse(found, node, hole.inner, hole.inner_end, parse_expression), "s", None, place)
        )
        done = hole.end
    if done < len(node.text):
        parts.append(node.text[done:])
    return FString(tuple(parts), at(node.span))
