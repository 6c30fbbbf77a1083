"""The words of the language as far as the reader knows them, and how long a text is shown in a message."""

WORDS: frozenset[str] = frozenset(
    """
    flowc use events actors flow doc inputs returns defaults timeout schedule labels steps graph result
    id call with options retry heartbeat cache undo value if then else switch cases is for parallel
    errors need batch collect do while until max every sleep wait key match emit race try catch finally
    saga after failure lock limit start return raise fail type default min choices delay factor cap jitter
    unless within
    """.split()  # noqa: SIM905 - reads better than a hundred quotes
)
"""The keys of the language: a line that begins with one of them was meant to be `key: value`."""

_SHORT = 40


def short(text: str) -> str:
    """A text of the author as a part of a sentence."""
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
