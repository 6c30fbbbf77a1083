"""Reading a store that may not be written, such as a backup. In: where it is; out: where it can be read.

SQLite cannot well read a journal in WAL mode that it may not write: it keeps an index of the log beside
it, and would leave out what stands in the log alone if it were told that nothing ever changes. An older
journal is migrated before it is read, too. So the files of such a journal are copied into a folder of
their own for as long as it is read; its values stay where they are.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from flowrt.errors import StoreUnavailable

_FILES = ("journal.db", "journal.db-wal")


@contextmanager
def readable(url: str, blobs_url: str | None) -> Generator[tuple[str, str | None]]:
    """The URLs under which a store can be opened within the block: its own, or those of a copy.

    Raises:
        StoreUnavailable: It cannot be copied: no permission to read, no space.
    """
    folder = Path(url).expanduser()
    if "://" in url or not (folder / _FILES[0]).is_file() or _is_writable(folder):
        yield url, blobs_url
        return
    with tempfile.TemporaryDirectory(prefix="flowc-check-") as name:
        copy = Path(name)
        try:
            for file in _FILES:
                if (folder / file).exists():
                    shutil.copyfile(folder / file, copy / file)
        except OSError as error:
            raise StoreUnavailable(
                f"The store {folder} may not be written, and cannot be copied to {copy} to be read: "
                f"{error.strerror or error}."
            ) from error
        yield name, blobs_url or str((folder / "blobs").absolute())


def _is_writable(folder: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return all(
        os.access(path, os.W_OK, effective_ids=effective)
        for path in (folder, *(folder / file for file in _FILES))
        if path.exists()
    )
