"""A node of the tree comes in; the expression, data, duration or text that it is goes out in the DSL.

YAML has places for expressions and places for data. The DSL has expressions in both, so here data becomes
literals, and text with `${{ }}` in it an f-string. A node that was read from the DSL says itself that it is
an expression (its style), and then the place does not matter.
"""

import math
from decimal import Decimal

from flowc.expr.lay_out import on_one_line
from flowc.expr.scan import MAX_LENGTH
from flowc.resolve.templates import Hole, Unclosed, split_template, whole_template
from flowc.tree import Mapping, Node, Scalar, Sequence
from flowc.write_dsl.unwritable import Unwritable
from flowrt.expr.durations import parse_duration, parse_size
from flowrt.pattern import pattern

_ESCAPED = pattern(r"[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SAID = ("expression", "lost")
_QUANTITY = pattern(r"\d+(?:\.\d+)?[A-Za-z]\w*(?:\.\d+[a-z]+)*")
_DURATION = pattern(r"\d[\w.]*|P(?=[T\d])[\dTWDHMS.]+")
_BYTE, _PLANE = 0xFF, 0xFFFF


def expression(node: Node) -> str:
    """What stands in a place for expressions."""
    match node:
        case Sequence():
            return f"[{', '.join(expression(item) for item in node.items)}]"
        case Mapping():
            pairs = (f"{data(entry.key)}: {expression(entry.value)}" for entry in node.entries)
            return f"{{{', '.join(pairs)}}}"
        case Scalar():
            if not isinstance(node.value, str) and node.style == "plain":
                return constant(node.value)
            return computed(node) or on_one_line(node.text)


def data(node: Node) -> str:
    """What stands in a place for data."""
    match node:
        case Sequence():
            return f"[{', '.join(data(item) for item in node.items)}]"
        case Mapping():
            pairs = (f"{data(entry.key)}: {data(entry.value)}" for entry in node.entries)
            return f"{{{', '.join(pairs)}}}"
        case Scalar():
            if node.style in _SAID:
                return on_one_line(node.text)
            if not isinstance(node.value, str):
                return constant(node.value)
            return computed(node) or _template(node.text)


def computed(node: Scalar) -> str | None:
    """The expression of a scalar that is said to be one, or is one `${{ }}`; None for any other."""
    if node.style in _SAID:
        return on_one_line(node.text)
    holes = _holes(node.text)
    hole = whole_template(node.text, holes) if holes else None
    return on_one_line(node.text[hole.inner : hole.inner_end]) if hole else None


def duration(node: Node) -> str:
    """What stands in a place for a duration."""
    if isinstance(node, Scalar):
        expr = computed(node)
        if expr is not None:
            return expr
        text = node.text.strip()
        if _DURATION.fullmatch(text) and parse_duration(text) is not None:
            return text
    raise Unwritable("A duration has no form in the DSL.")


def quantity(node: Node, *, size: bool) -> str:
    """The value of one of Ray's options."""
    if size and isinstance(node, Scalar) and computed(node) is None and isinstance(node.value, str):
        text = node.text.strip()
        if _QUANTITY.fullmatch(text):
            return text
        number = parse_size(text)
        if number is not None:
            return str(number)
    return data(node)


def constant(value: object) -> str:
    """A number, a boolean or nothing, as a literal."""
    if not isinstance(value, float):
        return repr(value)
    if math.isnan(value):
        raise Unwritable("The number `.nan` has no literal in the DSL: compute it in a task.")
    if math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    text = format(Decimal(repr(value)), "f") if value < 0 else repr(value)
    return text if "." in text or "e" in text else f"{text}.0"


def text(value: str, indent: str) -> str:
    """A text in double quotes; in three of them when it has several lines.

    These are indented, and the reader takes off the indentation that all but the first have. So a text whose
    own lines are all indented, or are blanks, is written with escapes.
    """
    first, *rest = value.split("\n")
    full = [line for line in rest if line]
    escaped = any(char != "\n" and _ESCAPED.match(char) for char in set(value)) or "\\" in value
    unfit = (
        not first.strip() or any(not line.strip() for line in full) or '"""' in value or value.endswith('"')
    )
    if not rest or escaped or unfit or (full and all(line[0] == " " for line in full)):
        return one_line_text(value)
    lines = [f"{indent}{line}" if line else "" for line in rest[:-1]] + [f"{indent}{rest[-1]}"]
    return "\n".join([f'"""{first}', *lines]) + '"""'


def one_line_text(value: str, quote: str = '"', *, braces: bool = False) -> str:
    """A text in quotes, with escapes where they are needed; `braces` are doubled for an f-string."""
    inner = value.replace("\\", "\\\\").replace(quote, f"\\{quote}" if len(quote) == 1 else '\\"\\"\\"')
    if braces:
        inner = inner.replace("{", "{{").replace("}", "}}")
    return f"{quote}{_ESCAPED.sub(lambda match: _escape(match[0]), inner)}{quote}"


def _template(value: str) -> str:
    if len(value) > MAX_LENGTH:
        raise Unwritable(
            f"A text of {len(value):,} characters has no form in the DSL, where {MAX_LENGTH:,} are the most: "
            "load it in a task."
        )
    holes = _holes(value)
    if not holes:
        return one_line_text(value)
    inner = [on_one_line(value[hole.inner : hole.inner_end]) for hole in holes]
    quote = next((q for q in ('"', "'", '"""', "'''") if not any(q in each for each in inner)), None)
    if quote is None or any("\\" in each for each in inner):
        raise Unwritable(
            "A text has expressions in it whose quotes no f-string can hold: give them names in steps before."
        )
    parts: list[str] = []
    done = 0
    for hole, each in zip(holes, inner, strict=True):
        parts.append(_between(value[done : hole.start], quote))
        parts.append(f"{{{' ' if each.startswith('{') else ''}{each}!s}}")
        done = hole.end
    return f"f{quote}{''.join([*parts, _between(value[done:], quote)])}{quote}"


def _between(value: str, quote: str) -> str:
    written = one_line_text(value, quote[0], braces=True)
    return written[1:-1]


def _holes(value: str) -> tuple[Hole, ...]:
    holes = split_template(value) if "${{" in value else ()
    assert not isinstance(holes, Unclosed)  # That would have been an error.
    return holes


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if code <= _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"
