"""Stores of encoded values by content. In: parts of bytes; out: their digest, and the bytes again.

`LocalBlobs` keeps one file a value, `ROOT/ab/cdef…`, in 256 folders by the first two digits of the
SHA-256. A file appears under its name only when it is whole and on disk: it is written under another
name, synced, renamed, and the folder is synced. A value that is there already is not written again, but
its folder is synced all the same, because whoever wrote it may not have come that far yet. Many
processes may write to one folder. (obstore's store on a path, which serves for buckets, links its files
into place without syncing either them or their folder: a power failure takes them. So this one is ours.)

A value's age is that of its file; see `flowrt.store.content` for what ages are good for. To see that a
value is old and to remove it are two steps, and a writer may make it young in between. So both sides
hold `ROOT/.lock` for that moment: writers shared, while they rename a file into place or touch it;
whoever removes, alone. Nobody holds it while bytes are written or synced. A process that dies lets go.
"""

import errno
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NoReturn
from uuid import uuid4

from flowrt.errors import StoreUnavailable
from flowrt.failpoint import hit
from flowrt.store.content import REFRESH_US, check_digest, digest_and_size, missing, verified, wall_us
from flowrt.store.rows import BlobFacts

_FOLDER = re.compile(r"[0-9a-f]{2}")
_FILE = re.compile(r"[0-9a-f]{62}")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}-[0-9a-f]{32}\.tmp")

