"""A store that one process opens twice stays safe from others: SQLite's locks do not bear a stray close.

Closing any descriptor of a file gives up all locks that the process has on it (POSIX). A process whose locks
are gone does not keep another one from taking itself for the last, which removes the write-ahead log that
the first still writes to: what is committed from then on is lost.
"""

import subprocess
import sys

from flowrt.store.open import open_store
from flowrt.store.rows import NewEvent

LOOK = """
import sys
from flowrt.store.open import open_store
store, _ = open_store(sys.argv[1], create=False)
print([row.payload.decode() for row in store.events("e", None, "r", 0, 10)])
store.close()
"""


def seen_elsewhere(url):
    done = subprocess.run([sys.executable, "-c", LOOK, url], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_what_is_written_after_another_process_came_and_went_is_there(tmp_path):
    url = str(tmp_path / "store")
    first, _ = open_store(url)
    second, _ = open_store(url, create=False)
    first.send(NewEvent("e", None, b"one", 1))
    assert seen_elsewhere(url) == "['one']"
    first.send(NewEvent("e", None, b"two", 2))
    second.send(NewEvent("e", None, b"three", 3))
    assert seen_elsewhere(url) == "['one', 'two', 'three']"
    first.close()
    second.close()
