"""Logical lines come in; what the grammar makes of them goes out, with a finding for each that is bad.

This is the loop of every LALR(1) parser: the tables say for the state and the next terminal whether it is
taken or a rule ends before it. Two things are added. The lexer is told what the state would take, and so
knows words of the language from names. And the stacks are remembered at the beginning of each line: when a
line cannot be understood, they are put back, a terminal `BAD` stands for the whole of the line, and the
next line is read as if nothing had happened. What is indented below a bad line is read as well, for its own
mistakes.

Indentation is counted here, not in the lexer, because it has to be mended: a line that is indented for no
reason, or to a column that no line above has, is taken to stand where it must have been meant.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from flowc.diagnostic import Diagnostic
from flowc.read_dsl.explain import explain
from flowc.read_dsl.indents import missing_block, too_deep, too_long, unexpected_indent
from flowc.read_dsl.lex import Lexer, Token
from flowc.read_dsl.lines import Line
from flowc.read_dsl.parts import Made, Part
from flowc.read_dsl.stuck import Stuck
from flowc.read_dsl.tables import Tables
from flowc.span import Source
from flowrt.noun import field, noun

DEPTH_LIMIT = 45
"""Blocks in blocks. Each is two levels of the tree, of which there may be 100."""

BAD_LINES_LIMIT = 100

WORDS_LIMIT = 400_000
"""Terminals in a file: what YAML says in its 200,000 nodes."""

_FOLLOWS = frozenset({"F0031", "F0034"})
"""Findings about the place of a line, which a bad line before it may have moved."""

_Row: TypeAlias = Mapping[str, int]


class _Refused(Exception):
    """A terminal does not fit."""

    def __init__(self, token: Token | None) -> None:
        super().__init__()
        self.token = token


@noun(frozen=False)
class _Level:
    """An indentation: its width, and whether the grammar knows of it.

    `lost` is whether the line that opens it was bad, `after_bad` whether the last line in it was.
    """

    width: int
    real: bool
    lost: bool = False
    after_bad: bool = False


@noun(frozen=False)
class Driver:
    """One file on its way through the grammar; `found` are its findings, `whole` whether no line was bad."""

    source: Source
    tables: Tables
    found: list[Diagnostic]
    whole: bool = True
    states: list[int] = field(default_factory=lambda: [0])
    parts: list[Part | list[Part]] = field(default_factory=list[Part | list[Part]])
    levels: list[_Level] = field(default_factory=lambda: [_Level(0, real=True)])
    _bad: int = 0
    _ends: dict[int, int | None] = field(default_factory=dict[int, int | None])
    _words: int = 0

    def run(self, lines: Sequence[Line]) -> Made:
        """Read every line."""
        for line in lines:
            self._indent(line)
            self._line(line)
            if self._bad > BAD_LINES_LIMIT or self._words > WORDS_LIMIT:
                break
        at = len(self.source.text)
        self._complete()
        while len(self.levels) > 1:
            self._dedent(at)
        self._feed(Token("$END", "", at, at))
        made = self.parts[-1]
        assert isinstance(made, Made)  # The end of the text has made the whole file of it.
        return made

    @property
    def _row(self) -> _Row:
        return self.tables.states[self.states[-1]]

    def _line(self, line: Line) -> None:
        self._settle()
        states, parts = (
            list(self.states),
            [(part, len(part) if isinstance(part, list) else 0) for part in self.parts],
        )
        lexer = Lexer(self.source.text, line.start, line.end, self.tables.words)
        seen: list[Token] = []
        try:
            while True:
                token = lexer.next(self)
                if token is None:
                    self._feed(Token("_NEWLINE", "", line.end, line.end))
                    self.levels[-1].after_bad = False
                    return
                self._feed(self._counted(token))
                seen.append(token)
        except _Refused as refused:
            wanted = self._wanted()
            self.states, self.parts = states, [_cut(part, length) for part, length in parts]
            token = refused.token if refused.token is not None and refused.token.kind != "_NEWLINE" else None
            if self._words > WORDS_LIMIT:
                self._report(too_long(self.source, line, WORDS_LIMIT))
            else:
                self._refuse(explain(self.source, self.tables.words, Stuck(line, tuple(seen), token, wanted)))
            self._feed(Token("BAD", self.source.text[line.start : line.end], line.start, line.end))
            self._feed(Token("_NEWLINE", "", line.end, line.end))

    def _counted(self, token: Token) -> Token:
        self._words += 1
        if self._words > WORDS_LIMIT:
            raise _Refused(token)
        return token

    def _refuse(self, finding: Diagnostic) -> None:
        """Report a bad line."""
        self._misplace(finding)
        self.levels[-1].after_bad = True

    def _misplace(self, finding: Diagnostic) -> None:
        """Report it, unless it only misses what a bad line should have said: an `else` behind a bad `if`."""
        level = self.levels[-1]
        if finding.code in _FOLLOWS and (level.lost or level.after_bad):
            self.whole = False
        else:
            self._report(finding)

    def _report(self, finding: Diagnostic) -> None:
        self.found.append(finding)
        self.whole = False
        self._bad += 1

    def _indent(self, line: Line) -> None:
        """Open and close blocks until the line stands where it should."""
        if line.width > self.levels[-1].width:
            self._deeper(line)
            return
        self._complete()
        while line.width < self.levels[-1].width:
            below = self.levels[-2]
            if line.width > below.width:
                known = [level.width for level in self.levels]
                self._misplace(unexpected_indent(self.source, line, known))
                self.levels[-1].width = line.width
                return
            self._dedent(line.indent)

    def _deeper(self, line: Line) -> None:
        opens = "_INDENT" in self
        if opens and sum(level.real for level in self.levels) > DEPTH_LIMIT:
            self._report(too_deep(self.source, line, DEPTH_LIMIT))
            opens = False
            self._fill(line.start)
        elif not opens:
            self._misplace(unexpected_indent(self.source, line, [level.width for level in self.levels]))
        if opens:
            self._feed(Token("_INDENT", "", line.start, line.start))
        outer = self.levels[-1]
        self.levels.append(_Level(line.width, opens, outer.lost or outer.after_bad))

    def _complete(self) -> None:
        """Report a block that must come and does not come."""
        if "_INDENT" in self and "BAD" not in self:
            last = self.parts[-1]
            assert isinstance(last, Token)  # The end of the line that opens the block.
            self._report(missing_block(self.source, last.start))
            self._fill(last.start)

    def _fill(self, at: int) -> None:
        """In the place of a block, one line that says nothing."""
        for kind in ("_INDENT", "BAD", "_NEWLINE", "_DEDENT"):
            self._feed(Token(kind, "", at, at))

    def _dedent(self, at: int) -> None:
        if self.levels.pop().real:
            self._feed(Token("_DEDENT", "", at, at))

    def _feed(self, token: Token) -> None:
        """Take a terminal, after the rules that end before it."""
        tables = self.tables
        while True:
            action = tables.states[self.states[-1]].get(token.kind)
            if action is None:
                raise _Refused(token)
            if action >= 0:
                self.states.append(action)
                self.parts.append(token)
                return
            if not self._reduce(~action) and token.kind == "$END":
                return

    def _settle(self) -> None:
        """End the rules that end here whatever comes, so that the lexer is told what can really come."""
        while (number := self._only_rule(self.states[-1])) is not None:
            self._reduce(number)

    def _only_rule(self, state: int) -> int | None:
        """The rule that ends in a state before every terminal."""
        if state not in self._ends:
            actions = set(self.tables.states[state].values())
            action = actions.pop() if len(actions) == 1 else 0
            self._ends[state] = ~action if action < 0 else None
        return self._ends[state]

    def _reduce(self, number: int) -> bool:
        """Make a rule of its parts; whether there is more to come after it."""
        rule = self.tables.rules[number]
        size = rule.length
        parts: list[Part] = []
        if size:
            first, *taken = self.parts[-size:]
            # A list grows by one line of thousands: a copy each time would take too long.
            parts = first if isinstance(first, list) else [first]
            for part in taken:
                if isinstance(part, list):
                    parts += part
                else:
                    parts.append(part)
            del self.parts[-size:]
            del self.states[-size:]
        self.parts.append(parts if rule.name.startswith("_") else Made(rule.name, tuple(parts)))
        self.states.append(self.tables.states[self.states[-1]][rule.name])
        return self.states[-1] != self.tables.end

    def __contains__(self, kind: object) -> bool:
        """Whether a terminal would be taken now; a row tells what is taken in any place like this one."""
        action = self._row.get(str(kind))
        return action is not None and (action >= 0 or self._takes(str(kind)))

    def _wanted(self) -> frozenset[str]:
        """The terminals that would be taken here, whatever the tables promise."""
        return frozenset(kind for kind in self._row if kind.isupper() and self._takes(kind))

    def _takes(self, kind: str) -> bool:
        states = list(self.states)
        while True:
            action = self.tables.states[states[-1]].get(kind)
            if action is None or action >= 0:
                return action is not None
            rule = self.tables.rules[~action]
            if rule.length:
                del states[-rule.length :]
            states.append(self.tables.states[states[-1]][rule.name])


def _cut(part: Part | list[Part], length: int) -> Part | list[Part]:
    """A list as long as it was; anything else as it is."""
    if isinstance(part, list):
        del part[length:]
    return part
