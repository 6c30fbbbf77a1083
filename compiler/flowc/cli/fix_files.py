"""`flowc validate --fix`. In: flow files. Out: the files with fixes applied, and what was done.

A file is written whole or not at all, and only if it is still what was read. What was changed is told on
stderr, so that stdout has the findings that are left, or the fixed text when that came through stdin.
"""

import sys
from collections.abc import Callable, Sequence
from difflib import unified_diff
from pathlib import Path

from flowc.cli.replace_file import replace_unchanged
from flowc.diagnostic import Diagnostic
from flowc.link import read_named
from flowc.mend import Mended, mended
from flowc.read_yaml.source_text import decode
from flowc.span import Source

Find = Callable[[str, bytes], Sequence[Diagnostic]]

_BOM = b"\xef\xbb\xbf"


def fix_file(path: str, find: Find, *, unsafe: bool) -> bool:
    """Fix a file; False when it could not be written. One that cannot be read is left to who checks it."""
    try:
        data = read_named(path)
    except OSError:
        return True
    made = fixed(path, data, find, unsafe=unsafe)
    if made is None or not made.changes:
        return True
    if not replace_unchanged(Path(path), data, _bytes(made, data)):
        return False
    _tell(made)
    return True


def fix_stdin(name: str, data: bytes, find: Find, *, unsafe: bool) -> bytes:
    """The bytes that came through stdin, fixed."""
    made = fixed(name, data, find, unsafe=unsafe)
    if made is None:
        return data
    _tell(made)
    return _bytes(made, data)


def diff_of(name: str, data: bytes, find: Find, *, unsafe: bool) -> str:
    """What fixing would change, as a diff; empty when it would change nothing."""
    made = fixed(name, data, find, unsafe=unsafe)
    if made is None or not made.changes:
        return ""
    before, after = data.decode().splitlines(keepends=True), made.text.splitlines(keepends=True)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(before, after, name, name)
    )


def fixed(name: str, data: bytes, find: Find, *, unsafe: bool) -> Mended | None:
    """A text with its fixes applied; None when the bytes are no text."""
    source, wrong = decode(name, data)
    if wrong:
        return None

    def look(text: Source) -> Sequence[Diagnostic]:
        return find(name, text.text.encode())

    return mended(source, look, unsafe=unsafe)


def _bytes(made: Mended, data: bytes) -> bytes:
    mark = _BOM if data.startswith(_BOM) else b""
    return mark + made.text.encode()


def _tell(made: Mended) -> None:
    for change in made.changes:
        source = change.finding.source
        line, column = source.position(change.fix.span.start)
        title = change.fix.title.replace("\n", " ")
        sys.stderr.write(f"{source.name}:{line}:{column}: fixed {change.finding.code}: {title}\n")
