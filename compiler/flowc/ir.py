"""The IR: flows whose every part is understood, each with its place. Made by `resolve`, read by all after.

Expressions are trees of `flowrt.expr.tree`. Calls of tasks and flows that stood inside an expression
have been lifted out: each is a `Call` in the `prelude` of its step, and the expression reads its value
by the name in `Call.id` (such as `$0`; no author can write that name). Names are not yet looked up:
which assignment a name reads is a matter of paths, which `flowc.scope.scope` works out.

"Value places" of the language (`with`, `options`, `sleep`, …) have become expressions too: constants,
lists and dicts of them, and f-strings for text with `${{ }}` in it. A duration is a `timedelta`.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from flowc.calling import Callee as Callee
from flowc.calling import FlowCallee as FlowCallee
from flowc.calling import Ident as Ident
from flowc.calling import Modifiers as Modifiers
from flowc.calling import Retry as Retry
from flowc.calling import TaskCallee as TaskCallee
from flowc.span import Source, Span
from flowrt.expr.tree import Expr
from flowrt.noun import field, noun
from flowrt.program import ErrorsPolicy, RaceErrors
from flowrt.type_ref import TypeRef


@noun
class Meta:
    """What every step has.

    `span` is the step's own text; `path_id` its part of the step identity (its name, or `step#2`).
    `prelude` are the calls lifted out of its expressions, in order of evaluation.
    """

    span: Span
    path_id: str
    id: Ident | None = None
    doc: str = ""
    prelude: tuple["Call", ...] = ()
    after: tuple[Ident, ...] = ()


@noun
class Steps:
    """A list of steps: they run from top to bottom."""

    steps: tuple["Step", ...]
    span: Span


@noun
class GraphBody:
    """A graph of named steps: each runs when what it reads is there. Every step has an id."""

    steps: tuple["Step", ...]
    span: Span


Block: TypeAlias = Steps | GraphBody


@noun
class Call:
    """A call of a task or a flow. `args` and `kwargs` are in the author's order.

    `undo` is the call of a task that takes this one back; its expressions may read this one's value. `key` is
    that of the actor whose method is called.
    """

    meta: Meta
    callee: Callee
    args: tuple[Expr, ...]
    kwargs: tuple[tuple[Ident, Expr], ...]
    modifiers: Modifiers
    undo: "Call | None" = None
    key: Expr | None = None


@noun
class Value:
    """A name for the value of an expression."""

    meta: Meta
    expr: Expr


@noun
class If:
    """A branch. `elif` of the DSL is an `If` alone in the `orelse` of another.

    `ways` says when either is gone, in words: there are branches that no author has written as such.
    """

    meta: Meta
    cond: Expr
    then: Block
    orelse: Block | None
    ways: tuple[str, str] = ("when this condition is true", "when this condition is false")


@noun
class Case:
    """A case of a `switch`: the values for which its body runs. `span` is the text of the values."""

    values: tuple[Expr, ...]
    body: Block
    span: Span


@noun
class Switch:
    """`switch` with its cases, and what runs when none of them fits."""

    meta: Meta
    subject: Expr
    cases: tuple[Case, ...]
    orelse: Block | None


@noun
class For:
    """`for`. `collect_prelude` are the calls lifted out of `collect`: they run at the end of each body."""

    meta: Meta
    var: Ident
    items: Expr
    body: Block
    parallel: Expr | None
    errors: ErrorsPolicy
    need: Expr | None
    batch: Expr | None
    collect: Expr | None
    collect_prelude: tuple[Call, ...]


@noun
class Loop:
    """`while` or `until`. Calls lifted out of `cond` are in `check`, for they run at each test."""

    meta: Meta
    kind: Literal["while", "until"]
    cond: Expr
    check: tuple[Call, ...]
    body: Block
    max: Expr | None
    every: Expr | None


@noun
class Sleep:
    """`sleep`: exactly one of `duration`, `until` and `cron` is given; `tz` is the zone of `cron`."""

    meta: Meta
    duration: Expr | None = None
    until: Expr | None = None
    cron: Expr | None = None
    tz: Expr | None = None


@noun
class Wait:
    """`wait` for an event. In `match` the payload is the name `event`."""

    meta: Meta
    event: Ident
    key: Expr | None
    match: Expr | None
    timeout: Expr | None
    orelse: Block | None
    type: TypeRef | None = None


@noun
class Emit:
    """`emit` of an event; `type` is the declared type of its payload."""

    meta: Meta
    event: Ident
    key: Expr | None
    payload: Expr | None
    type: TypeRef | None = None


@noun
class Graph:
    """A `graph` step."""

    meta: Meta
    body: GraphBody
    failure: Literal["cancel", "finish"]


@noun
class Do:
    """A `do` step: a block of its own; with `timeout` and `retry`, for each attempt of it as a whole."""

    meta: Meta
    body: Block
    timeout: Expr | None = None
    retry: Retry | None = None


@noun
class Saga:
    """A `saga` step: when a step in it fails, those that are completed are taken back."""

    meta: Meta
    body: Block


@noun
class RaceBranch:
    """A branch of a race; its name is no name of a value, and unique within the race."""

    name: Ident
    body: Block


@noun
class Race:
    """`race`. `need` is None when the value of one branch, and not a list of them, is the value."""

    meta: Meta
    branches: tuple[RaceBranch, ...]
    need: Expr | None
    errors: RaceErrors


@noun
class Lock:
    """A `lock` step: the body runs while the run holds the lock of that name, or of that name and key."""

    meta: Meta
    name: Ident
    key: Expr | None
    limit: Expr | None
    body: Block


@noun
class Start:
    """`start`: a call of a flow as a run of its own, whose id is the value."""

    meta: Meta
    call: Call


@noun
class Catch:
    """What a `try` does about failures of these types, all if there are none. `span` is its head."""

    types: tuple[TaskCallee, ...]
    name: Ident | None
    body: Block
    span: Span


@noun
class Try:
    """A `try` step: `final` runs after the body and the catch of its failure, however they ended."""

    meta: Meta
    body: Block
    catches: tuple[Catch, ...]
    final: Block | None


@noun
class Return:
    """`return`. When the returned expression is nothing but a call of a flow, `tail` is that call."""

    meta: Meta
    expr: Expr | None
    tail: Call | None


@noun
class Raise:
    """`raise` of an exception class."""

    meta: Meta
    callee: TaskCallee
    args: tuple[Expr, ...]
    kwargs: tuple[tuple[Ident, Expr], ...]


@noun
class Rethrow:
    """`raise` of a caught error, by its name."""

    meta: Meta
    error: Ident


@noun
class Fail:
    """`fail` with a text."""

    meta: Meta
    message: Expr


@noun
class Break:
    """`break`."""

    meta: Meta


@noun
class Continue:
    """`continue`."""

    meta: Meta


Step: TypeAlias = (
    Call
    | Value
    | If
    | Switch
    | For
    | Loop
    | Sleep
    | Wait
    | Emit
    | Graph
    | Do
    | Saga
    | Race
    | Lock
    | Start
    | Try
    | Return
    | Raise
    | Rethrow
    | Fail
    | Break
    | Continue
)


@noun
class Input:
    """An input of a flow; `default` is a constant expression, None when the input is required."""

    name: Ident
    type: TypeRef
    default: Expr | None
    doc: str
    minimum: Expr | None
    maximum: Expr | None
    choices: Expr | None


@noun
class Flow:
    """One flow. `schedule` is the text of a `flowrt.schedule.Schedule`, and where it stands."""

    name: Ident
    doc: str
    inputs: tuple[Input, ...]
    returns: TypeRef | None
    timeout: Expr | None
    labels: tuple[tuple[str, str], ...]
    body: Block
    result: Expr | None
    result_prelude: tuple[Call, ...]
    span: Span
    schedule: Ident | None = None


@noun
class Event:
    """A declared event."""

    name: Ident
    type: TypeRef
    key: TypeRef | None
    external: bool


@noun
class File:
    """A flow file, resolved. `aliases` maps each alias of `use` to its Python module.

    `used` maps the other aliases of `use` to the paths of flow files, relative to this one.
    `actors` maps the names of actors to the import paths of their classes.
    """

    source: Source
    flows: tuple[Flow, ...]
    aliases: Mapping[str, str]
    events: Mapping[str, Event]
    used: Mapping[str, Ident] = field(default_factory=dict[str, Ident])
    actors: Mapping[str, str] = field(default_factory=dict[str, str])
