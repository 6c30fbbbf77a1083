"""The text of an expression in; its tree and the findings about it out.

The stages: `scan` looks at the tokens, Python's parser makes an `ast`, `convert` makes our tree. Two
things are covered up before Python sees the text, and blanks keep every place what it is: f-strings, which
are cut here (see `flowc.expr.scan` for why), with a plain text, and the import path of a callee
(`package.module:name`), which is not Python, with a name. The text is wrapped in brackets, so that it may
go over several lines. Nothing is compiled or evaluated, and no text makes Python's parser raise through.
"""

import ast
import re
from collections.abc import Callable

from flowc.diagnostic import Diagnostic
from flowc.expr.convert import Converter, Unusable
from flowc.expr.cut_fstring import FieldPart, Part, cut_fstring
from flowc.expr.place import Place
from flowc.expr.scan import scan, too_deep
from flowc.expr.token import Token, ends_operand, is_fstring
from flowc.span import Source
from flowrt.expr.tree import Attribute, Call, Conversion, Expr, Field, FString, Name
from flowrt.noun import field, noun
from flowrt.pattern import pattern

_PATH = pattern(r"\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*(?=$|\()")
_CONVERSIONS: dict[str, Conversion] = {"": "", "s": "s", "r": "r", "a": "a"}


def parse_expression(
    text: str, at: Callable[[int], int], source: Source
) -> tuple[Expr | None, list[Diagnostic]]:
    """Parse an expression.

    Args:
        text: The expression, as YAML or the DSL decoded it.
        at: From an index into the text (its end included) to an offset in the file.
        source: The file, for the findings.

    Returns:
        The tree, and the findings. The tree is None when there are findings.
    """
    place = Place(source, at)
    try:
        return _Text(text, place).parse(0), place.found
    except Unusable:
        return None, place.found


def parse_callee(text: str, at: Callable[[int], int], source: Source) -> tuple[Expr | None, list[Diagnostic]]:
    """Parse what stands at `call` and its like: a call, or the name of what is to be called.

    The same as `parse_expression`, but for two things. A full import path is a name here: the text
    `package.module:name(a)` gives `Call(Name("package.module:name"), …)`. And whatever is neither a
    call nor a name, with or without dots, is reported.
    """
    place = Place(source, at)
    path = _PATH.match(text)
    try:
        whole = _Text(text, place, path=path.span(1) if path else None)
        tree = whole.parse(0)
    except Unusable:
        return None, place.found
    if isinstance(tree, Call) or _is_dotted(tree):
        return tree, place.found
    place.report(
        "F0311",
        *_stripped(text),
        "this is neither a call nor the name of something that can be called",
        "write `alias.name(…)`, the name of a flow, or `package.module:name(…)`"
        + source.either("; compute with `value:`", ""),
    )
    return None, place.found


def _is_dotted(tree: Expr) -> bool:
    if isinstance(tree, Attribute) and isinstance(tree.value, Call):
        called = tree.value.func
        return isinstance(called, Name) and called.id.isidentifier()  # `account(user).deposit` of an actor.
    while isinstance(tree, Attribute):
        tree = tree.value
    return isinstance(tree, Name)


def _stripped(text: str) -> tuple[int, int]:
    return len(text) - len(text.lstrip()), len(text.rstrip())


