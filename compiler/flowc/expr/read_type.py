"""The text of a type in; a `TypeRef` and the findings about it out."""

import keyword
import re
from collections.abc import Callable, Mapping

from flowc.diagnostic import Diagnostic
from flowc.expr.place import Place
from flowc.expr.type_refs import ANY, GENERIC, SIMPLE, show, union
from flowc.span import Source
from flowc.suggest import closest
from flowrt.noun import field, noun
from flowrt.pattern import pattern
from flowrt.type_ref import TypeRef

_MAX_LENGTH = 2_000
_MAX_DEPTH = 50
_NAME = r"[^\W\d]\w*"
_TOKEN = pattern(rf"\s*(?:(?P<path>{_NAME}(?:\.{_NAME})*(?::{_NAME}(?:\.{_NAME})*)?)|(?P<op>\.\.\.|\S))")
_OTHER_NAMES = {
    "string": "str",
    "text": "str",
    "String": "str",
    "Str": "str",
    "integer": "int",
    "Integer": "int",
    "long": "int",
    "number": "float",
    "double": "float",
    "decimal": "float",
    "boolean": "bool",
    "Boolean": "bool",
    "null": "None",
    "none": "None",
    "void": "None",
    "Any": "any",
    "object": "any",
    "array": "list",
    "Array": "list",
    "List": "list",
    "Sequence": "list",
    "map": "dict",
    "Map": "dict",
    "Dict": "dict",
    "Mapping": "dict",
    "Set": "set",
    "frozenset": "set",
    "Tuple": "tuple",
    "timedelta": "duration",
    "timestamp": "datetime",
    "time": "datetime",
    "binary": "bytes",
}


def parse_type(
    text: str, at: Callable[[int], int], source: Source, aliases: Mapping[str, str]
) -> tuple[TypeRef, list[Diagnostic]]:
    """Parse a type.

    Args:
        text: Such as `list[o.Order] | None`.
        at: From an index into the text to an offset in the file.
        source: The file, for the findings.
        aliases: The Python module of each alias of `use`.

    Returns:
        The type and the findings; the type is `any` when there are findings. The type
        `tuple[int, ...]` is `TypeRef("tuple", (int, TypeRef("...")))`.
    """
    place = Place(source, at)
    if len(text) > _MAX_LENGTH:
        place.report(
            "F0313", 0, 1, f"the type has more than {_MAX_LENGTH:,} characters", "use `any` inside it"
        )
        return ANY, place.found
    parser = _Parser(text, place, aliases)
    try:
        result = parser.whole()
    except _BadType:
        return ANY, place.found
    return result, place.found


class _BadType(Exception):
    """The type cannot be read; the finding has been reported."""