_LOCK_PATIENCE_S = 10.0
_LOCK_PAUSE_S = 0.001
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""What file systems without locks answer."""


class MemoryBlobs:
    """Values in this process's memory; shared by its threads, not to be sent to another process."""

    def __init__(self, now: Callable[[], int] = wall_us) -> None:
        """Begin empty; `now` tells the age of values, in microseconds."""
        self._values: dict[str, tuple[bytes, int]] = {}
        self._now = now
        self._lock = Lock()

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Keep the concatenation of `parts`; return its digest (hex) and size in bytes."""
        data = b"".join(parts)
        digest = hashlib.sha256(data).hexdigest()
        now = self._now()
        with self._lock:
            there = self._values.get(digest)
            if there is None or there[1] < now - REFRESH_US:
                self._values[digest] = (data, now)
        return digest, len(data)

    def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises StoreCorrupt when absent."""
        there = self._values.get(check_digest(digest))
        if there is None:
            raise missing(digest)
        return verified(digest, there[0], digest)

    def renew(self, digest: str) -> None:
        """Make a value young. Raises StoreCorrupt when absent."""
        now = self._now()
        with self._lock:
            there = self._values.get(check_digest(digest))
            if there is None:
                raise missing(digest)
            if there[1] < now - REFRESH_US:
                self._values[digest] = (there[0], now)

    def every(self) -> Iterator[BlobFacts]:
        """All that is there now."""
        with self._lock:
            return iter([BlobFacts(digest, len(data), at) for digest, (data, at) in self._values.items()])

    def remove(self, digest: str, put_before: int) -> bool:
        """Remove a value that was last put before an instant; false when it is absent or younger."""
        with self._lock:
            there = self._values.get(check_digest(digest))
            if there is None or there[1] >= put_before:
                return False
            del self._values[digest]
            return True

    def sweep(self, before: int) -> int:  # noqa: ARG002 - the port's
        """Nothing is ever unfinished here."""
        return 0

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the copy would not see what is put later."""
        raise TypeError("A store in memory cannot be sent to another process; use a directory as the store.")


class LocalBlobs:
    """Values in files below a folder. Small and picklable: workers get one of their own."""

    def __init__(self, root: str | Path) -> None:
        """Use the folder `root`, which is made when the first value is put."""
        self._root = Path(root).absolute()
        self._durable_folders: set[Path] = set()

    def __reduce__(self) -> tuple[type["LocalBlobs"], tuple[str]]:
        """Send the folder's name alone."""
        return LocalBlobs, (str(self._root),)

    def __repr__(self) -> str:
        """The folder."""
        return f"LocalBlobs({str(self._root)!r})"

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store the concatenation of `parts` durably; return its digest (hex) and size in bytes.

        Raises:
            StoreUnavailable: The file cannot be written: disk full, no permission, an I/O error.
        """
        digest, size = digest_and_size(parts)
        path = self._path(digest)
        hit("blob.begun")
        try:
            self._make_folder(path.parent)
            if not self._is_kept(path, size):
                self._write(path, parts)
            hit("blob.renamed")
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreUnavailable(
                f"A value of {size} bytes cannot be written to {path}: {error.strerror or error}."
            ) from error
        hit("blob.done")
        return digest, size

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, verified.

        Raises:
            StoreCorrupt: They are absent or altered.
            StoreUnavailable: The file cannot be read: no permission, an I/O error.
        """
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing(str(path)) from error
        except OSError as error:
            raise StoreUnavailable(
                f"The stored value {path} cannot be read: {error.strerror or error}."
            ) from error
        return verified(digest, data, str(path))

    def renew(self, digest: str) -> None:
        """Make a value young: its file gets the present time, and is not read.

        Raises:
            StoreCorrupt: It is absent.
            StoreUnavailable: The file can neither be renewed nor read and written anew.
        """
        path = self._path(digest)
        try:
            renewed = self._is_kept(path, path.stat().st_size)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing(str(path)) from error
        except OSError as error:
            raise StoreUnavailable(
                f"The stored value {path} cannot be renewed: {error.strerror or error}."
            ) from error
        if not renewed:  # It is somebody else's file, or was just removed.
            self.put([self.get(digest)])

    def every(self) -> Iterator[BlobFacts]:
        """All that is there, folder by folder. Raises StoreUnavailable."""
        for folder, name, facts in self._files(_FILE):
            yield BlobFacts(folder + name, facts.st_size, facts.st_mtime_ns // 1000)

    def remove(self, digest: str, put_before: int) -> bool:
        """Remove a value that was last put before an instant; false when it is absent or younger.

        Raises:
            StoreUnavailable: The file cannot be removed, or the file system has no locks.
        """
        path = self._path(digest)
        try:
            with self._locked(fcntl.LOCK_EX):
                if path.stat().st_mtime_ns // 1000 >= put_before:
                    return False
                path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreUnavailable(
                f"The stored value {path} cannot be removed: {error.strerror or error}."
            ) from error
        return True

    def sweep(self, before: int) -> int:
        """Remove what puts that came to no end left before an instant; return how many files it was."""
        count = 0
        for folder, name, facts in self._files(_UNFINISHED):
            if facts.st_mtime_ns // 1000 < before:
                try:
                    (self._root / folder / name).unlink(missing_ok=True)
                except OSError as error:
                    raise StoreUnavailable(
                        f"The file {self._root / folder / name}, which a writer left unfinished, cannot be "
                        f"removed: {error.strerror or error}."
                    ) from error
                count += 1
        return count

    def _path(self, digest: str) -> Path:
        check_digest(digest)
        return self._root / digest[:2] / digest[2:]

    def _files(self, names: re.Pattern[str]) -> Iterator[tuple[str, str, os.stat_result]]:
        """The files of such names, with their folders and facts."""
        try:
            for folder in _entries(self._root, _FOLDER):
                for entry in _entries(Path(folder.path), names):
                    try:
                        facts = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # Somebody has just removed it.
                    yield folder.name, entry.name, facts
        except OSError as error:
            raise StoreUnavailable(
                f"The stored values in {self._root} cannot be listed: {error.strerror or error}."
            ) from error

    def _is_kept(self, path: Path, size: int) -> bool:
        """Whether the value is there, and stays for a while: an old one is made young."""
        if not path.exists():
            return False
        with self._locked(fcntl.LOCK_SH):
            try:
                facts = path.stat()
                if facts.st_size != size:
                    return False
                if facts.st_mtime_ns // 1000 < wall_us() - REFRESH_US:
                    os.utime(path)
            except (FileNotFoundError, PermissionError):
                return False  # Written anew, it is our own and young.
        return True

    def _write(self, path: Path, parts: Sequence[bytes | memoryview]) -> None:
        unfinished = path.with_name(f".{path.name[:16]}-{uuid4().hex}.tmp")
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.writelines(parts)
                file.flush()
                hit("blob.unfinished")
                os.fsync(file.fileno())
            hit("blob.synced")
            with self._locked(fcntl.LOCK_SH):
                unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    @contextmanager
    def _locked(self, kind: int) -> Generator[None]:
        """Hold the lock of the folder. Where there are no locks, writers go on and nobody may remove."""
        with os.fdopen(os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)) as file:
            try:
                _lock(file.fileno(), kind)
            except OSError as error:
                if error.errno not in _NO_LOCKS or kind == fcntl.LOCK_EX:
                    raise
            yield

    def _make_folder(self, folder: Path) -> None:
        """Make a folder that outlives a power failure; once a process is enough."""
        if folder in self._durable_folders and folder.exists():
            return
        if not self._root.exists():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self._root.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(self._root)
        self._durable_folders.add(folder)


def _entries(folder: Path, names: re.Pattern[str]) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if names.fullmatch(entry.name))
    except FileNotFoundError:
        return


def _lock(descriptor: int, kind: int) -> None:
    """Lock a file, but do not wait for a process that was stopped while it held the lock."""
    until = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(_LOCK_PAUSE_S)
        else:
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
