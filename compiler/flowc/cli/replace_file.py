"""A file and its new bytes. Out: the file with these, or as it was, whatever happens in between."""

import os
import stat
import sys
import tempfile
from pathlib import Path


def replace_unchanged(path: Path, old: bytes, new: bytes) -> bool:
    """Write a file if it still has its old bytes; when it is not written, why not is told on stderr."""
    try:
        if path.read_bytes() != old:
            sys.stderr.write(f"error: The file `{path}` was changed meanwhile and is left as it is.\n")
            return False
        replace_file(path, new)
    except OSError as error:
        sys.stderr.write(f"error: The file `{path}` cannot be written: {error.strerror}.\n")
        return False
    return True


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it keeps its mode, and a link to it goes on being one.

    Raises:
        OSError: The file cannot be written; it is as it was.
    """
    target = path.resolve()
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
