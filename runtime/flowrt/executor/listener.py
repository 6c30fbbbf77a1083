"""The callable of a task, listeners included. In: a task and where its code lies. Out: what is to be called.

The callee of a listener's task is a method of its class, `feeds:Price.poll_for_event`. It is called on an
object that is made for this call.
"""

from collections.abc import Callable, Sequence

from flowrt.executor.callee import ImportFailed, load
from flowrt.listener import CHECKPOINTED, POLL
from flowrt.program import Imported, Task


def load_task(
    task: Task, code: bytes | None, python_path: Sequence[str], snapshot: str | None = None
) -> Callable[..., object]:
    """What a task calls.

    Args:
        task: The task.
        code: The pickled code of a `Pickled` callee.
        python_path: Directories to search before those of the interpreter, in this order.
        snapshot: Which code it is that lies there.

    Raises:
        ImportFailed: It cannot be loaded, or is no listener where one is wanted.
    """
    if not task.listener or not isinstance(task.callee, Imported):
        return load(task.callee, code, python_path, snapshot)
    path, _, method = task.callee.path.rpartition(".")
    made = load(Imported(path), None, python_path, snapshot)
    if not callable(getattr(made, POLL, None)):
        raise ImportFailed(
            f"`{path}` is no listener: it has no method `{POLL}`. Derive it from `flowrt.EventListener`."
        )
    if method == CHECKPOINTED and not callable(getattr(made, method, None)):
        return _nothing

    def called(*args: object, **kwargs: object) -> object:
        function: Callable[..., object] = getattr(made(), method)
        return function(*args, **kwargs)

    return called


def polls(task: Task) -> bool:
    """Whether a task waits for an event, and so needs no worker of its own."""
    return task.listener and isinstance(task.callee, Imported) and task.callee.path.endswith(f".{POLL}")


def _nothing(_event: object) -> None:
    """In the place of `event_checkpointed` for a listener without it."""
