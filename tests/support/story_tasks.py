"""Tasks of the flows that the core's tests run."""

import flowrt


def add(a, b):
    return a + b


def times(a, b):
    return a * b


def text(value: str) -> str:
    return value


def small(value: int) -> bool:
    return value < 40


def even_only(n: int) -> int:
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n


def works_on_attempt(number: int) -> int:
    attempt = flowrt.current().attempt
    if attempt < number:
        raise ConnectionError(f"attempt {attempt}")
    return attempt


def numbers(count: int) -> list[int]:
    return list(range(count))


def total(values: list[int]) -> int:
    return sum(values)


def fails(message: str) -> None:
    raise RuntimeError(message)


class Rejected(Exception):
    pass


BROKEN: set[int] = set()


def needs_world(n: int) -> int:
    if n in BROKEN:
        raise OSError(f"the world is broken for {n}")
    return n


def fail_if(n: int, bad: int) -> int:
    if n == bad:
        raise ValueError(f"{n} is bad")
    return n


def mix(a: int, b: int) -> int:
    return (a * 31 + b * 17 + 5) % 101


def less(a: int, b: int) -> bool:
    return a < b


class Once(flowrt.EventListener):
    """A listener that hears at once."""

    async def poll_for_event(self, value, more=0):
        return {"value": value + more}


class Heard(flowrt.EventListener):
    """A listener of numbers."""

    async def poll_for_event(self, number: int) -> int:
        return number + 1


class Silent:
    """A listener that hears nothing that is an event, at once."""

    async def poll_for_event(self):
        return None


class Adder:
    """An actor's class: it counts its calls."""

    def __init__(self):
        self.count = 0

    def plus(self, a, b):
        self.count += 1
        return a + b
