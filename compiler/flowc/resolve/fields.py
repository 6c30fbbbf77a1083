"""A map of the tree and its construct come in; the entries by key go out, and what is wrong with the keys.

A key that is misspelt is reported once and then read as the key that was meant, so that what stands
under it is checked as well.
"""

from collections.abc import Mapping as Table

from flowc.diagnostic import Fix
from flowc.resolve.advice import ADVICE
from flowc.resolve.found import Found, listing
from flowc.resolve.keys import (
    CASE,
    DEFAULTS,
    EVENT,
    FILE_KEYS,
    FILE_LATER,
    FLOW,
    INPUT,
    INSTEAD,
    LATER_STEPS,
    OPTIONS,
    RETRY,
    STEPS,
    Construct,
)
from flowc.suggest import closest
from flowc.tree import Entry, Mapping, Scalar
from flowrt.noun import replace

Fields = Table[str, Entry]


def read_fields(found: Found, mapping: Mapping, construct: Construct) -> dict[str, Entry]:
    """The entries of a map by their (mended) key, in the order of the text, less what is not understood."""
    fields: dict[str, Entry] = {}
    written = {entry.key.text for entry in mapping.entries}
    for entry in mapping.entries:
        key = entry.key.text
        if key in construct.keys:
            fields[key] = entry
        elif key in construct.later:
            not_supported(found, entry.key, construct.later[key])
        else:
            meant = unknown_key(found, entry.key, construct, written)
            if meant is not None:
                fields[meant] = Entry(replace(entry.key, text=meant, value=meant), entry.value)
                written.add(meant)
    for key in construct.required:
        if key not in fields:
            found.error(
                "F0102",
                f"{construct.title} needs the key `{key}`",
                mapping.entries[0].key.span if mapping.entries else mapping.span,
                help=f"add `{key}:`, {construct.keys[key]}",
            )
    return fields


def not_supported(found: Found, key: Scalar, what: str) -> None:
    """Reports a part of the language that this version does not run; `what` ends with its verb."""
    found.error(
        "F0108",
        f"{what} not supported yet",
        key.span,
        help="this version of flowc recognises it and does not run it yet; leave it out",
    )


def unknown_key(found: Found, key: Scalar, construct: Construct, written: set[str]) -> str | None:
    """Reports a key that a construct does not have, and returns the one that was meant, if that is clear."""
    advice = ADVICE.get((construct.title, key.text))
    if advice is not None:
        found.error("F0101", f"{construct.title} has no key `{key.text}`", key.span, help=advice)
        return None
    free = [name for name in construct.keys if name not in written]
    meant = guess_key(key.text, free)
    known = listing(construct.keys)
    if meant is not None:
        found.error(
            "F0101",
            f"{construct.title} has no key `{key.text}`",
            key.span,
            hint=f"did you mean `{meant}`?",
            help=f"its keys are {known}",
            fixes=(Fix(key.span, meant, f"write `{meant}`"),),
        )
        return meant
    place = _place_of(key.text, construct)
    if place:
        found.error("F0114", f"{construct.title} has no key `{key.text}`", key.span, hint=place)
    else:
        found.error(
            "F0101", f"{construct.title} has no key `{key.text}`", key.span, help=f"its keys are {known}"
        )
    return None


def guess_key(word: str, candidates: list[str]) -> str | None:
    """The key that a wrong one stands for: another case, a word of another language, or a slip."""
    lowered = word.lower().replace("-", "_").strip()
    if lowered in candidates:
        return lowered
    for instead in INSTEAD.get(lowered, ()):
        if instead in candidates:
            return instead
    if _is_key(word):
        return None
    return closest(lowered, candidates)


def _is_key(word: str) -> bool:
    return (
        word in FLOW.keys
        or word in FILE_KEYS
        or word == "after"
        or any(word in s.keys for s in STEPS.values())
    )


_ELIF = frozenset({"elif", "elseif", "elsif", "else_if", "else if"})


def _place_of(key: str, construct: Construct) -> str:
    """Where a key belongs that stands in the wrong construct."""
    if key in _ELIF and "then" in construct.keys:
        return "put another `if` step into the list under `else:`"
    if key == "after":
        return "it orders the steps of a graph; a list runs from top to bottom"
    if key == "id" and construct.title.endswith("step"):
        return "this step has no value that could have a name"
    if key in FILE_KEYS or key in FILE_LATER:
        return "it belongs to the first flow of the file"
    homes = [c.title for c in (*STEPS.values(), CASE, RETRY, INPUT, EVENT, DEFAULTS) if key in c.keys]
    if key in FLOW.keys and construct.title != FLOW.title:
        homes.append(FLOW.title)
    if key in OPTIONS:
        homes.append("`options`")
    if key in LATER_STEPS:
        homes.append(f"`{key}` steps")
    homes = [home for home in homes if home != construct.title][:3]
    return f"it belongs to {' or '.join(homes)}" if homes else ""
