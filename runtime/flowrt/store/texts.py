"""Texts as every database takes them. In: any `str`; out: one without NUL and lone surrogates, and back.

PostgreSQL keeps no NUL, and nothing keeps lone surrogates (out of arguments that are no UTF-8). Such a
text is written as JSON spells it, behind a mark; all others stay as they are. No two texts come out alike.
"""

import json
import re
from typing import overload

SPELT, AFTER_SPELT = "\x01", "\x02"
"""Between these lie the texts that are written in another way."""
_UNWRITABLE = re.compile("^\x01|[\x00\ud800-\udfff]")


@overload
def spelt(text: str) -> str: ...


@overload
def spelt(text: str | None) -> str | None: ...


def spelt(text: str | None) -> str | None:
    """The text that stands for `text` in a database."""
    if text is None or not _UNWRITABLE.search(text):
        return text
    return SPELT + json.dumps(text)


def unspelt(text: str) -> str:
    """The text that `spelt` was given. Raises ValueError for what it never gives."""
    return str(json.loads(text.removeprefix(SPELT))) if text.startswith(SPELT) else text


def unspelt_or_none(text: str | None) -> str | None:
    """As `unspelt`, where there may be none."""
    return None if text is None else unspelt(text)


def lenient(data: bytes) -> str:
    """A text as SQLite gives it.

    One that is damaged does not keep the rows beside it from being read; by its checksum it is found out
    where it is used.
    """
    return data.decode("utf-8", "replace")
