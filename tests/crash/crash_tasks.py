"""Tasks that note each of their starts in an effects file, independently of the store."""

import json
import os
import time

import flowrt


def note(effects: str) -> None:
    """Append one line, durably: which step of which run started, as which attempt, under which epoch."""
    context = flowrt.current()
    line = {
        "run": context.run_id,
        "step": context.step,
        "attempt": context.attempt,
        "epoch": context.fence,
        "at": time.time_ns() // 1000,
        "pid": os.getpid(),
    }
    file = os.open(effects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, (json.dumps(line) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)


def add(effects: str, a: int, b: int) -> int:
    note(effects)
    time.sleep(0.005)
    return a + b


def even_only(effects: str, n: int) -> int:
    note(effects)
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n


def third_time_lucky(effects: str) -> int:
    note(effects)
    attempt = flowrt.current().attempt
    if attempt < 3:
        raise ConnectionError(f"attempt {attempt}")
    return 3


def large(effects: str, count: int) -> list[int]:
    note(effects)
    return list(range(count))


def size(effects: str, values: list[int]) -> int:
    note(effects)
    return sum(values)
