"""Opening a store. In: where it is, as its user names it; out: a `Store` and a `Blobs`, checked.

A directory holds `journal.db` (SQLite), `blobs/` (large values) and a `.gitignore`, so that it may lie
in a project. `postgresql://…` is a database on a server. `memory:` is a store in this process.
"""

import os
import re
from pathlib import Path

from flowrt.errors import NotAStore, StoreUnavailable
from flowrt.store.blobs import LocalBlobs, MemoryBlobs
from flowrt.store.memory import MemoryStore
from flowrt.store.mounts import refuse_network
from flowrt.store.port import Blobs, Store

_JOURNAL = "journal.db"
_BLOBS = "blobs"
_POSTGRES = ("postgresql:", "postgres:")
_UNFINISHED = re.compile(r"journal\.db\..*tmp(-journal|-wal|-shm)?")
_OWN = frozenset({_JOURNAL, _BLOBS, ".gitignore"})


def open_store(url: str, blobs_url: str | None = None, *, create: bool = True) -> tuple[Store, Blobs]:
    """Open a store, or make it.

    Args:
        url: A directory, a database (`postgresql://USER@HOST/DATABASE`), or `memory:`.
        blobs_url: A directory or a bucket (`s3://BUCKET/PREFIX`) for large values; by default `blobs/`
            within the store. A database needs one.
        create: Whether a store that is not there is made; else nothing is.

    Raises:
        NotAStore: The place is something else.
        StoreTooNew: A newer version wrote it.
        StoreUnavailable: It is not there, cannot be read or written, or is of a kind not supported yet.
    """
    if url == "memory:":
        return MemoryStore(), open_blobs(blobs_url, look=create) if blobs_url else MemoryBlobs()
    # SQLAlchemy takes a sixth of a second to import, and a store in memory does without.
    if url.startswith(_POSTGRES):
        return _open_postgres(url, blobs_url, create=create)
    folder = _folder(url, "store")
    blobs = open_blobs(blobs_url, look=create) if blobs_url else LocalBlobs(folder / _BLOBS)
    from flowrt.store.sql import SqlStore  # noqa: PLC0415
    from flowrt.store.sqlite import open_journal  # noqa: PLC0415

    try:
        _check_folder(folder, create=create)
        engine = open_journal(folder / _JOURNAL, create=create)
        if create:
            _ignore(folder / ".gitignore")
    except NotADirectoryError as error:
        raise NotAStore(
            f"{error.filename} is a file, and a store is a folder. Name another place."
        ) from error
    except OSError as error:
        raise StoreUnavailable(
            f"The store {folder} cannot be opened: {error.strerror or error} ({error.filename})."
        ) from error
    return SqlStore(engine, str(folder)), blobs


def _open_postgres(url: str, blobs_url: str | None, *, create: bool) -> tuple[Store, Blobs]:
    from flowrt.store.postgres import open_database, shown  # noqa: PLC0415
    from flowrt.store.sql import SqlStore  # noqa: PLC0415

    if not blobs_url:
        raise StoreUnavailable(
            f"The store {shown(url)} needs a place for large values: "
            "give a directory or a bucket by --blobs or FLOWC_BLOBS."
        )
    blobs = open_blobs(blobs_url, look=create)
    return SqlStore(open_database(url, create=create), shown(url)), blobs


def open_blobs(url: str, *, look: bool) -> Blobs:
    """The place for values that a URL names: a directory, or a bucket.

    With `look` a bucket is asked for something, so that one that is not there, or that may not be used,
    is known before a run begins. Raises StoreUnavailable.
    """
    if url == "memory:":
        return MemoryBlobs()
    if "://" not in url:
        return LocalBlobs(_folder(url, "place for values"))
    try:
        # obstore takes a twentieth of a second to import, and most stores do without.
        from flowrt.store.object_blobs import ObjectBlobs  # noqa: PLC0415
    except ImportError as error:
        raise StoreUnavailable(
            f"The place for values {url.partition('://')[0]}:// needs the package obstore: "
            'pip install "flowc[s3]"'
        ) from error
    blobs = ObjectBlobs(url)
    if look:
        blobs.look()
    return blobs


def _folder(url: str, what: str) -> Path:
    """The folder that a URL names. Raises StoreUnavailable for other kinds of places."""
    if not url:
        raise StoreUnavailable(f"The {what} has no name: give a directory.")
    kind, separator, _ = url.partition("://")
    if separator:
        raise StoreUnavailable(
            f"A {what} at {kind}:// is not supported yet ({url.partition('@')[2] or url}): give a directory."
        )
    return Path(url).expanduser().absolute()


def _check_folder(folder: Path, *, create: bool) -> None:
    """See that the folder is a store's or may become one; make it if need be."""
    there = folder.is_dir()
    names = {entry.name for entry in folder.iterdir()} if there or folder.exists() else set[str]()
    if _JOURNAL in names:
        return
    if not create:
        raise StoreUnavailable(
            f"There is no store at {folder}. `flowc run` makes one; --store or FLOWC_STORE names another."
        )
    others = {name for name in names - _OWN if not _UNFINISHED.fullmatch(name)}
    if others:
        raise NotAStore(
            f"{folder} is not a flowc store: it holds other things, such as {min(others)}. "
            f"Name an empty or new folder, such as {folder / '.flowc'}."
        )
    if not there:
        refuse_network(_nearest(folder))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _nearest(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(parent for parent in folder.parents if parent.exists())


def _ignore(path: Path) -> None:
    """Keep the store out of version control, unless its owner has said otherwise."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("*\n")
    except FileExistsError:
        pass
