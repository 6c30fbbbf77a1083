"""The regular expressions of names, durations and sizes, in the common subset of Python's and JavaScript's.

Editors match them with JavaScript, our tests with Python. A pattern never refuses what flowc accepts; that it
lets some things pass that flowc refuses (keywords as names, units out of order) is what `flowc validate` is
for.
"""

# Every character beyond ASCII may be a letter: which ones are, the two languages do not agree about.
_FIRST = r"[^\x00-@\[-\^`{-\x7f]"
_NEXT = r"[^\x00-/:-@\[-\^`{-\x7f]"
NAME = f"^{_FIRST}{_NEXT}*$"

_COMPUTED = r"\$\{\{"
_NUMBER = r"[0-9]+(\.[0-9]+)?"
_PARTS = "".join(f"({_NUMBER}{unit})?" for unit in ("w", "d", "h", "m", "s", "ms", "us"))
_ISO = f"P({_NUMBER}W)?({_NUMBER}D)?(T({_NUMBER}H)?({_NUMBER}M)?({_NUMBER}S)?)?"

DURATION = rf"^\s*({_PARTS}|{_ISO})\s*$|{_COMPUTED}"
FIXED_DURATION = rf"^\s*({_PARTS}|{_ISO})\s*$"
SIZE = rf"^\s*{_NUMBER} ?([KMGTP]i?B|B)\s*$|{_COMPUTED}"
BINDER = r"\S\s+in\s+\S"
