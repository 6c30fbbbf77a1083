"""Tasks of the runs whose stores are damaged."""

import threading

STOP: list[threading.Event] = []
"""What interrupts the engine when `halt` is called: how a run is left half done."""


def parts(n):
    return list(range(n))


def square(x):
    return {"x": x, "square": x * x}


def large(text):
    return [text] * 8_000


def halt(x):
    for event in STOP:
        event.set()
    return x + 1


def total(squares, large, more):
    return {"sum": sum(item["square"] for item in squares), "large": len(large), "more": more}
