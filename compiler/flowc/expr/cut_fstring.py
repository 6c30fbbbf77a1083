r"""The inside of an f-string in; where its texts and its `{…}` fields are, out.

The rules are those of Python 3.11. `{{` and `}}` are braces. A field is an expression, `!s`, `!r` or `!a`,
and `:` with a format, which may hold fields of its own, one level deep. Brackets and quotes inside the
expression are skipped, so that `{d["a:b"]}` and `{f(x, y)}` are one field. Neither `\` nor `#` may stand
in a field. The form `{x=}` is not in the language: its value would change with the blanks in the text.
"""

from typing import TypeAlias

from flowc.expr.place import Place
from flowrt.noun import noun

_MAX_NESTED = 2
_OPENERS = "([{"
_CLOSERS = ")]}"
_CONVERSIONS = ("s", "r", "a")


@noun
class TextPart:
    """Characters that stand for themselves, with their escapes and doubled braces."""

    start: int
    end: int


@noun
class FieldPart:
    """A field: where its expression is, the letter behind `!` or "", and the parts of its format."""

    start: int
    end: int
    expr_start: int
    expr_end: int
    conversion: str
    format: "tuple[Part, ...] | None"


Part: TypeAlias = TextPart | FieldPart


class BadField(Exception):
    """The f-string cannot be cut; the finding has been reported."""


def cut_fstring(text: str, start: int, end: int, *, raw: bool, place: Place) -> tuple[Part, ...] | None:
    """The parts of the f-string whose inside stands in `text` from `start` to `end`; None after a finding."""
    try:
        parts, at = _Cutter(text, end, place, raw=raw).parts(start, 0)
    except BadField:
        return None
    assert at == end  # At level 0 only the end stops the cutter.
    return parts


class _Cutter:
    """A walk through one f-string."""

    def __init__(self, text: str, end: int, place: Place, *, raw: bool) -> None:
        self.text, self.end, self.place, self.raw = text, end, place, raw

    def parts(self, at: int, level: int) -> tuple[tuple[Part, ...], int]:
        """The parts from `at` on, and where they end: at the end of the text, or a `}` inside a format."""
        found: list[Part] = []
        begin = at
        while at < self.end:
            char = self.text[at]
            if char == "\\" and not self.raw:
                at = self._after_escape(at)
            elif char in "{}" and level == 0 and self.text[at : at + 2] == char * 2:
                at += 2
            elif char == "{":
                if begin < at:
                    found.append(TextPart(begin, at))
                field = self._field(at, level)
                found.append(field)
                begin = at = field.end
            elif char == "}" and level:
                break
            elif char == "}":
                raise self._bad(at, at + 1, "`}` closes nothing in this f-string", "write `}}` for a brace")
            else:
                at += 1
        if begin < at:
            found.append(TextPart(begin, at))
        return tuple(found), at

    def _after_escape(self, at: int) -> int:
        if self.text.startswith("\\N{", at):
            return self.text.index("}", at) + 1
        return at + 2

    def _field(self, at: int, level: int) -> FieldPart:
        if level >= _MAX_NESTED:
            raise self._bad(
                at, at + 1, "fields are nested too deeply in this f-string", "give the inner text to a step"
            )
        stop = self._expression_end(at)
        expr = (at + 1, stop)
        if not self.text[at + 1 : stop].strip():
            raise self._bad(at, stop + 1, "a field of this f-string is empty", "write `{{}}` for braces")
        conversion = ""
        if self.text[stop] == "!":
            conversion = self.text[stop + 1 : stop + 2]
            after = self.text[stop + 2 : stop + 3]
            if conversion not in _CONVERSIONS or after not in (":", "}"):
                raise self._bad(
                    stop, stop + 2, "`!` must be `!s`, `!r` or `!a` here", "write one of the three"
                )
            stop += 2
        form: tuple[Part, ...] | None = None
        if self.text[stop] == ":":
            form, stop = self.parts(stop + 1, level + 1)
            if stop >= self.end:
                raise self._open(at)
        return FieldPart(at, stop + 1, *expr, conversion, form)

    def _expression_end(self, field: int) -> int:
        """Where the `!`, `:` or `}` stands that ends the expression of the field that begins at `field`."""
        text, at, depth = self.text, field + 1, 0
        while at < self.end:
            char = text[at]
            if char in "\\#":
                raise self._slash(at)
            if char in "\"'":
                at = self._after_quotes(at)
                continue
            if char in _OPENERS:
                depth += 1
            elif depth == 0 and self._ends_field(at):
                return at
            elif char in _CLOSERS:
                depth -= 1
            if text[at : at + 2] in ("!=", "==", "<=", ">="):
                at += 1
            elif char == "=" and depth == 0:
                name = text[field + 1 : at].strip()
                raise self._bad(
                    at,
                    at + 1,
                    "the form `{x=}` of an f-string is not in the language",
                    f"write `{name}={{{name}}}`",
                )
            at += 1
        raise self._open(field)

    def _ends_field(self, at: int) -> bool:
        char = self.text[at]
        return char in ":}" or (char == "!" and self.text[at + 1 : at + 2] != "=")

    def _after_quotes(self, at: int) -> int:
        quote = self.text[at]
        if self.text.startswith(quote * 3, at):
            quote *= 3
        stop = self.text.find(quote, at + len(quote), self.end)
        if stop < 0:
            raise self._bad(
                at,
                at + 1,
                f"the text that begins with {quote} is not closed",
                f"close it with {quote}",
                "F0303",
            )
        slash = self.text.find("\\", at, stop)
        if slash >= 0:
            raise self._slash(slash)
        return stop + len(quote)

    def _slash(self, at: int) -> BadField:
        return self._bad(
            at,
            at + 1,
            f"`{self.text[at]}` cannot stand inside a field of an f-string",
            "give the value to a step of its own",
        )

    def _open(self, at: int) -> BadField:
        return self._bad(
            at,
            at + 1,
            "`{` is not closed in this f-string",
            "close it with `}`, or write `{{` for a brace",
            "F0303",
        )

    def _bad(self, start: int, end: int, message: str, help_: str, code: str = "F0301") -> BadField:
        self.place.report(code, start, end, message, help_)
        return BadField()
