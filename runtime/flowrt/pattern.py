"""Patterns: the text of a regular expression comes in; out goes one that is compiled at its first use.

Compiling takes 0.05 to 0.5 ms a pattern. The modules that `flowc validate` loads hold some fifty patterns,
most of them for what few flows have in them, so that compiling them all would be a tenth of its start.
"""

import re
from typing import cast

_METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """The same as `re.compile`, but for when the work is done; a mistake in `text` shows at the first use."""
    return cast(re.Pattern[str], _Pattern(text, flags))


class _Pattern:
    """Empty slots until the first use; from then on the methods of the compiled pattern are its own."""

    __slots__ = ("_flags", "_text", *_METHODS)

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        """Reached for what is not there yet, and for the rarely used rest of `re.Pattern`."""
        compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
