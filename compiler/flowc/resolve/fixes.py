"""The findings about a flow in the DSL come in; out they go without the fixes that would write YAML into it.

What is found after reading is found in the tree, which is the same for both syntaxes, and most of its fixes
are words of YAML at places of YAML. What replaces a word by a word, or stands inside an expression, fits
both.
"""

from collections.abc import Iterable

from flowc.diagnostic import Diagnostic, Fix
from flowrt.noun import replace
from flowrt.pattern import pattern

_WORD = pattern(r"[\w.]+")
_OF_EXPRESSIONS = "F03"


def fitting_the_dsl(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings, each with those of its fixes that fit."""
    return [replace(each, fixes=tuple(fix for fix in each.fixes if _fits(each, fix))) for each in diagnostics]


def _fits(finding: Diagnostic, fix: Fix) -> bool:
    if finding.code.startswith(_OF_EXPRESSIONS):
        return True
    text = finding.source.text[fix.span.start : fix.span.end]
    return _WORD.fullmatch(text) is not None and _WORD.fullmatch(fix.replacement) is not None
