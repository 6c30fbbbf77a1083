"""The files below a folder that belong to a snapshot. In: a folder. Out: files, and what is left out and why.

Left out is what git ignores, what is made again by itself (bytecode, environments, packages of other
languages), what is likely to be secret, stores, and what is not a file. A link is followed as long as it
stays below the folder: what is packed is what it leads to.

A folder may be a home or hold a million files. So the walk ends with `TooMuch` as soon as it has seen
more than a project has: then no snapshot is made at all, for half of one would fail later and elsewhere.
"""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flowrt.noun import noun
from flowrt.snapshot.gitignore import Ignore
from flowrt.snapshot.secret_files import secret_file, secret_folder

MIB = 1 << 20
FILE_MAX = 10 * MIB
TOTAL_MAX = 100 * MIB
FILES_MAX = 20_000
SEEN_MAX = 200_000
WALK_S = 10.0
DEEPEST = 100

_MADE = {
    ".git": "version control",
    ".hg": "version control",
    ".svn": "version control",
    ".bzr": "version control",
    "CVS": "version control",
    "node_modules": "packages of another language",
    "__pycache__": "bytecode",
    ".mypy_cache": "a cache",
    ".pytest_cache": "a cache",
    ".ruff_cache": "a cache",
    ".hypothesis": "a cache",
    ".ipynb_checkpoints": "a cache",
    ".tox": "an environment",
    ".nox": "an environment",
    ".flowc": "a store",
}
_JOURNAL = "journal.db"
_ENVIRONMENT = "pyvenv.cfg"
_BLOB_FOLDER = re.compile(r"[0-9a-f]{2}")
_BLOB = re.compile(r"[0-9a-f]{62}")


class TooMuch(Exception):
    """There is more than a snapshot takes; the text says what."""


@noun
class Found:
    """A file to be packed: where it is, its name below the folder with `/`, its size, whether it is run."""

    path: str
    name: str
    size: int
    executable: bool


@dataclass(slots=True)
class Tally:
    """What was seen in all folders of a snapshot so far."""

    seen: int = 0
    files: int = 0
    size: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + WALK_S)

    def see(self, folder: str) -> None:
        """Count one entry. Raises TooMuch."""
        self.seen += 1
        if self.seen > SEEN_MAX or (self.seen % 64 == 0 and time.monotonic() > self.until):
            raise TooMuch(f"{folder} lies in a tree too large to look through")

    def take(self, path: str, size: int) -> None:
        """Count one file to be packed. Raises TooMuch."""
        self.files += 1
        self.size += size
        if size > FILE_MAX:
            raise TooMuch(f"{path} has {size / MIB:.0f} MB, and a file may have {FILE_MAX // MIB}")
        if self.files > FILES_MAX:
            raise TooMuch(f"there are more than {FILES_MAX:,} files (the last one seen is {path})")
        if self.size > TOTAL_MAX:
            raise TooMuch(f"the files have more than {TOTAL_MAX // MIB} MB (the last one seen is {path})")


@dataclass(slots=True)
class Walk:
    """What the walk of one folder found; `folders` are the real paths of all folders that it entered."""

    root: str
    files: list[Found] = field(default_factory=list[Found])
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    folders: dict[str, str] = field(default_factory=dict[str, str])


@noun
class _Folder:
    """A folder to be looked into; `chain` are the real paths that led to it."""

    path: str
    name: str
    ignore: Ignore
    chain: tuple[str, ...]


def walk(root: str, tally: Tally) -> Walk:
    """Everything below a folder that is to be packed, in order of the names.

    Args:
        root: A real path.
        tally: Counts for all folders of the snapshot. Raises TooMuch.
    """
    found = Walk(root)
    pending = [_Folder(root, "", Ignore.above(Path(root)), (root,))]
    while pending:
        folder = pending.pop()
        found.folders.setdefault(folder.chain[-1], folder.name)
        ignore = folder.ignore.entering(Path(folder.path))
        inner = [
            _Folder(path, name, ignore, folder.chain) for path, name in _look(folder, ignore, found, tally)
        ]
        for one in reversed(inner):
            chain = _chain(one, found)
            if chain is not None:
                pending.append(_Folder(one.path, one.name, one.ignore, chain))
    found.files.sort(key=lambda file: file.name)
    return found


