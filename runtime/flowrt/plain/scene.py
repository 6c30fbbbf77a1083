"""What a plain execution passes around: the surroundings of a body, and how a step or body ended.

In: nothing. Out: the nouns that `flowrt.plain.plain` and its neighbours share, and that travel between the
Ray tasks of `flowrt.graph.ops`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from flowrt.errors import FlowrtError
from flowrt.executor.run_info import RunInfo
from flowrt.expr.evaluate import evaluate
from flowrt.expr.tree import Expr
from flowrt.program import Body, Flow

Values: TypeAlias = Mapping[str, object]


class PlainFailure(FlowrtError):
    """A step failed for a reason that lies in the flow; `type` is the one that a journal would hold."""

    def __init__(self, type_name: str, message: str) -> None:
        """Keep the type, such as `flowrt.LoopLimit`, and the message."""
        super().__init__(type_name, message)
        self.type = type_name
        self.message = message

    def __str__(self) -> str:
        """The message alone."""
        return self.message


class NeverEnds(PlainFailure):
    """A wait would never end: nothing is there, nobody sends more, and it has no time-out."""


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """An event that a plain execution hands to the first wait that takes it."""

    name: str
    key: str | None = None
    payload: object = None


@dataclass(frozen=True, slots=True)
class PlainUndo:
    """What takes a step back, and the values that it reads."""

    body: Body
    env: Values


@dataclass(frozen=True, slots=True)
class Scene:
    """What all steps of an execution share.

    `flows` and `code` are those of the program; `python_path` is where callables are looked for first,
    `inputs` what the main flow was given. `events` are the events that no wait has taken yet;
    None means that nobody delivers any. `depth` counts the flows that are being called. `undos` are those of
    the steps that are completed in the saga around, the newest last; None: there is no saga. `caught`
    pairs the errors that catches around have caught, as they are read, with what was raised. `actors` are
    what is stored of the objects whose methods were called; None: nobody keeps any.
    """

    flows: Mapping[str, Flow]
    code: Mapping[str, bytes]
    run: RunInfo
    python_path: tuple[str, ...] = ()
    inputs: Values = field(default_factory=dict[str, object])
    events: list[PlainEvent] | None = None
    depth: int = 0
    undos: "list[PlainUndo] | None" = None
    caught: tuple[tuple[object, Exception], ...] = ()
    actors: dict[str, object] | None = None

    def evaluate(self, expr: Expr, env: Values) -> object:
        """The value of an expression; `run` and `secret` are known in it."""
        return evaluate(expr, {"run": self.run, **env}, _secret)


@dataclass(frozen=True, slots=True)
class Done:
    """It ended well: its value, and the names that it assigned."""

    value: object = None
    names: Values = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Left:
    """It left the flow or loop around it; the fields are those of `flowrt.core.outcome.Left`, with values."""

    kind: Literal["return", "break", "continue", "tail"]
    value: object = None
    names: Values = field(default_factory=dict[str, object])
    flow: str = ""


Ended: TypeAlias = Done | Left


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        message = f"The secret `{name}` is not there: set the environment variable {name}."
        raise PlainFailure("flowrt.SecretMissing", message)
    return value
