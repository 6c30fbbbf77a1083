"""A text comes in; its parts outside and inside of `${{ }}` go out.

The end of an expression is the first `}}` that is not inside a bracket or a string of the expression, so
that `${{ {"a": {"b": 1}} }}` is one template. Indices are those of characters of the text.
"""

from flowrt.noun import noun

_OPEN = "${{"
_CLOSE = "}}"


@noun
class Hole:
    """One `${{ }}`: `start` and `end` of all of it, `inner` and `inner_end` of its expression."""

    start: int
    end: int
    inner: int
    inner_end: int


@noun
class Unclosed:
    """A `${{` at `start` without its `}}`."""

    start: int


def split_template(text: str) -> tuple[Hole, ...] | Unclosed:
    """All templates of a text, in order."""
    holes: list[Hole] = []
    at = text.find(_OPEN)
    while at >= 0:
        end = _close(text, at + len(_OPEN))
        if end < 0:
            return Unclosed(at)
        holes.append(Hole(at, end + len(_CLOSE), at + len(_OPEN), end))
        at = text.find(_OPEN, end + len(_CLOSE))
    return tuple(holes)


def whole_template(text: str, holes: tuple[Hole, ...]) -> Hole | None:
    """The template that a text consists of, blanks at its ends aside."""
    if len(holes) == 1 and not text[: holes[0].start].strip() and not text[holes[0].end :].strip():
        return holes[0]
    return None


def without_templates(text: str, holes: tuple[Hole, ...], *, braces: bool = False) -> str:
    """The text with each template replaced by its expression, in the braces of an f-string if asked for."""
    parts: list[str] = []
    done = 0
    for hole in holes:
        inner = text[hole.inner : hole.inner_end].strip()
        parts += [text[done : hole.start], f"{{{inner}}}" if braces else inner]
        done = hole.end
    return "".join([*parts, text[done:]])


def _close(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        char = text[at]
        if char in "'\"":
            at = _string_end(text, at)
            continue
        if char in "([{":
            depth += 1
        elif depth == 0 and text.startswith(_CLOSE, at):
            return at
        elif char in ")]}":
            depth = max(depth - 1, 0)
        at += 1
    return -1


def _string_end(text: str, at: int) -> int:
    """The index after a string that starts at `at`; a string without an end is one character."""
    quote = text[at]
    if text.startswith(quote * 3, at):
        end = text.find(quote * 3, at + 3)
        return end + 3 if end >= 0 else at + 3
    index = at + 1
    while index < len(text) and text[index] not in (quote, "\n"):
        index += 2 if text[index] == "\\" else 1
    return index + 1 if index < len(text) and text[index] == quote else at + 1