def _look(folder: _Folder, ignore: Ignore, found: Walk, tally: Tally) -> Iterator[tuple[str, str]]:
    """Take the files of one folder; give the folders in it, in order."""
    try:
        with os.scandir(folder.path) as scan:
            entries: list[os.DirEntry[str]] = []
            for entry in scan:
                tally.see(folder.path)
                entries.append(entry)
    except OSError as error:
        found.left_out.append((folder.path, f"cannot be read: {error.strerror}"))
        return
    why = _whole(folder, [entry.name for entry in entries])
    if why:
        found.left_out.append((folder.path, why))
        return
    for entry in sorted(entries, key=lambda one: one.name):
        name = f"{folder.name}/{entry.name}" if folder.name else entry.name
        is_folder = _is_folder(entry)
        reason = _unwanted(entry, ignore, is_folder=is_folder) or _leads_out(entry, found.root)
        if reason:
            found.left_out.append((entry.path, reason))
        elif is_folder:
            yield entry.path, name
        else:
            _take(entry, name, found, tally)


def _whole(folder: _Folder, names: list[str]) -> str:
    """Why a whole folder is left out because of what is in it; empty when it is not."""
    if _ENVIRONMENT in names:
        return "a virtual environment"
    if _JOURNAL in names:
        return "a store"
    last = folder.name.rpartition("/")[2]
    if _BLOB_FOLDER.fullmatch(last) and names and all(_BLOB.fullmatch(name) for name in names):
        return "values of a store"
    return ""


def _unwanted(entry: "os.DirEntry[str]", ignore: Ignore, *, is_folder: bool) -> str:
    if entry.name in _MADE:
        return _MADE[entry.name]
    if secret_folder(entry.name) if is_folder else secret_file(entry.name):
        return "it may hold secrets"
    if ignore.rules and ignore.matches(Path(entry.path), is_dir=is_folder):
        return "git ignores it"
    try:
        entry.path.encode()
    except UnicodeEncodeError:
        return "its name is not text"
    return ""


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _leads_out(entry: "os.DirEntry[str]", root: str) -> str:
    """Why a link is not followed; empty for what is no link, and for one that stays below the folder."""
    if not entry.is_symlink():
        return ""
    target = os.path.realpath(entry.path)
    inside = os.path.relpath(target, root)
    if inside == ".." or inside.startswith("../"):
        return "a link that leads out of the folder"
    parts = inside.split("/")
    if secret_file(parts[-1]) or any(secret_folder(part) or part in _MADE for part in parts):
        return "a link to what is left out"
    return ""


def _chain(folder: _Folder, found: Walk) -> tuple[str, ...] | None:
    """The chain with the folder at its end; None for a link in a circle."""
    real = os.path.realpath(folder.path)
    if real in folder.chain:
        found.left_out.append((folder.path, "a link to a folder that it lies in"))
        return None
    if len(folder.chain) > DEEPEST:
        raise TooMuch(f"the folders are nested more than {DEEPEST} deep ({folder.path})")
    return (*folder.chain, real)


def _take(entry: "os.DirEntry[str]", name: str, found: Walk, tally: Tally) -> None:
    try:
        if not entry.is_file():
            found.left_out.append((entry.path, "not a file"))
            return
        facts = entry.stat()
    except OSError as error:
        found.left_out.append((entry.path, f"cannot be read: {error.strerror}"))
        return
    tally.take(entry.path, facts.st_size)
    found.files.append(Found(entry.path, name, facts.st_size, bool(facts.st_mode & 0o100)))
