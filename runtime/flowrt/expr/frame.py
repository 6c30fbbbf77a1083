"""What an evaluation reads: the environment, and the targets of the comprehensions around."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import TypeAlias

from flowrt.expr.budget import Budget
from flowrt.expr.order import paid_items
from flowrt.expr.tree import Target


class Frame:
    """What an evaluation reads: the environment, or inside a comprehension also its targets."""

    __slots__ = ("budget", "env", "names", "parent", "secret")
    names: dict[str, object]
    parent: "Frame"

    def __init__(
        self, env: Mapping[str, object], budget: Budget, secret: "Callable[[str], str] | None"
    ) -> None:
        """Make the outermost frame."""
        self.env = env
        self.budget = budget
        self.secret = secret

    def inside(self) -> "Frame":
        """A frame for a comprehension in this one."""
        inner = Frame(self.env, self.budget, self.secret)
        inner.parent = self
        inner.names = {}
        return inner


Code: TypeAlias = Callable[[Frame], object]
"""A node of a tree, ready to be evaluated."""


def read_target(name: str, hops: int) -> Code:
    """The closure that reads a target, `hops` frames further out."""

    def read(frame: Frame) -> object:
        for _ in range(hops):
            frame = frame.parent
        try:
            return frame.names[name]
        except KeyError:
            error = UnboundLocalError if hops == 0 else NameError
            raise error(f"`{name}` is read before the comprehension assigns it") from None

    return read


def names_of(target: Target) -> frozenset[str]:
    """The names that a target assigns."""
    if isinstance(target, str):
        return frozenset({target})
    return frozenset[str]().union(*(names_of(part) for part in target))


def assign(frame: Frame, target: Target, value: object) -> None:
    """Assign a value to a target, unpacked where the target is a tuple."""
    if isinstance(target, str):
        frame.names[target] = value
        return
    parts = list(islice(paid_items(value, frame.budget), len(target) + 1))
    if len(parts) < len(target):
        raise ValueError(f"not enough values to unpack (expected {len(target)}, got {len(parts)})")
    if len(parts) > len(target):
        raise ValueError(f"too many values to unpack (expected {len(target)})")
    for part, item in zip(target, parts, strict=True):
        assign(frame, part, item)
