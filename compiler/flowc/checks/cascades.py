"""The findings of the checks and of earlier stages come in; out go those that the earlier do not explain.

One fault, one finding. A step whose id could not be read assigns nothing, so every reader of that id would be
reported as well; an `errors:` that could not be read leaves the fields of its loop unknown. The stages before
say only what they found, not what was lost by it, so this works from places and words:

1. A finding that overlaps an earlier error is about the same text.
2. A finding about a word that stands on a line of an earlier error about keys or names is explained by
   that line: the line was to assign it, declare it or say what it is.
3. Where names were lost without a trace (an `id` that is a list, a map of inputs that is none, text that
   YAML cut off) a name that resembles no other is taken for one of them.

Too much passed over costs another run after the first fault is mended; too little costs the author's trust.
"""

from collections.abc import Sequence

from flowc.diagnostic import Diagnostic
from flowc.span import Source
from flowrt.pattern import pattern

ERRORS_MAX = 200
LINES_MAX = 20
"""So many errors, and lines of each, are looked at."""

ABOUT_WORDS = frozenset({"F0201", "F0202", "F0203", "F0205", "F0206", "F0207", "F0209", "F0214"})
"""The rules whose findings point at a word."""

LOSE_NAMES = frozenset({"F0103", "F0104", "F0105", "F0111"})
"""Findings of `resolve` after which a step, an input or an event may be there without its name."""

LOSE_WORDS = ("F00", "F01")
"""The families whose findings may be about a key or a name; an expression or duration loses none."""

NEED_NAMES = ABOUT_WORDS | {"F0211", "F0217", "F0218"}
"""The rules that such a loss sets off."""

FROM_STEPS = frozenset({"F0205"})
"""The rules that draw their conclusion from the keys of the step at their label."""

_WORD = pattern(r"\w+")


def unexplained(findings: Sequence[Diagnostic], earlier: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The findings that are faults of their own."""
    errors = [each for each in earlier if each.severity == "error"][:ERRORS_MAX]
    if not errors:
        return list(findings)
    words = frozenset(word for each in errors if each.code.startswith(LOSE_WORDS) for word in _words(each))
    names_lost = any(each.code in LOSE_NAMES or each.code.startswith("F00") for each in errors)
    return [
        finding
        for finding in findings
        if not any(_overlap(finding, error) for error in errors)
        and not (finding.code in ABOUT_WORDS and _text(finding) in words)
        and not (names_lost and finding.code in NEED_NAMES and not finding.fixes)
    ]


def _overlap(finding: Diagnostic, error: Diagnostic) -> bool:
    """Whether an error is about the text of a finding, or about the step that is the reason for it."""
    spans = [finding.span]
    if finding.code in FROM_STEPS:
        spans.extend(label.span for label in finding.labels)
    return any(span.start < error.span.end and error.span.start < span.end for span in spans)


def _text(finding: Diagnostic) -> str:
    return finding.source.text[finding.span.start : finding.span.end]


def _words(error: Diagnostic) -> list[str]:
    """The words on the lines of an error."""
    source: Source = error.source
    first, _ = source.position(error.span.start)
    last, _ = source.position(max(error.span.start, error.span.end - 1))
    lines = range(first, min(last, first + LINES_MAX - 1) + 1)
    return [word for number in lines for word in _WORD.findall(source.line(number))]
