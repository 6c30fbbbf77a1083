"""The callable of an attempt. In: the attempt and the blob store. Out: the callable, from the run's own code.

Every worker takes a run's code from its snapshot, wherever the submitter's folders are: so all nodes of a
cluster, and every later engine, have the same.
"""

from collections.abc import Callable

from flowrt.executor.listener import load_task
from flowrt.executor.port import Attempt
from flowrt.snapshot.cache import code_folders
from flowrt.store.port import Blobs


def function_of(attempt: Attempt, blobs: Blobs) -> Callable[..., object]:
    """The callable of an attempt.

    Raises:
        ImportFailed: It cannot be loaded.
        StoreCorrupt: The packed code is missing or damaged.
        StoreUnavailable: It cannot be read just now, or not be unpacked here.
    """
    run = attempt.run
    folders = code_folders(run.python_path, run.snapshot, blobs)
    return load_task(attempt.task, attempt.code, folders, run.snapshot)
