"""Tasks that do what tasks should not: they are imported by workers and know nothing of tests."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


def mark(path, text="here"):
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


def stop_yourself(path):
    """As a frozen process: it neither works nor dies."""
    mark(path, os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
    return "woken"


def stop_if(stop, path, value):
    if stop and not Path(path).exists():
        stop_yourself(path)
    return value


def fork_and_sleep(path, seconds):
    """A child that lives on, while the parent sleeps."""
    child = os.fork()
    if child == 0:
        time.sleep(seconds)
        os._exit(0)
    mark(path, child)
    time.sleep(seconds)


def fork_and_return(path):
    """A child that forgets to exit and comes back as if it were the task."""
    child = os.fork()
    if child == 0:
        return "from the child"
    _, status = os.waitpid(child, 0)
    mark(path, os.waitstatus_to_exitcode(status))
    return "from the parent"


def run_child(seconds):
    subprocess.run([sys.executable, "-c", f"import time; time.sleep({seconds})"], check=True)


def swallow_and_return(seconds):
    """Catches what tells it that its time is up, and returns all the same."""
    try:
        time.sleep(seconds)
    except OSError:
        return "caught"


def swallow_and_raise(seconds):
    try:
        time.sleep(seconds)
    except TimeoutError as error:
        raise ValueError("something else") from error


def die(how, marker=""):
    """Die; with a marker, the first time only."""
    if marker:
        if Path(marker).exists():
            return "alive"
        Path(marker).touch()
    match how:
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "memory":
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), resource.RLIM_INFINITY))
            hoard = []
            try:
                while True:
                    hoard.append(bytearray(16 << 20))
            except MemoryError:
                os.kill(os.getpid(), signal.SIGKILL)
    return None


def die_if(die_now, how, value):
    if die_now:
        die(how)
    return value


def big(size):
    import numpy as np  # noqa: PLC0415

    return np.random.default_rng(7).integers(0, 255, size, dtype=np.uint8)


def look_at(data):
    """What reading a large value costs this process, in bytes of private memory, and its sum."""
    before = private_bytes()
    total = int(data[:: 1 << 12].sum())
    return [private_bytes() - before, total, data.flags.owndata]


def private_bytes():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


@dataclass
class Box:
    inside: object


def unboxed(box):
    return box.inside


def references(kind):
    """A result with references inside, whose values are not there yet."""
    import numpy as np  # noqa: PLC0415
    import ray  # noqa: PLC0415

    # Inner functions travel by value: the workers of these tasks know nothing of this module.
    def later(value):
        time.sleep(0.3)
        return value

    def fail():
        raise OSError("in the referenced task")

    def count():
        for number in range(2):  # noqa: UP028 - Ray sends to what it iterates
            yield number

    class Counter:
        pass

    def remote(called, **options):
        return ray.remote(num_cpus=0, **options)(called).remote

    late = remote(later)
    array = np.empty(2, dtype=object)
    results = {
        "nested": lambda: {"a": [late(1), (late(2),)]},
        "of references": lambda: late([late(3)]),
        "dataclass": lambda: Box(late(4)),
        "array": lambda: [array, array.__setitem__(slice(None), [late(5), late(6)])][0],
        "generator": lambda: (late(number) for number in (7, 8)),
        "of a generator": remote(count, num_returns="streaming"),
        "failing": lambda: [remote(fail)()],
        "failing at the top": remote(fail),
        "never": lambda: [remote(lambda: time.sleep(600))()],
        "actor": lambda: {"handle": remote(Counter)()},
    }
    return results[kind]()
