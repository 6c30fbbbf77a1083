"""Diagnostics come in; text for people, one line each, or JSON goes out.

The layout for people is that of rustc, which many know:

    error[F0201]: `totl` is not defined
      --> orders.flow.yaml:14:22
       |
    14 |       call: o.charge(totl)
       |                      ^^^^ did you mean `total`?
       |
    help: run `flowc explain F0201`

`^` marks the place itself, `-` a second place with its label. The lines of all places are shown in the
order of the file, `...` between lines that are not neighbours. Of a place that goes over several lines the
first is shown. A line that is wider than a window is cut with `…` on either side of what is marked. What
would disturb a terminal (control characters, changes of direction) is never printed as it is.
"""

from collections.abc import Iterable, Sequence

from flowc.diagnostic import Diagnostic
from flowc.render.text_cells import cells, printable
from flowc.span import Source, Span
from flowrt.noun import noun

MOST = 50
"""More findings in one file than anybody reads on a terminal."""

_WIDEST = 120
_BEFORE = 50

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "bold": "1",
    "frame": "1;34",
    "help": "1;32",
}


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings by file, place and code; exact doubles only once."""
    return sorted(
        dict.fromkeys(diagnostics),
        key=lambda d: (d.source.name, d.span.start, d.span.end, d.code, d.message),
    )


def render_text(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """The findings for people, an empty line between them; empty text when there are none.

    Of a file with very many findings the first `MOST` are shown, errors before all others.
    """
    pen = _Pen(color)
    parts: list[str] = []
    for findings in _by_file(ordered(diagnostics)):
        shown = ordered(sorted(findings, key=lambda d: d.severity != "error")[:MOST])
        parts += [_finding(d, pen) for d in shown]
        if len(findings) > len(shown):
            more = f"{len(findings) - len(shown):,} more findings in {_flat(findings[0].source.name)}"
            parts.append(f"… and {more}; `flowc validate --format concise` shows all\n")
    return "\n".join(parts)


def _by_file(diagnostics: list[Diagnostic]) -> list[list[Diagnostic]]:
    files: dict[str, list[Diagnostic]] = {}
    for d in diagnostics:
        files.setdefault(d.source.name, []).append(d)
    return list(files.values())


def render_concise(diagnostics: Iterable[Diagnostic]) -> str:
    """One line a finding: `file:line:column: severity CODE: message (hint)`."""
    lines: list[str] = []
    for d in ordered(diagnostics):
        line, column = d.source.position(d.span.start)
        hint = f" ({d.hint})" if d.hint else ""
        place = f"{d.source.name}:{line}:{column}"
        lines.append(_flat(f"{place}: {d.severity} {d.code}: {d.message}{hint}") + "\n")
    return "".join(lines)


def render_json(diagnostics: Iterable[Diagnostic], *, files: int, not_checked: Sequence[str]) -> str:
    """The report of `flowc validate --format json`; lines and columns are from 1, ends are exclusive.

    Args:
        diagnostics: The findings.
        files: How many files were checked.
        not_checked: What was left out, such as the signatures of callables.
    """
    import json  # noqa: PLC0415 - only this form needs it.

    report = {
        "files": files,
        "findings": [_as_data(d) for d in ordered(diagnostics)],
        "not_checked": list(not_checked),
    }
    return json.dumps(report, indent=2)


def _as_data(d: Diagnostic) -> dict[str, object]:
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        "file": d.source.name,
        **_range(d.source, d.span),
        "help": "\n".join(part for part in (d.hint, d.help) if part),
        "labels": [{"text": label.text, **_range(d.source, label.span)} for label in d.labels],
        "fixes": [
            {
                "title": fix.title,
                "safe": fix.safe,
                "replacement": fix.replacement,
                **_range(d.source, fix.span),
            }
            for fix in d.fixes
        ],
        "url": None,
    }


def _range(source: Source, span: Span) -> dict[str, int]:
    line, column = source.position(span.start)
    end_line, end_column = source.position(max(span.start, span.end))
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


@noun
class _Pen:
    """Writes in colour, or plainly."""

    color: bool

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text


@noun
class _Mark:
    """One place to show: its line, the columns from 0 within it, and the words behind the marks."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


