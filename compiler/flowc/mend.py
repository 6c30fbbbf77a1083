"""A text and what finds the mistakes in it come in; the text goes out with the fixes of findings applied.

Fixes are applied in passes, for one may bring what the next needs: a file that is no YAML has to become that
before its steps can be looked at. In a pass those come that do not overlap, in the order of the text; of two
that overlap the first one does, and the other has its turn in a later pass, if it is still found.

No pass is believed. The text that it gives is looked at again, and is taken only if what was fixed is gone
and nothing else came. There is one exception: what is found late (names, say) is not looked for while
something is wrong that is found early (lines), YAML's reader stops at what is no YAML, and of a bad line of
the DSL the first thing is told. So findings of a later stage than those fixed, any about reading when one of
these was fixed, and more about a line that was changed, may come: they were there before. A pass that did
harm is taken back, and its first fix tried alone; one that does harm by itself is left out.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from flowc.diagnostic import Diagnostic, Fix
from flowc.span import Source
from flowrt.noun import noun

Find = Callable[[Source], Sequence[Diagnostic]]

PASSES_MAX = 200
"""So many passes are made at most: what then could be fixed still is left to the next time."""

_EARLY, _MIDDLE, _LATE = 0, 1, 2
_STAGES = {"F00": _EARLY, "F02": _LATE}


@noun
class Change:
    """A fix that was applied, and the finding that it mended, in the text as it was in its pass."""

    finding: Diagnostic
    fix: Fix


@noun
class Mended:
    """The new text, the changes in the order in which they were made, and what is still found."""

    text: str
    changes: tuple[Change, ...]
    left: tuple[Diagnostic, ...]


def mended(source: Source, find: Find, *, unsafe: bool = False) -> Mended:
    """Apply the safe fixes of the findings in a text; with `unsafe`, the first fix of each finding.

    Args:
        source: The text.
        find: All findings in a text; those of other files are left alone.
        unsafe: Whether to apply fixes that may change what the author means.
    """
    found = find(source)
    made: list[Change] = []
    harmful: set[tuple[str, str]] = set()
    alone = False
    for _ in range(PASSES_MAX):
        changes = _fitting(source, found, harmful, unsafe=unsafe)
        if alone:
            changes = changes[:1]
        if not changes:
            break
        tried = Source(source.name, applied(source.text, [change.fix for change in changes]))
        after = find(tried)
        if _is_gone(after, changes) and _is_no_worse(found, after, changes, tried):
            source, found = tried, after
            made += changes
            alone = False
        elif len(changes) == 1:
            harmful.add(_key(changes[0].finding))
            alone = False
        else:
            alone = True
    return Mended(source.text, tuple(made), tuple(found))


def fix_of(finding: Diagnostic, *, unsafe: bool) -> Fix | None:
    """The fix of a finding that is to be applied."""
    return next((fix for fix in finding.fixes if fix.safe or unsafe), None)


def applied(text: str, fixes: Sequence[Fix]) -> str:
    """A text with fixes that do not overlap, in the order of the text."""
    parts: list[str] = []
    at = 0
    for fix in fixes:
        parts += [text[at : fix.span.start], fix.replacement]
        at = fix.span.end
    return "".join([*parts, text[at:]])


def _fitting(
    source: Source, found: Sequence[Diagnostic], harmful: Collection[tuple[str, str]], *, unsafe: bool
) -> list[Change]:
    """The changes of one pass, in the order of the text."""
    possible = [
        Change(finding, fix)
        for finding in found
        if finding.source.name == source.name and _key(finding) not in harmful
        for fix in [fix_of(finding, unsafe=unsafe)]
        if fix is not None
    ]
    possible.sort(key=lambda change: (change.fix.span.start, change.fix.span.end))
    fitting: list[Change] = []
    for change in possible:
        last = fitting[-1].fix.span if fitting else None
        if last is None or (change.fix.span.start >= last.end and change.fix.span.start > last.start):
            fitting.append(change)
    return fitting


def _is_gone(after: Sequence[Diagnostic], changes: Sequence[Change]) -> bool:
    """Whether what was fixed is not found again, in the place where it would be now."""
    places = {(*_key(finding), finding.span.start) for finding in after}
    return not any(
        (*_key(change.finding), _moved(change.finding.span.start, changes)) in places for change in changes
    )


def _is_no_worse(
    before: Sequence[Diagnostic], after: Sequence[Diagnostic], changes: Sequence[Change], text: Source
) -> bool:
    """Whether every error that has come must have been there, hidden."""
    stage = min(_stage(change.finding) for change in changes)
    lines = {
        text.position(_moved(change.fix.span.start, changes) + at)[0]
        for change in changes
        for at in (0, len(change.fix.replacement))
    }
    known = Counter(_key(finding) for finding in before)
    for finding in after:
        if finding.severity != "error":
            continue
        known[_key(finding)] -= 1
        early = _stage(finding) == _EARLY
        on_line = text.position(finding.span.start)[0] in lines
        was_hidden = _stage(finding) > stage or (early and (stage == _EARLY or on_line))
        if known[_key(finding)] < 0 and not was_hidden:
            return False
    return True


def _moved(at: int, changes: Sequence[Change]) -> int:
    """Where a place is after the changes before it."""
    grown = (
        len(change.fix.replacement) - (change.fix.span.end - change.fix.span.start)
        for change in changes
        if change.fix.span.end <= at
    )
    return at + sum(grown)


def _stage(finding: Diagnostic) -> int:
    return _STAGES.get(finding.code[:3], _MIDDLE)


def _key(finding: Diagnostic) -> tuple[str, str]:
    return finding.code, finding.message
