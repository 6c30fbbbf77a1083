"""Tasks of flows with `try`: they note what they did, and fail while the world is broken."""

from collections import Counter

LOG: list[str] = []
BROKEN: dict[str, BaseException | type[BaseException]] = {}
COUNTS: Counter[str] = Counter()


class Busy(Exception):
    pass


class VeryBusy(Busy):
    pass


def do(what: str, *_: object) -> str:
    """Do it, or fail as the world has it."""
    if what in BROKEN:
        LOG.append(f"!{what}")
        raise BROKEN[what]
    LOG.append(what)
    return what


def fails(kind: str = "value") -> None:
    """Fail in some way."""
    raise {
        "value": ValueError("no value"),
        "key": KeyError("k"),
        "busy": VeryBusy("too much"),
        "late": TimeoutError("too late"),
        "exit": SystemExit(3),
    }[kind]


def note(error: object) -> str:
    """What a task is given of an error."""
    return f"{error['type']}|{error['message']}|{error['step']}"


def works_from(times: int, what: str = "x") -> int:
    """Fail until it has been called so often."""
    COUNTS[what] += 1
    if COUNTS[what] < times:
        raise ConnectionError(f"call {COUNTS[what]}")
    return COUNTS[what]
