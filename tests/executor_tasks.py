"""Tasks that the tests of executors run: imported by workers, so nothing here knows of tests."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from pathlib import Path

import flowrt
import flowrt.context

NOT_CALLABLE = "text"


def same(value):
    return value


def inc(value):
    return value + 1


def nap(seconds, value=None):
    time.sleep(seconds)
    return value


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "spun"


async def later(value):
    await asyncio.sleep(0.01)
    return value


async def late():
    await asyncio.sleep(60)


async def stream(count) -> AsyncIterator[int]:
    for number in range(count):
        yield number


def squares(count) -> Iterator[int]:
    for number in range(count):
        yield number * number


def chained():
    return chain([1], [2, 3])


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    __hash__ = None

    @staticmethod
    def origin():
        return Point(0, 0)


class Busy(OSError):
    pass


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def fail(text="broken"):
    raise Busy(text)


def fail_mutely():
    raise Mute


def fail_deep():
    def inner():
        raise ValueError("deep")

    try:
        inner()
    except ValueError as error:
        raise Busy("outer") from error


def leave(status=3):
    sys.exit(status)


def ctrl_c():
    raise KeyboardInterrupt


def kill_worker():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_if(die, marker, value):
    """Kill the worker: always, when there is no marker; with one, the first time only."""
    if die and not (marker and Path(marker).exists()):
        if marker:
            Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def lock():
    return threading.Lock()


def note(path, text, seconds=0.0):
    """Add a line to a file, durably, then sleep."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    time.sleep(seconds)
    return text


def note_pid(path, seconds):
    return note(path, os.getpid(), seconds)


def note_spinning(path, text, seconds):
    note(path, text)
    return spin(seconds)


def note_deaf(path, seconds):
    swallow(seconds, path)
    return "deaf"


def swallow(seconds, path=None):
    """Deaf to interruptions and time-outs for a while; notes in a file that it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(BaseException):
            if path:
                Path(path).write_text("began\n")
            time.sleep(max(0.0, end - time.monotonic()))
    return "swallowed"


def backtrack():
    """Holds Python's lock for ever."""
    return re.match(r"(a+)+$", "a" * 64 + "b")


def mutate(values):
    values.append(len(values))
    return values


def where():
    context = flowrt.context.current()
    flowrt.context.heartbeat()
    return [
        context.run_id,
        context.step,
        context.attempt,
        context.idempotency_key,
        context.fence,
        dict(context.labels),
    ]


def pid():
    return os.getpid()


def say(text):
    print(text)
    return text


def array(count):
    import numpy as np  # noqa: PLC0415

    return np.arange(count, dtype=np.float64)


def noise(count):
    """Other numbers each time."""
    import numpy as np  # noqa: PLC0415

    return np.random.default_rng().random(count)


def total(values):
    return float(values.sum())


def is_shared(values):
    """Whether an array lies in memory that it does not own and may not write."""
    return not values.flags.owndata and not values.flags.writeable


def reference(nested):
    import ray  # noqa: PLC0415

    made = ray.put([1, 2, 3])
    return {"inside": made} if nested else made


def login(password):
    raise ValueError(f"cannot log in with {password}")


def change_array(array):
    array[0] = 1


class Unwilling:
    def __reduce__(self):
        raise RuntimeError("will not be pickled")


def fail_to_pickle():
    return Unwilling()


def beat(times, seconds):
    """Call the heartbeat that often, that long apart; then be silent for as long."""
    for _ in range(times):
        flowrt.context.heartbeat()
        time.sleep(seconds)
    return times


def beat_from_thread(times, seconds):
    thread = threading.Thread(target=beat, args=(times, seconds))
    thread.start()
    sleep_deaf(times * seconds)
    thread.join()
    return times


def silent(times, seconds, silence):
    beat(times, seconds)
    time.sleep(silence)
    return "too late"


def sleep_deaf(seconds):
    """Sleep in C, beyond the reach of Python's signal handlers, and without Python's lock."""
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and libc.usleep(int(left * 1e6)) != 0:
        pass
    return "awake"


def multiply(size):
    """One call of numpy that takes minutes."""
    import numpy as np  # noqa: PLC0415

    many = np.ones((size, size))
    return float((many @ many).sum())


def exit_at_once():
    os._exit(3)


def exit_in_a_child():
    """The status of a child that ends as a child may."""
    child = os.fork()
    if child == 0:
        os._exit(4)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Feed(flowrt.EventListener):
    """A listener that gives its argument back, tells of itself in a file, or waits for ever."""

    async def poll_for_event(self, event, note="", seconds=0.0):
        if note:
            with Path(note).open("a") as file:
                print(os.getpid(), file=file)
        try:
            await asyncio.sleep(seconds)
        finally:
            if note:
                with Path(note).open("a") as file:
                    print("ended", file=file)
        return event


class DeafFeed:
    async def poll_for_event(self, note):
        while True:
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                Path(note).write_text("deaf")


class WrongFeed:
    def poll_for_event(self):
        return 1