@noun(frozen=False)
class _Parser:
    """A walk through the text of a type, token by token."""

    text: str
    place: Place
    aliases: Mapping[str, str]
    at: int = 0
    depth: int = 0
    word: str = ""
    start: int = 0
    is_path: bool = field(default=False)

    def whole(self) -> TypeRef:
        """The type that the whole text names."""
        self._next()
        if not self.word:
            raise self._bad(
                "F0312", "a type is missing here", "write one, such as `int` or `list[str]`; or `any`"
            )
        result = self._union()
        if self.word == "?":
            raise self._bad("F0312", "`?` is not in the language", f"write `{show(result)} | None`")
        if self.word == "=":
            default = self.text[self.at :].strip() or "…"
            raise self._bad(
                "F0313",
                "a type has no `=`",
                self.place.source.either(
                    f"an input with a default is written `{{type: {show(result)}, default: {default}}}`",
                    f"an input with a default is written `name: {show(result)} = {default}`",
                ),
            )
        if self.word:
            raise self._bad("F0313", f"`{self.word}` is not expected here", "a type ends before it")
        return result

    def _union(self) -> TypeRef:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self._bad("F0313", f"the type is more than {_MAX_DEPTH} levels deep", "use `any` inside it")
        parts = [self._one()]
        while self.word == "|":
            self._next()
            parts.append(self._one())
        self.depth -= 1
        return union(*parts) if len(parts) > 1 else parts[0]

    def _one(self) -> TypeRef:
        if not self.is_path:
            seen = f"`{self.word}` is not a type" if self.word else "a type is missing at the end"
            raise self._bad("F0313", seen, "write the name of a type, such as `int` or `t.Report`")
        name, start, end = self.word, self.start, self.at
        self._next()
        if name in GENERIC:
            return TypeRef(name, self._arguments(name) if self.word == "[" else ())
        ref = TypeRef(name) if name in SIMPLE else self._class(name, start, end)
        if self.word == "[":
            self._wrong_brackets(name, start, end)
        return ref

    def _arguments(self, name: str) -> tuple[TypeRef, ...]:
        start = self.start
        self._next()
        parts = [self._argument()]
        while self.word == ",":
            self._next()
            parts.append(self._argument())
        if self.word != "]":
            raise self._bad(
                "F0313", f"the `[` of `{name}` is not closed", "write `]` after its types", start=start
            )
        self._next()
        self._check_arguments(name, parts, start)
        return tuple(parts)

    def _argument(self) -> TypeRef:
        if self.word in ("...", "…"):
            self._next()
            return TypeRef("...")
        return self._union()

    def _check_arguments(self, name: str, parts: list[TypeRef], start: int) -> None:
        more = TypeRef("...")
        if name in ("list", "set"):
            good = len(parts) == 1 and more not in parts
            wanted = f"write `{name}[T]`; for elements of several types `{name}[A | B]`"
        elif name == "dict":
            good = len(parts) == len(("key", "value")) and parts[0] == TypeRef("str") and more not in parts
            wanted = "write `dict[str, T]`: keys are texts, and T is the type of the values"
        else:
            good = more not in parts or (parts[1:] == [more] and parts[0] != more)
            wanted = "write the type of each part, `tuple[A, B]`, or `tuple[T, ...]` for any number of parts"
        if not good:
            shown = f"{name}[{', '.join(show(part) for part in parts)}]"
            raise self._bad("F0313", f"`{shown}` is not a type", wanted, start=start)

    def _class(self, name: str, start: int, end: int) -> TypeRef:
        """The class that an import path or an alias names."""
        if any(keyword.iskeyword(word) or word.startswith("__") for word in re.split("[.:]", name)):
            wanted = "write `alias.Class` or `package.module:Class`"
            self.place.report("F0312", start, end, f"`{name}` does not name a class", wanted)
            raise _BadType
        if ":" in name:
            return TypeRef(name)
        alias, _, attribute = name.partition(".")
        if attribute and alias in self.aliases:
            return TypeRef(f"{self.aliases[alias]}:{attribute}")
        raise self._unknown(name, start, end)

    def _unknown(self, name: str, start: int, end: int) -> _BadType:
        alias, _, attribute = name.partition(".")
        if name in ("Optional", "Union", "typing.Optional", "typing.Union"):
            self.place.report("F0312", start, end, f"`{name}` is not a type", "write `T | None`, or `A | B`")
        elif attribute:
            near = closest(alias, self.aliases)
            self.place.report(
                "F0312",
                start,
                start + len(alias),
                f"`{alias}` is not an alias of `use`",
                self.place.source.either(
                    f"add `use: {{{alias}: its.module}}`", f"add `use its.module as {alias}`"
                )
                + f", or write the import path `package.module:{attribute}`",
                hint=f"did you mean `{near}`?" if near else "",
                fix=near or "",
            )
        elif name in self.aliases:
            self.place.report(
                "F0312",
                start,
                end,
                f"`{name}` is a module, not a type",
                f"write a class of it: `{name}.Class`",
            )
        else:
            near = _OTHER_NAMES.get(name) or closest(name, (*SIMPLE, *GENERIC))
            self.place.report(
                "F0312",
                start,
                end,
                f"`{name}` is not a type",
                "the types are " + ", ".join((*SIMPLE, *GENERIC)) + ", and classes as `alias.Class`",
                hint=f"did you mean `{near}`?" if near else "",
                fix=near or "",
            )
        return _BadType()

    def _wrong_brackets(self, name: str, start: int, end: int) -> None:
        self.place.report(
            "F0313", start, end, f"`{name}` takes no types in brackets", f"write `{name}` alone"
        )
        raise _BadType

    def _next(self) -> None:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            self.word, self.start, self.is_path = "", len(self.text), False
            return
        self.word = found["path"] or found["op"]
        self.is_path = found["path"] is not None
        self.at = found.end()
        self.start = self.at - len(self.word)

    def _bad(self, code: str, message: str, help_: str, *, start: int | None = None) -> _BadType:
        first = self.start if start is None else start
        self.place.report(code, first, max(first, self.at), message, help_)
        return _BadType()
