"""Packed code on this machine. In: the digest of a snapshot, the blob store. Out: folders to import from.

Each user has a cache, `FLOWC_CACHE`, else `flowc` in `XDG_CACHE_HOME` or `~/.cache`:

    code/<digest>/roots.json      as in the archive
    code/<digest>/files.json      the name and size of each file, to tell whether all are still there
    code/<digest>/0/…             the files

A snapshot appears under its name when it is whole: it is unpacked under another name and renamed, and who
comes second takes what is there. Many workers of a machine start at the same time, so one unpacks and the
others wait for it, for a while: the lock saves work and nothing depends on it. What a cleaner of temporary
files has thinned out is put aside and unpacked anew. A snapshot that nobody has used for KEEP_S is removed
when another one is added.

A process that packed code itself has the very folders: it imports from them. So an author who tries a flow
in one process finds the classes that this process has imported already.
"""

import contextlib
import fcntl
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from threading import Lock
from typing import cast
from uuid import uuid4

from flowrt.errors import StoreUnavailable
from flowrt.snapshot.pack import ROOTS, NotPacked, Packed
from flowrt.snapshot.unpack import places_in, unpack, write_private
from flowrt.store.port import Blobs

KEEP_S = 14 * 86_400
TOUCH_S = 3_600
LOCK_S = 30.0
_FILES = "files.json"

_HERE: set[str] = set()
_KNOWN: dict[tuple[str, tuple[str, ...]], tuple[tuple[str, ...], float]] = {}
_RECORDED: dict[str, str] = {}
_LOCK = Lock()


def keep(packed: Packed | NotPacked, blobs: Blobs) -> str | None:
    """Put packed code into the blob store; its digest there, None when there is none. Raises StoreError."""
    if isinstance(packed, NotPacked):
        return None
    digest, _ = blobs.put([packed.data])
    packed_here(digest)
    return digest


def packed_here(digest: str) -> None:
    """Note that this process has packed a snapshot out of the folders that its run names."""
    _HERE.add(digest)


def code_folders(python_path: Sequence[str], snapshot: str | None, blobs: Blobs) -> Sequence[str]:
    """Where the callables of a run are imported from in this process.

    Args:
        python_path: The folders as they were recorded.
        snapshot: The digest of the packed code, None when there is none.
        blobs: Where it is.

    Raises:
        StoreCorrupt: It is missing or damaged.
        StoreUnavailable: It cannot be read, or cannot be unpacked here.
    """
    if snapshot is None or snapshot in _HERE:
        return python_path
    key = (snapshot, tuple(python_path))
    with _LOCK:
        known = _KNOWN.get(key)
        if known is not None and time.monotonic() - known[1] < TOUCH_S:
            return known[0]
        folders = unpacked(snapshot, python_path, blobs, cache_folder())
        _KNOWN[key] = (tuple(folders), time.monotonic())
        for folder, recorded in zip(folders, python_path, strict=True):
            if folder != recorded:
                _RECORDED.setdefault(folder, recorded)
        return folders


def unpacked(digest: str, python_path: Sequence[str], blobs: Blobs, cache: Path) -> Sequence[str]:
    """The folders of a snapshot below `cache`, unpacked if they are not there. Raises as `code_folders`."""
    home = cache / "code" / digest
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.parent.mkdir(mode=0o700, exist_ok=True)
        if not _whole(home):
            with _alone(home.with_name(f".{digest}.lock")):
                if not _whole(home):
                    _unpack(digest, blobs, home)
        os.utime(home)
        text = (home / ROOTS).read_text()
    except OSError as error:
        raise StoreUnavailable(
            f"The packed code of the run cannot be unpacked to {error.filename or home}: "
            f"{error.strerror or error}. FLOWC_CACHE names another folder for it."
        ) from error
    places = places_in(text, digest, len(python_path))
    return [
        str(home / place) if place else recorded for place, recorded in zip(places, python_path, strict=True)
    ]


def as_recorded(text: str) -> str:
    """A text with the folders of the cache replaced by those that the author knows."""
    for folder in sorted(_RECORDED, key=len, reverse=True):
        if folder in text:
            text = text.replace(folder, _RECORDED[folder])
    return text


def names_packed(text: str) -> bool:
    """Whether a text names a place in packed code."""
    return any(folder in text for folder in _RECORDED)


def cache_folder() -> Path:
    """Where packed code is unpacked for this user."""
    named = os.environ.get("FLOWC_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    wanted = Path(cache).absolute() / "flowc"
    return wanted if _usable(wanted) else _temporary()


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _temporary() -> Path:
    """A folder for a user without a home; one that somebody else may have prepared is not used."""
    folder = Path(tempfile.gettempdir()) / f"flowc-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
    except OSError:
        return folder
    if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077:
        return folder
    return Path(tempfile.mkdtemp(prefix="flowc-"))


def _unpack(digest: str, blobs: Blobs, home: Path) -> None:
    data = bytes(blobs.get(digest))
    aside = home.with_name(f".{digest[:16]}-{uuid4().hex}")
    try:
        aside.mkdir(mode=0o700)
        unpack(data, digest, aside)
        write_private(aside / _FILES, _listed(aside).encode())
        if home.exists() and not _whole(home):
            home.rename(home.with_name(f"{aside.name}-old"))
        with contextlib.suppress(FileExistsError, NotADirectoryError):
            _rename(aside, home)
    finally:
        for leftover in (aside, home.with_name(f"{aside.name}-old")):
            shutil.rmtree(leftover, ignore_errors=True)
    _remove_unused(home.parent, home)


def _rename(aside: Path, home: Path) -> None:
    try:
        aside.rename(home)
    except OSError:
        if not _whole(home):  # Another worker was faster, or else it did not work.
            raise


def _listed(folder: Path) -> str:
    sizes: dict[str, int] = {}
    for above, _, names in os.walk(folder):
        for name in names:
            path = Path(above) / name
            sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
    return json.dumps(sizes)


def _whole(home: Path) -> bool:
    """Whether every file that was unpacked is there with its size."""
    try:
        sizes = cast("dict[str, int]", json.loads((home / _FILES).read_text(encoding="utf-8")))
        return all((home / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


@contextlib.contextmanager
def _alone(path: Path) -> Generator[None]:
    """Hold a lock, if it can be had in time."""
    until = time.monotonic() + LOCK_S
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while time.monotonic() < until:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:  # A file system without locks.
                break
        yield
    finally:
        os.close(descriptor)


def _remove_unused(folder: Path, but: Path) -> None:
    """Remove what nobody has used for long; also what an unpacking that was killed has left."""
    before = time.time() - KEEP_S
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            with contextlib.suppress(OSError):
                if entry == but or entry.lstat().st_mtime > before:
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink()
