"""Paths: how a step is named in the journal, from the ids of the program's nodes.

    clean                 a step of the flow itself
    loads[17].clean       … of the body number 17 of the `for` or `while` called `loads`
    step#2.then.charge    … of an arm of a branch that has no name of its own
    step#2.case#1.charge  … of the first case of a `switch`
    first.timer.nap       … of the branch `timer` of the race called `first`
    pay.charge            … of a block, or of the flow that the step `pay` calls
    loads[3].while        the test before the fourth round of a loop; also `.until` and `.every`
    trip.hold             … of a saga
    pay.try.charge        … of the body of a `try`; also `.catch`, `.catch#2` for the second, and `.finally`
    fetch~r2.page         … of the second attempt of a block with `retry`
    trip.hold.undo        what takes a step back: no task has steps inside, so nothing else has this path
    train~2.data          … after the flow that `train` calls went on by its second tail call
    ~2.data               the same for the flow that the run started

Paths depend on the program and on the indices of loops only, never on the order in which things happen.
"""

from collections.abc import Iterator

LIMIT = "~"
"""The path of the bound on the whole run, its flow's `timeout`: no step has it."""


def root_prefix(hops: int) -> str:
    """The prefix of the run's own flow, after `hops` tail calls."""
    return f"~{hops}." if hops else ""


def block_prefix(step: str) -> str:
    """The prefix of the steps of a block or graph."""
    return f"{step}."


def flow_prefix(step: str, hops: int) -> str:
    """The prefix of the steps of a called flow, after `hops` tail calls."""
    return f"{step}~{hops}." if hops else f"{step}."


def arm_prefix(step: str, arm: str) -> str:
    """The prefix of the steps of an arm: `then`, `else`, or the name of a branch of a race."""
    return f"{step}.{arm}."


def case_prefix(step: str, index: int) -> str:
    """The prefix of the steps of case `index` of a `switch`; paths count from 1."""
    return f"{step}.case#{index + 1}."


def catch_prefix(step: str, index: int) -> str:
    """The prefix of the steps of catch number `index` of a `try`."""
    return f"{step}.catch#{index + 1}." if index else f"{step}.catch."


def attempt_prefix(step: str, attempt: int) -> str:
    """The prefix of the steps of an attempt of a block that is made again when it fails."""
    return f"{step}~r{attempt}." if attempt > 1 else f"{step}."


def body_prefix(step: str, index: int) -> str:
    """The prefix of the steps of body `index` of a loop."""
    return f"{step}[{index}]."


def prefixes_of(step: str) -> Iterator[str]:
    """The prefixes of a path that end with a dot: those of all blocks, arms, bodies and flows around it."""
    end = step.find(".")
    while end >= 0:
        yield step[: end + 1]
        end = step.find(".", end + 1)


def round_part(step: str, index: int, part: str) -> str:
    """What belongs to a round of a loop and is no step of its body: `while`, `until`, `every`."""
    return f"{step}[{index}].{part}"


def bodies_around(step: str) -> Iterator[tuple[str, int]]:
    """The bodies of loops that a path is in, the outermost first: the path of the loop, and the index."""
    for prefix in prefixes_of(step):
        loop, bracket, index = prefix.removesuffix("].").rpartition("[")
        if bracket and prefix.endswith("].") and index.isdigit():
            yield loop, int(index)
