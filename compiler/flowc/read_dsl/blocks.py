"""A statement with a block comes in; the lines of the block go out, and what can be told of bad ones."""

from collections.abc import Iterator, Sequence

from flowc.read_dsl.lex import Token
from flowc.read_dsl.parts import Made
from flowc.span import Span
from flowrt.pattern import pattern

_ASSIGNED = pattern(r"([^\W\d]\w*)[ \t]*=(?!=)")


def lines_of(holder: Made) -> tuple[Sequence[Made], Span]:
    """The lines of the block of a statement, and where they stand."""
    block = holder.rule("block")
    assert block is not None  # The grammar wants one.
    lines = tuple(part for part in block.parts if isinstance(part, Made))
    if not lines:
        return lines, Span(block.word.end, block.word.end)
    return lines, Span(lines[0].span.start, lines[-1].span.end)


def split_collect(lines: Sequence[Made]) -> tuple[Sequence[Made], Made | None]:
    """The lines of the body of a `for`, without the `collect` at its end, and that."""
    if lines and lines[-1].name == "collect":
        return lines[:-1], lines[-1]
    return lines, None


def assigned_in_bad(line: Made) -> Iterator[Token]:
    """The names that a line which could not be read seems to assign, and those that stand below it."""
    waiting: list[Made] = [line]
    while waiting:
        made = waiting.pop()
        if made.name == "bad":
            found = _ASSIGNED.match(made.word.text)
            if found is not None:
                yield Token("NAME", found[1], made.word.start, made.word.start + len(found[1]))
        elif made.name == "statement":
            yield from made.tokens("NAME")
        waiting += [part for part in reversed(made.parts) if isinstance(part, Made)]