@noun(frozen=False)
class _Text:
    """A text on its way to a tree; `fields` of f-strings are texts of their own."""

    text: str
    place: Place
    path: tuple[int, int] | None = None
    fstrings: dict[int, list[Token]] = field(default_factory=dict[int, list[Token]])
    starts: list[int] = field(default_factory=list[int])
    lines: list[str] = field(default_factory=list[str])

    def parse(self, depth: int) -> Expr:
        """The tree; `depth` is how deep the text stands in another."""
        tokens = self._scan()
        covered = self._cover(tokens)
        # The bracket goes over lines; the line end keeps a comment from swallowing its partner.
        self.lines = ("(" + covered + "\n)").split("\n")
        self.starts = [-1]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        try:
            node = ast.parse("\n".join(self.lines), mode="eval").body
        except SyntaxError as error:
            raise self._unexpected(error, tokens) from None
        except (MemoryError, RecursionError):
            too_deep(self.place, *_stripped(self.text))
            raise Unusable from None
        except ValueError:
            # What `ast` refuses in text, such as half a character, has been reported by the scan;
            # should a version of Python refuse more, the finding is at least in the right place.
            raise self._bad(*_stripped(self.text), "this is not an expression") from None
        if isinstance(node, ast.GeneratorExp) and self._index(node.lineno, node.col_offset) < 0:
            start, end = _stripped(self.text)
            raise self._bad(start, end, "a generator stands in brackets", f"write `[{self.text[start:end]}]`")
        return Converter(self.place, self._index, self._placeholder, depth).convert(node)

    def _scan(self) -> list[Token]:
        text = self.text
        if self.path:
            start, end = self.path
            text = text[:start] + "p" * (end - start) + text[end:]
            words = re.split("[.:]", self.text[start:end])
            if any(word.startswith("__") for word in words):
                self.place.report(
                    "F0308",
                    start,
                    end,
                    "a name of the import path begins with two underscores",
                    "name another",
                )
                raise Unusable
        tokens = scan(text, self.place)
        if tokens is None:
            raise Unusable
        return tokens

    def _cover(self, tokens: list[Token]) -> str:
        """The text with covers on the import path, and on each f-string with the texts beside it."""
        pieces = self.text.replace("\r", " ")
        groups: list[list[Token]] = []
        for before, token in zip([None, *tokens], tokens, strict=False):
            if token.kind != "string":
                continue
            if before is not None and before.kind == "string":
                groups[-1].append(token)
            else:
                groups.append([token])
        covered = [group for group in groups if any(is_fstring(token) for token in group)]
        self.fstrings = {group[0].start: group for group in covered}
        for start, end in [(group[0].start, group[-1].end) for group in covered]:
            pieces = pieces[:start] + '"' + " " * (end - start - 2) + '"' + pieces[end:]
        if self.path:
            start, end = self.path
            pieces = pieces[:start] + "p" * (end - start) + pieces[end:]
        return pieces

    def _placeholder(self, index: int, depth: int) -> Expr | None:
        if self.path and index == self.path[0]:
            return Name(self.text[slice(*self.path)], self.place.span(*self.path))
        tokens = self.fstrings.get(index)
        return None if tokens is None else self._fstring(tokens, depth)

    def _fstring(self, tokens: list[Token], depth: int) -> Expr:
        parts: list[str | Field] = []
        for token in tokens:
            quote = re.search(r"\"\"\"|'''|\"|'", token.text)
            assert quote is not None  # The scan found a string here.
            raw = "r" in token.text[: quote.start()].lower()
            start, end = token.start + quote.end(), token.end - len(quote[0])
            if is_fstring(token):
                cut = cut_fstring(self.text, start, end, raw=raw, place=self.place)
                if cut is None:
                    raise Unusable
                parts.extend(self._parts(cut, depth, raw=raw, braces=True))
            elif start < end:
                parts.append(self._decode(start, end, raw=raw))
        return FString(_joined(parts), self.place.span(tokens[0].start, tokens[-1].end))

    def _parts(self, cut: tuple[Part, ...], depth: int, *, raw: bool, braces: bool) -> list[str | Field]:
        parts: list[str | Field] = []
        for part in cut:
            if isinstance(part, FieldPart):
                parts.append(self._field(part, depth, raw=raw))
                continue
            text = self._decode(part.start, part.end, raw=raw, braces=braces)
            if text:
                parts.append(text)
        return parts

    def _field(self, part: FieldPart, depth: int, *, raw: bool) -> Field:
        inner = _Text(self.text[part.expr_start : part.expr_end], self.place.part(part.expr_start))
        value = inner.parse(depth)
        form = None
        if part.format is not None:
            inside = self._parts(part.format, depth, raw=raw, braces=False)
            start = part.format[0].start if part.format else part.end - 1
            form = FString(_joined(inside), self.place.span(start, part.end - 1))
        at = self.place.span(part.start, part.end)
        return Field(value, _CONVERSIONS[part.conversion], form, at)

    def _decode(self, start: int, end: int, *, raw: bool, braces: bool = False) -> str:
        """The characters that a piece of a text stands for. The scan has seen that its escapes are good."""
        piece = self.text[start:end]
        if raw or "\\" not in piece:
            return piece.replace("{{", "{").replace("}}", "}") if braces else piece
        # Doubled braces are made single between escapes only: those of `\N{…}` stay.
        pieces = re.split(r"(\\N\{[^}]*\}|\\.)", piece, flags=re.DOTALL)
        for at in range(0, len(pieces), 2):
            if braces:
                pieces[at] = pieces[at].replace("{{", "{").replace("}}", "}")
            pieces[at] = pieces[at].replace('"', '\\"')
        return str(ast.literal_eval('"""' + "".join(pieces) + '"""'))

    def _index(self, line: int, column: int) -> int:
        """The index into the text of a place as `ast` gives it: a line from 1 and a column in bytes."""
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="ignore"))
        return self.starts[line - 1] + column

    def _unexpected(self, error: SyntaxError, tokens: list[Token]) -> Unusable:
        line = min(error.lineno or 1, len(self.lines))
        index = self.starts[line - 1] + max((error.offset or 1) - 1, 0)
        colon = next((token for token in tokens if token.text == ":"), None)
        if colon is not None and not any(token.text in ("[", "{") for token in tokens):
            return self._bad(
                colon.start,
                colon.end,
                "`:` is not expected here",
                "a full import path `package.module:name` stands only at `call`, `start`, `undo`, `raise` and"
                " `wait`; elsewhere give the module an alias with `use`",
            )
        if error.msg.startswith("positional argument follows keyword"):
            return self._bad(
                *_stripped(self.text),
                "an argument without a name stands behind one with a name",
                "write the arguments without names first",
            )
        if error.msg.startswith("expected 'else'"):
            return self._bad(
                *_stripped(self.text), "an `if` without `else` has no value", "write `a if c else b`"
            )
        lone = _lone_not(tokens)
        if lone is not None:
            return self._bad(
                lone.start,
                lone.end,
                "`not` stands between two values",
                "write `not in`, `!=`, or `and not`",
            )
        token = next((token for token in tokens if token.end > index), tokens[-1])
        text = token.text if len(token.text) <= 20 else token.text[:19] + "…"  # noqa: PLR2004 - a line's width
        return self._bad(
            token.start, token.end, f"`{text}` is not expected here", "is something missing before it?"
        )

    def _bad(self, start: int, end: int, message: str, help_: str = "") -> Unusable:
        self.place.report("F0301", start, end, message, help_)
        return Unusable()


def _lone_not(tokens: list[Token]) -> Token | None:
    """A `not` between two values that is not a part of `not in`."""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.text == "not" and ends_operand(before) and after.text != "in":
            return token
    return None


def _joined(parts: list[str | Field]) -> tuple[str | Field, ...]:
    """The parts with texts that stand side by side made one, so that equal texts give equal trees."""
    joined: list[str | Field] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
