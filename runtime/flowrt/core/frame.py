"""Frames and steps: the live part of a run. A frame is a body that runs, a step a node that runs.

Both are mutable and belong to one `Machine`. They exist only while they run: what is left of a finished
frame is its outcome.
"""

from dataclasses import dataclass, field

from flowrt.command import RunTask
from flowrt.core.outcome import Blame, Broken, Done, Outcome
from flowrt.core.plan import Plan
from flowrt.core.undo_failures import UndoFailures
from flowrt.program import Body, Node
from flowrt.record import Failure
from flowrt.value import Handle


@dataclass(slots=True, eq=False)
class Frame:
    """A body that runs.

    `waits` and `readers` count down from the plan's figures. `done` holds the values that still have
    readers. `open` are the steps that run; `active` counts them and those about to be opened.
    `verdict` is the outcome that is settled already while steps are still ending; with `closing` no
    further node is opened, and with `stopping` those that ran were told to stop. `blamed` are the records
    of steps that failed or stopped. `tag` is the owner's own mark (the index of a loop's body, an arm).
    `saga` is the saga around it in the same flow. `catches` are the import paths of the exception classes
    that are asked for around it, also around the flow that it is of.
    """

    body: Body
    plan: Plan
    prefix: str
    env: dict[str, Handle]
    owner: "Step | None"
    tag: int
    depth: int
    waits: list[int]
    readers: list[int]
    done: dict[int, Done] = field(default_factory=dict[int, Done])
    open: dict[int, "Step"] = field(default_factory=dict[int, "Step"])
    active: int = 0
    verdict: Outcome | None = None
    closing: bool = False
    stopping: bool = False
    blamed: list[Blame] = field(default_factory=list[Blame])
    saga: "Step | None" = None
    catches: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Step:
    """A node that runs. `children` are the frames it opened; `halting` says that it was told to stop.

    `begun` is the number of the record that says that its one attempt is made; `retried` are those of the
    records that say that another attempt follows. `again` is the next attempt of a call that waits for its
    turn.
    """

    frame: Frame
    index: int
    node: Node
    path: str
    env: dict[str, Handle]
    children: dict[int, Frame] = field(default_factory=dict[int, Frame])
    paths: set[str] = field(default_factory=set[str])
    halting: bool = False
    due_at: int = 0
    loop: "LoopRounds | None" = None
    each: "EachBodies | None" = None
    saga: "SagaSteps | None" = None
    lock: "LockHold | None" = None
    race: "RaceBranches | None" = None
    parts: "TryParts | None" = None
    tries: "BlockTries | None" = None
    hops: int = 0
    begun: tuple[int, ...] = ()
    retried: list[int] | None = None
    again: RunTask | None = None


@dataclass(slots=True, eq=False)
class LockHold:
    """A lock that was asked for: whether the run has got it, since which record, how its body ended."""

    name: str
    limit: int
    seq: int
    held: bool = False
    outcome: Outcome | None = None


@dataclass(slots=True, eq=False)
class LoopRounds:
    """Where a `while` or `until` is: `max` 0 is no bound, `value` the last body's value."""

    max: int
    carried: dict[str, Handle]
    value: Handle
    round: int = 0
    names: dict[str, Handle] = field(default_factory=dict[str, Handle])


@dataclass(slots=True, eq=False)
class EachBodies:
    """Where a `for` is: what it will do, what has ended, what came of it.

    `blamed` are the records of bodies that failed or stopped, as far as the loop did not deal with them;
    `dropped` those of bodies that failed and were let fail, in a loop that needs so many; `first_dropped` is
    the first such body. `aside` are bodies that were let fail before the run was reopened: they go on when
    there is room.
    """

    count: int
    parallel: int
    need: int
    batch: int
    carried: dict[str, Handle]
    next: int = 0
    succeeded: int = 0
    values: dict[int, Handle] = field(default_factory=dict[int, Handle])
    errors: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    verdict: Outcome | None = None
    blamed: list[Blame] = field(default_factory=list[Blame])
    dropped: list[Blame] = field(default_factory=list[Blame])
    first_dropped: int | None = None
    aside: set[int] = field(default_factory=set[int])


@dataclass(slots=True, eq=False)
class RaceBranches:
    """Where a race is: the values of the branches that have ended well, in order, and what failed.

    `blamed` are the records of branches that failed or stopped.
    """

    need: int
    values: list[Handle] = field(default_factory=list[Handle])
    failures: dict[int, Failure] = field(default_factory=dict[int, Failure])
    verdict: Outcome | None = None
    blamed: list[Blame] = field(default_factory=list[Blame])


@dataclass(slots=True, eq=False)
class TryParts:
    """Where a `try` is: what was caught, and while `finally` runs, how all before it ended.

    `error` is what the author reads of `failure`, and `blamed` are the records without which it would not
    have come to it.
    """

    failure: Failure | None = None
    error: Handle | None = None
    blamed: tuple[Blame, ...] = ()
    verdict: Outcome | None = None


@dataclass(slots=True, eq=False)
class BlockTries:
    """Where a block with a bound or a retry policy is: the number of its attempt, when the first began.

    `entered` is the number of the record that set the bound of this attempt. `failed` is how the attempt
    ended, while another one is asked or waited for. With `is_last` there is no other.
    """

    attempt: int = 1
    first_at: int = 0
    entered: tuple[int, ...] = ()
    failed: Broken | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Completed:
    """A step that can be taken back: the number of its record, its path, its undo, and what that reads."""

    seq: int
    path: str
    undo: Body
    env: dict[str, Handle]


@dataclass(slots=True, eq=False)
class SagaSteps:
    """Where a saga is: the steps that can be taken back, and while they are, how its body ended.

    `first` is the number of the record of the first step with an undo that was completed anywhere inside,
    called flows and sagas that have ended included. `blamed` are the records of undos that failed.
    """

    completed: list[Completed] = field(default_factory=list[Completed])
    first: int | None = None
    verdict: Outcome | None = None
    undone_count: int = 0
    failures: UndoFailures = field(default_factory=UndoFailures)
    blamed: list[Blame] = field(default_factory=list[Blame])
