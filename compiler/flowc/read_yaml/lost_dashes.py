"""A map with keys that stand twice comes in; the list of steps goes out that it was meant to be, if it was.

    steps:
      id: a              - id: a
      call: t.load()       call: t.load()
      id: b         ──▶  - id: b
      call: t.clean(a)     call: t.clean(a)

Where steps stand, each repetition of a key begins the next step. It is taken for that only if every part then
says what kind of step it is: else a key stands twice because it does.
"""

from collections.abc import Iterator

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.read_yaml.frame import Frame
from flowc.read_yaml.words import short
from flowc.span import Source, Span
from flowc.tree import Entry, Mapping, Sequence

_STEP_KEYS = frozenset({"steps", "do", "then", "else", "try", "saga", "finally"})
_KINDS = frozenset(
    """
    call value if switch for while until sleep wait emit race try saga graph do lock start return raise fail
    """.split()  # noqa: SIM905 - reads better than twenty quotes
)
_LINES = 12


def steps_without_dashes(
    source: Source, entries: list[Entry], outer: list[Frame], findings: list[Diagnostic]
) -> Sequence | None:
    """The steps whose dashes are missing, which is reported; None when the map is something else."""
    around = outer[-1] if outer else None
    if around is None or around.key is None or around.flow or around.key.text not in _STEP_KEYS:
        return None
    parts = list(_parts(entries))
    if not all(any(entry.key.text in _KINDS for entry in part) for part in parts):
        return None
    whole = Span(entries[0].key.span.start, max(entries[-1].key.span.end, entries[-1].value.span.end))
    second = parts[1][0].key
    column = whole.start - (source.text.rfind("\n", 0, whole.start) + 1)
    better = _dashed(source, parts, whole, column)
    first = next(entry.key for entry in parts[0] if entry.key.text == second.text)
    findings.append(
        Diagnostic(
            "F0006",
            f"the key `{short(second.text)}` stands twice in this map",
            source,
            second.span,
            hint="does the next step begin here?",
            help=f"write each step with a dash:\n{_shown(better, column)}",
            labels=(Label(first.span, "first here"),),
            fixes=(Fix(whole, better, "add the dashes", safe=True),),
        )
    )
    items = (Mapping(_span(part), tuple(part), flow=False) for part in parts)
    return Sequence(whole, tuple(items), flow=False)


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    """The entries, cut before each key that the part so far has already."""
    part: list[Entry] = []
    for entry in entries:
        if any(entry.key.text == other.key.text for other in part):
            yield part
            part = []
        part.append(entry)
    yield part


def _span(part: list[Entry]) -> Span:
    last = part[-1]
    return Span(part[0].key.span.start, max(last.key.span.end, last.value.span.end))


def _dashed(source: Source, parts: list[list[Entry]], whole: Span, column: int) -> str:
    starts = [part[0].key.span.start for part in parts]
    items: list[str] = []
    for start, end in zip(starts, [*starts[1:], whole.end], strict=True):
        first, *rest = source.text[start:end].rstrip().split("\n")
        items.append("\n".join([f"- {first}", *(f"  {line}" if line.strip() else line for line in rest)]))
    return f"\n{' ' * column}".join(items)


def _shown(text: str, column: int) -> str:
    lines = (" " * column + text).split("\n")
    told = [f"  {line[column:]}".rstrip() for line in lines[:_LINES]]
    return "\n".join([*told, "  …"] if len(lines) > _LINES else told)
