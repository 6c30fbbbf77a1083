"""Unpack the code of a run. In: the bytes of an archive, an empty folder. Out: files in that folder.

The archive came out of a store, which others may write to. So nothing of it is believed: it must be of
the one form that `flowrt.snapshot.pack` writes. Members are plain files under `N/…`, not compressed (so
that none is larger than its bytes in the archive), named once, without `..`, backslash or empty parts,
and no file stands where another has its folder. Anything else is `StoreCorrupt`, before the first file
is written.
"""

import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from flowrt.errors import StoreCorrupt
from flowrt.snapshot.pack import FORMAT, ROOTS
from flowrt.snapshot.walk import FILES_MAX, TOTAL_MAX

_ROOTS_MAX = 1 << 20
_ENCRYPTED = 0x1


def members(data: bytes, digest: str) -> Mapping[str, bytes]:
    """The files of an archive by their names in it, without `roots.json`. Raises StoreCorrupt."""
    archive, infos = _opened(data, digest)
    with archive:
        return {info.filename: _read(archive, info, digest) for info in infos if info.filename != ROOTS}


def unpack(data: bytes, digest: str, folder: Path) -> None:
    """Write the files of an archive below an empty folder.

    Raises:
        StoreCorrupt: It is not an archive of ours.
        OSError: The folder cannot be written.
    """
    archive, infos = _opened(data, digest)
    with archive:
        for info in infos:
            target = folder / info.filename
            _make(target.parent)
            mode = 0o700 if (info.external_attr >> 16) & 0o100 else 0o600
            write_private(target, _read(archive, info, digest), mode)


def write_private(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a new file that nobody else may read. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(data)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700)


def places_in(text: str, digest: str, count: int) -> Sequence[str]:
    """What `roots.json` says: where in the archive each of `count` folders lies. Raises StoreCorrupt."""
    try:
        told = cast("object", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise _foreign(digest, f"its {ROOTS} is not JSON") from error
    roots = cast("dict[str, object]", told).get("roots") if isinstance(told, dict) else None
    if not isinstance(told, dict) or cast("dict[str, object]", told).get("format") != FORMAT:
        raise _foreign(digest, f"its {ROOTS} is not of format {FORMAT}")
    places = cast("list[object]", roots) if isinstance(roots, list) else []
    named = [place for place in places if isinstance(place, str)]
    if len(named) != len(places) or len(named) != count:
        raise _foreign(digest, f"its {ROOTS} does not name the run's {count} folders")
    for place in named:
        if place:
            _check_name(f"{place}/x", digest)
    return named


def _opened(data: bytes, digest: str) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _foreign(digest, f"it is not a zip ({error})") from error
    infos = archive.infolist()
    if len(infos) > FILES_MAX + 1:
        raise _foreign(digest, f"it has {len(infos):,} files")
    names: set[str] = set()
    size = 0
    for info in infos:
        _check(info, digest)
        size += info.file_size
        if info.filename in names:
            raise _foreign(digest, f"it has {info.filename!r} twice")
        names.add(info.filename)
    if size > TOTAL_MAX + _ROOTS_MAX:
        raise _foreign(digest, f"it has {size:,} bytes")
    if ROOTS not in names:
        raise _foreign(digest, f"it has no {ROOTS}")
    for name in names:
        above = name
        while above := above.rpartition("/")[0]:
            if above in names:
                raise _foreign(digest, f"{above!r} is a file and a folder")
    return archive, infos


def _check(info: zipfile.ZipInfo, digest: str) -> None:
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise _foreign(digest, f"{info.filename!r} is compressed")
    if info.flag_bits & _ENCRYPTED:
        raise _foreign(digest, f"{info.filename!r} is encrypted")
    if not stat.S_ISREG(info.external_attr >> 16):
        raise _foreign(digest, f"{info.filename!r} is not a file")
    if info.filename != ROOTS:
        _check_name(info.filename, digest)
    elif info.file_size > _ROOTS_MAX:
        raise _foreign(digest, f"its {ROOTS} is too large")


def _check_name(name: str, digest: str) -> None:
    number, *inner = name.split("/")
    bad = any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in inner)
    if bad or not inner or not (number.isascii() and number.isdigit()):
        raise _foreign(digest, f"{name!r} is no place for a file")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, digest: str) -> bytes:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise _foreign(digest, f"{info.filename!r} cannot be read ({error})") from error


def _foreign(digest: str, why: str) -> StoreCorrupt:
    return StoreCorrupt(f"The packed code {digest[:16]}… in the store is not as flowc packs it: {why}.")
