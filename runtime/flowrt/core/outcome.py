"""Outcomes: how a step or a body ended, as the core passes it upwards."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from flowrt.noun import field, noun
from flowrt.record import Failure
from flowrt.value import NONE, Handle

Names: TypeAlias = Mapping[str, Handle]


@noun
class Done:
    """It ended well: its value, and the names that it assigned."""

    value: Handle = NONE
    names: Names = field(default_factory=dict[str, Handle])


@noun
class Left:
    """It left: `return`, `break`, `continue`, or `tail` (go on as `flow` with `names` as inputs).

    For `break` and `continue`, `names` are the names that the loop carries.
    """

    kind: Literal["return", "break", "continue", "tail"]
    value: Handle = NONE
    names: Names = field(default_factory=dict[str, Handle])
    flow: str = ""


@noun
class Anew:
    """A saga was undone. To go on behind that, void what it has recorded from number `since` on.

    `prefix` begins the paths of its steps and undos, and of no other step.
    """

    prefix: str
    since: int


Blame: TypeAlias = int | Anew


@noun
class Broken:
    """It failed; `seqs` are the numbers of the records without which it would still be running.

    These are the failure, and the stops and further failures in the bodies that ended with it; and the
    sagas that were undone on the way.
    """

    failure: Failure
    seqs: tuple[Blame, ...] = ()


@noun
class Halted:
    """It was told to stop, and has; `seqs` are the numbers of the records that say so."""

    seqs: tuple[Blame, ...] = ()


Outcome: TypeAlias = Done | Left | Broken | Halted
HALTED = Halted()
