"""Tasks of the sagas that the tests run: what they do and undo stands in a log, in its order."""

from contextlib import suppress

import flowrt

LOG: list[str] = []
KEYS: list[str] = []
BROKEN: set[str] = set()
FLAKY: dict[str, int] = {}


def book(name: str, *_: object) -> str:
    """Do something that can be undone; the world may refuse it."""
    if name in BROKEN:
        raise OSError(f"no {name} left")
    LOG.append(f"+{name}")
    _note_key()
    return f"<{name}>"


def cancel(booked: str, *more: object) -> None:
    """Undo it, unless the world refuses."""
    name = booked.strip("<>")
    if FLAKY.get(name, 0) > 0:
        FLAKY[name] -= 1
        raise ConnectionError(f"cannot reach {name}")
    if f"-{name}" in BROKEN:
        raise RuntimeError(f"{name} cannot be undone")
    LOG.append(" ".join([f"-{name}", *map(str, more)]))
    _note_key()


def look(value: object) -> object:
    """Change nothing."""
    LOG.append(f"?{value}")
    return value


def less(a: int, b: int) -> bool:
    return a < b


def _note_key() -> None:
    with suppress(LookupError):  # A plain execution has no steps.
        KEYS.append(flowrt.current().idempotency_key)
