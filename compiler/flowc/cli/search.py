"""Which files to validate. In: paths as given. Out: flow files, in order, each once.

A file is taken as it is given, whatever its name. A directory is searched for `*.flow.yaml` and `*.flow`;
what the `.gitignore` files of a repository exclude is left out, and so are directories that never hold
flows of one's own. Links to directories are not followed, so that there are no cycles.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flowc.cli.exits import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".flow.yaml", ".flow")
NEVER_SEARCHED = frozenset({".git", ".hg", ".svn", ".venv", ".flowc", "node_modules", "__pycache__"})


def find_flow_files(paths: Sequence[str]) -> list[str]:
    """The files that the paths name or hold. Raises UsageError for a path with no file at all."""
    found: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - pathlib is slower to import than all of this
            inside = sorted(_search(path))
            if not inside:
                raise UsageError(f"No `*.flow.yaml` or `*.flow` file was found in the directory `{path}`.")
            found.update(dict.fromkeys(inside))
        else:
            found[path] = None
    return list(found)


def _search(top: str) -> Iterator[str]:
    from pathlib import Path  # Most calls name files and do without these.

    from flowrt.snapshot.gitignore import Ignore

    ignore = Ignore.above(Path(top).resolve())
    pending = [("" if top == "." else top, Path(top).resolve(), ignore)]
    while pending:
        shown, folder, outer = pending.pop()
        ignore = outer.entering(folder)
        for entry in _entries(folder):
            path = os.path.join(shown, entry.name)  # noqa: PTH118 - keeps the path as it was given
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in NEVER_SEARCHED and not ignore.matches(Path(entry.path), is_dir=True):
                    pending.append((path, Path(entry.path), ignore))
            elif (
                entry.name.endswith(SUFFIXES)
                and not ignore.matches(Path(entry.path), is_dir=False)
                and not _is_stream(entry)
            ):
                yield path


def _is_stream(entry: os.DirEntry[str]) -> bool:
    """Whether it is a pipe or a device, which may go on for ever; in doubt it is none."""
    if entry.is_file(follow_symlinks=False):
        return False
    try:
        mode = entry.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _entries(folder: "Path") -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise UsageError(f"The directory {folder} cannot be read: {error.strerror}.") from error
