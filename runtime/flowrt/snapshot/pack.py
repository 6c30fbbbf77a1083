"""Pack the code of a run. In: the folders that it is imported from. Out: one archive, by its content.

The archive is a zip without compression, so that its bytes depend on the files alone: not on the machine,
its zlib, the times of the files or the place of the folders. The first member, `roots.json`, says where
each folder of the search path lies in it; a folder inside another one is packed once, with it:

    roots.json        {"format": 1, "roots": ["0/flows", "0", ""]}      "" is a folder that is not packed
    0/flows/a.flow.yaml
    0/tasks.py

A folder that many projects share (`/`, a home, the interpreter's own) is not packed; the others are.
"""

import hashlib
import io
import json
import os
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

from flowrt.noun import field, noun
from flowrt.snapshot.secret_files import holds_key
from flowrt.snapshot.walk import Found, Tally, TooMuch, Walk, walk

FORMAT = 1
ROOTS = "roots.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE, _PROGRAM = 0o100600, 0o100700


@noun
class Packed:
    """The packed code of a run.

    `digest` is that of `data`. `files` are the paths as the author knows them, with their sizes, in the
    order of the archive. `left_out` are files and folders with the reason. `broad` are the folders of the
    path that are not packed because they are not a project's alone.
    """

    data: bytes = field(repr=False)
    digest: str
    files: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, str], ...]
    broad: tuple[str, ...] = ()


@noun
class NotPacked:
    """Why there is no snapshot."""

    reason: str


def pack(python_path: Sequence[str]) -> Packed | NotPacked:
    """The folders of a search path as one archive.

    Args:
        python_path: Folders, in the order in which they are searched.
    """
    try:
        return _packed(python_path)
    except TooMuch as error:
        return NotPacked(str(error))


def _packed(python_path: Sequence[str]) -> Packed | NotPacked:
    real = [os.path.realpath(folder) for folder in python_path]
    reasons = [_broad(folder) for folder in real]
    walks, places = _walks(real, reasons, Tally())
    broad = tuple(
        dict.fromkeys(f for f, why in zip(python_path, reasons, strict=True) if why and Path(f).is_dir())
    )
    if not walks:
        return NotPacked("; ".join(f"{f} is {why}" for f, why in zip(python_path, reasons, strict=True)))
    files: list[tuple[str, int]] = []
    left_out = [(f, why) for f, why in zip(python_path, reasons, strict=True) if why]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        told = json.dumps({"format": FORMAT, "roots": places}, ensure_ascii=True)
        archive.writestr(_member(ROOTS, _FILE), told)
        for number, one in enumerate(walks):
            left_out += one.left_out
            for file in one.files:
                _add(archive, f"{number}/{file.name}", file, files, left_out)
    data = stream.getvalue()
    return Packed(data, hashlib.sha256(data).hexdigest(), tuple(files), tuple(left_out), broad)


def _walks(real: list[str], reasons: list[str], tally: Tally) -> tuple[list[Walk], list[str]]:
    """The walks of the outermost folders, and for each folder its place in the archive."""

    def around(folder: str) -> int:
        return sum(folder != other and _below(folder, other) for other in set(real))

    walks: list[Walk] = []
    places = [""] * len(real)
    for index in sorted(range(len(real)), key=lambda index: (around(real[index]), index)):
        if reasons[index]:
            continue
        place = _place(real[index], walks)
        if place is None:
            place = str(len(walks))
            walks.append(walk(real[index], tally))
        places[index] = place
    return walks, places


def _place(folder: str, walks: list[Walk]) -> str | None:
    for number, one in enumerate(walks):
        inside = one.folders.get(folder)
        if inside is not None:
            return f"{number}/{inside}" if inside else str(number)
    return None


def _below(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(other.rstrip("/") + "/")


def _broad(folder: str) -> str:
    """Why a folder of the path is not a project's; empty when it is."""
    if not Path(folder).is_dir():
        return "not a folder"
    home = os.path.realpath(Path("~").expanduser())
    if _below(home, folder):
        return "a home folder, or above one" if folder != "/" else "the root of the file system"
    paths = sysconfig.get_paths()
    own = (os.path.realpath(paths[name]) for name in ("stdlib", "purelib", "platlib", "scripts"))
    return "the interpreter's own" if any(_below(folder, place) for place in own) else ""


def _add(
    archive: zipfile.ZipFile,
    name: str,
    file: Found,
    files: list[tuple[str, int]],
    left_out: list[tuple[str, str]],
) -> None:
    try:
        data = Path(file.path).read_bytes()
    except OSError as error:
        left_out.append((file.path, f"cannot be read: {error.strerror}"))
        return
    if holds_key(file.name, data):
        left_out.append((file.path, "it holds a private key"))
        return
    archive.writestr(_member(name, _PROGRAM if file.executable else _FILE), data)
    files.append((file.path, len(data)))


def _member(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3
    info.external_attr = mode << 16
    return info