def _finding(d: Diagnostic, pen: _Pen) -> str:
    marks = [_mark(d.source, d.span, d.hint, primary=True)]
    marks += [_mark(d.source, label.span, label.text, primary=False) for label in d.labels]
    width = max(len(str(mark.line)) for mark in marks)
    line, column = d.source.position(d.span.start)
    bar = pen("frame", " " * width + " |")
    out = [
        pen(d.severity, f"{d.severity}[{d.code}]") + pen("bold", f": {_flat(d.message)}"),
        pen("frame", " " * width + "-->") + f" {_flat(d.source.name)}:{line}:{column}",
        bar,
        *_snippet(d, marks, width, pen),
        bar,
        *_helps(d, pen),
    ]
    return "".join(line.rstrip() + "\n" for line in out)


def _helps(d: Diagnostic, pen: _Pen) -> list[str]:
    own = d.help or (d.fixes[0].title if d.fixes and not d.hint else "")
    lines: list[str] = []
    for text in filter(None, (own, f"run `flowc explain {d.code}`")):
        first, *more = text.rstrip().split("\n")
        lines.append(pen("help", "help") + f": {_flat(first)}")
        lines += [f"      {printable(line)}" for line in more]
    return lines


def _mark(source: Source, span: Span, text: str, *, primary: bool) -> _Mark:
    line, column = source.position(min(span.start, len(source.text)))
    length = len(source.line(line))
    start = min(column - 1, length)
    end = start + max(1, span.end - span.start)
    return _Mark(line, start, max(start + 1, min(end, length)), _flat(text), primary)


def _snippet(d: Diagnostic, marks: list[_Mark], width: int, pen: _Pen) -> list[str]:
    out: list[str] = []
    last = 0
    for number in sorted({mark.line for mark in marks}):
        if last and number == last + 2:
            between = _Window.on(d.source.line(last + 1), 0)
            out.append(pen("frame", f"{last + 1:>{width}} |") + f" {between.text}")
        elif last and number > last + 1:
            out.append(pen("frame", "..."))
        here = sorted((m for m in marks if m.line == number), key=lambda m: (not m.primary, m.start))
        window = _Window.on(d.source.line(number), here[0].start)
        out.append(pen("frame", f"{number:>{width}} |") + f" {window.text}")
        bar = pen("frame", " " * width + " |")
        out += [f"{bar} {_underline(mark, window, d, pen)}" for mark in here]
        last = number
    return out


def _underline(mark: _Mark, window: "_Window", d: Diagnostic, pen: _Pen) -> str:
    start, end = window.place(mark.start), window.place(mark.end)
    words = f" {mark.text}" if mark.text else ""
    sign, style = ("^", d.severity) if mark.primary else ("-", "frame")
    return " " * start + pen(style, sign * max(1, end - start) + words)


@noun
class _Window:
    """The part of a line that is printed: from character `first`, with `…` where something is left out."""

    line: str
    first: int
    text: str

    @classmethod
    def on(cls, line: str, at: int) -> "_Window":
        """A window on a line that has character `at` in it."""
        if len(line) <= _WIDEST and cells(printable(line)) <= _WIDEST:
            return cls(line, 0, printable(line))
        first = at - _BEFORE if at > _WIDEST // 2 else 0
        shown = printable(line[first : first + _WIDEST])
        while cells(shown) > _WIDEST - 2:
            shown = shown[:-1]
        end = "…" if printable(line[first : first + _WIDEST + 1]) != shown else ""
        return cls(line, first, ("…" if first else "") + shown + end)

    def place(self, at: int) -> int:
        """The cell in which character `at` of the line stands, within the window."""
        if at < self.first:
            return 0
        left_out = 1 if self.first else 0
        return min(
            left_out + cells(printable(self.line[self.first : min(at, self.first + _WIDEST)])), _WIDEST
        )


def _flat(text: str) -> str:
    """One printable line."""
    return printable(" ".join(text.split("\n")))
