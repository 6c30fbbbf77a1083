"""The code of runs on the command line. In: folders, rows of runs. Out: snapshots, and what is said of them.

What is said goes to stderr: how much was packed, what was not and what follows from that.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.render.text_cells import printable

if TYPE_CHECKING:
    from flowrt.snapshot.pack import NotPacked, Packed
    from flowrt.store.port import Blobs
    from flowrt.store.rows import RunRow

NAMES_MAX = 5
KB = 1024


def pack_code(python_path: Sequence[str]) -> "Packed | NotPacked":
    """The folders that a run's code is imported from, packed."""
    from flowrt.snapshot.pack import pack

    return pack(python_path)


def keep_code(packed: "Packed | NotPacked", blobs: "Blobs") -> str | None:
    """Put packed code into the blob store; its digest, None when there is none. Raises StoreError."""
    from flowrt.snapshot.cache import keep

    return keep(packed, blobs)


def tell_packed(packed: "Packed | NotPacked", python_path: Sequence[str], *, verbose: bool) -> None:
    """Say on stderr what was packed."""
    from flowrt.snapshot.pack import NotPacked

    if isinstance(packed, NotPacked):
        _say(f"code: not packed: {packed.reason}.")
        _say(f"  The run can go on only where {' and '.join(python_path)} can be read.")
        _say(
            "  To have the code packed, list what is not code in .gitignore, or name the folders of the code"
        )
        _say("  as `python-path` in [tool.flowc] of pyproject.toml.")
        return
    size = sum(size for _, size in packed.files)
    but = f", without {' and '.join(packed.broad)}" if packed.broad else ""
    _say(f"code: {_count(len(packed.files), 'file')}, {_size(size)} packed{but}")
    if verbose:
        for path, length in packed.files:
            _say(f"  {path} ({_size(length)})")
        for path, why in packed.left_out:
            _say(f"  left out: {path} ({why})")


def tell_attached(run_id: str, *, ended: bool) -> None:
    """Say that a run that exists keeps its code, or has its result already."""
    if ended:
        _say(f"Run {run_id} has ended already; nothing of it runs again.")
        return
    _say(f"code: run {run_id} exists, and goes on with the code that was packed when it was started")


def use_code(row: "RunRow", blobs: "Blobs") -> None:
    """Let values of a run's own classes be decoded: from its author's folders, else from its snapshot."""
    from flowc.cli.results import use_python_path
    from flowrt.errors import StoreError
    from flowrt.snapshot.cache import code_folders

    folders: Sequence[str] = row.python_path
    if not all(Path(folder).is_dir() for folder in folders):
        try:
            folders = code_folders(row.python_path, row.snapshot, blobs)
        except StoreError:
            folders = row.python_path  # What needs no classes is shown all the same.
    use_python_path(folders)


def use_recorded_code(row: "RunRow", snapshot: str | None, blobs: "Blobs") -> None:
    """Search for the classes of a run where its workers do. Raises StoreError."""
    from flowc.cli.results import use_python_path
    from flowrt.snapshot.cache import code_folders

    use_python_path(code_folders(row.python_path, snapshot, blobs))


def packed_anew(row: "RunRow", blobs: "Blobs", *, quiet: bool) -> str | None:
    """The digest of a failed run's code as it is now; None when the recorded code stays.

    Raises StoreError.
    """
    from flowrt.snapshot.anew import Kept
    from flowrt.snapshot.anew import packed_anew as pack_again

    match pack_again(row, blobs):
        case Kept(reason):
            if reason and not quiet:
                _say(f"code: as it was packed when the run was started ({reason})")
            return None
        case anew:
            if not quiet:
                _say(f"code: packed anew{_names(anew.changed)}")
            return anew.snapshot


def tell_differences(row: "RunRow") -> None:
    """Say on stderr which packages are of another version than when a run was started."""
    from flowrt.snapshot.versions import differences

    told = differences(row)
    if told:
        _say(f"note: run {row.run_id} was started with other versions: {'; '.join(told)}")


def _names(changed: Sequence[str]) -> str:
    if not changed:
        return ""
    more = f" and {len(changed) - NAMES_MAX} more" if len(changed) > NAMES_MAX else ""
    return f", {_count(len(changed), 'file')} changed: {', '.join(changed[:NAMES_MAX])}{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    if size < KB:
        return f"{size} B"
    return f"{size / KB:.0f} KB" if size < KB * KB else f"{size / KB / KB:.1f} MB"


def _say(line: str) -> None:
    sys.stderr.write(printable(line) + "\n")
