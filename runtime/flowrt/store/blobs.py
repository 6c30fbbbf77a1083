"""Stores of encoded values by content. In: parts of bytes; out: their digest, and the bytes again.

`LocalBlobs` keeps one file a value, `ROOT/ab/cdef…`, in 256 folders by the first two digits of the
SHA-256. A file appears under its name only when it is whole and on disk: it is written under another
name, synced, renamed, and the folder is synced. A value that is there already is not written again, but
its folder is synced all the same, because whoever wrote it may not have come that far yet. Many
processes may write to one folder.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import NoReturn
from uuid import uuid4

from flowrt.errors import StoreCorrupt, StoreUnavailable

_DIGEST = re.compile(r"[0-9a-f]{64}")


def _digest(parts: Sequence[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _size(parts: Sequence[bytes | memoryview]) -> int:
    return sum(memoryview(part).nbytes for part in parts)


def _verified(digest: str, data: bytes, where: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreCorrupt(f"The stored value {where} is damaged: its bytes are not those of its digest.")
    return data


class MemoryBlobs:
    """Values in this process's memory; shared by its threads, not to be sent to another process."""

    def __init__(self) -> None:
        """Begin empty."""
        self._values: dict[str, bytes] = {}
        self._lock = Lock()

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Keep the concatenation of `parts`; return its digest (hex) and size in bytes."""
        data = b"".join(parts)
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            self._values[digest] = data
        return digest, len(data)

    def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises StoreCorrupt when absent."""
        data = self._values.get(digest)
        if data is None:
            raise StoreCorrupt(f"The stored value {digest} is missing.")
        return _verified(digest, data, digest)

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

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store the concatenation of `parts` durably; return its digest (hex) and size in bytes.

        Raises:
            StoreUnavailable: The file cannot be written: disk full, no permission, an I/O error.
        """
        digest, size = _digest(parts), _size(parts)
        path = self._path(digest)
        try:
            self._make_folder(path.parent)
            if not (path.exists() and path.stat().st_size == size):
                _write(path, parts)
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreUnavailable(
                f"A value of {size} bytes cannot be written to {path}: {error.strerror or error}."
            ) from error
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
            raise StoreCorrupt(
                f"The stored value {path} is missing. "
                "If values are kept in another place, name it with --blobs."
            ) from error
        except OSError as error:
            raise StoreUnavailable(
                f"The stored value {path} cannot be read: {error.strerror or error}."
            ) from error
        return _verified(digest, data, str(path))

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise StoreCorrupt(f"{digest[:80]!r} is no digest of a stored value.")
        return self._root / digest[:2] / digest[2:]

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


def _write(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    unfinished = path.with_name(f".{path.name[:16]}-{uuid4().hex}.tmp")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
