"""A program: a bind graph made serialisable. What the engine runs, and what a run stores.

A `Program` is a library of flows and the name of the one that a run starts. The body of a flow, of an arm
of a branch or of a loop is a `Body`: nodes in an order in which every reference points backwards. A node runs
when the nodes that its environment reads, and those in its `after`, are done. A list of steps is a body in
which each node is `after` the one before it; a graph is a body without that.

    Out(3)          the value of node 3 of the same body
    Out(3, "x")     the name x that the block at node 3 assigned
    Param("x")      x of the surroundings: an entry of the environment of the node that holds the body,
                    or what the construct itself gives (the variable of a loop, an input of a flow)

The names that an operation's expressions and nested bodies may read are exactly the names of its
node's `env`. Step identity (what the journal is keyed by) is the path of node ids: see `flowrt.core.path`.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from flowrt.calling import Actor as Actor
from flowrt.calling import Cache as Cache
from flowrt.calling import Callee as Callee
from flowrt.calling import CallFlow as CallFlow
from flowrt.calling import Imported as Imported
from flowrt.calling import Pickled as Pickled
from flowrt.calling import Retry as Retry
from flowrt.calling import Start as Start
from flowrt.expr.tree import Expr
from flowrt.noun import field, noun
from flowrt.type_ref import Input, TypeRef

ErrorsPolicy = Literal["fail", "collect", "drop"]
RaceErrors = Literal["fail", "drop"]
Failure = Literal["cancel", "finish"]
SampleKind = Literal["now", "today", "uuid", "random"]


@noun
class Param:
    """A name that comes from the surroundings of a body."""

    name: str


@noun
class Out:
    """The value of a node of the same body, or one of the names that it assigned."""

    node: int
    field: str = ""


Source: TypeAlias = Param | Out


@noun
class Task:
    """A call of a Python callable in a worker, which evaluates the arguments as well.

    With `raises`, the value is an exception, and the step fails with it. `lost_max` is how often an attempt
    whose worker was lost is made again, `heartbeat` how long one may do without `flowrt.heartbeat()`. With
    `once` there is one attempt, recorded before it is made; when nobody knows what became of it, the step
    fails as unknown. `undo` takes back what the task did when the saga around it does not end well.
    `listener`: a method of a `flowrt.EventListener` is called; `actor`: one of an object, in its turn.
    """

    callee: Callee
    args: tuple[Expr, ...] = ()
    kwargs: tuple[tuple[str, Expr], ...] = ()
    options: Expr | None = None
    retry: Retry | None = None
    timeout: Expr | None = None
    raises: bool = False
    lost_max: int = 3
    heartbeat: Expr | None = None
    once: bool = False
    undo: "Undo | None" = None
    listener: bool = False
    cache: Cache | None = None
    actor: Actor | None = None


@noun
class Undo:
    """What takes a step back. `body` is one node, the task, whose environment is read by parameters.

    `own` is the name under which it reads the value of the step (empty: it does not), `reads` are the other
    names, which are names of the step's own environment, as they were for the step. `apart` are those of
    them that nothing but the undo reads: the step's task does not get them.
    """

    body: "Body"
    own: str = ""
    reads: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


@noun
class Compute:
    """A pure expression, computed in the engine. An expression that is one name hands its value on."""

    expr: Expr


@noun
class Sample:
    """A value that differs each time it is asked for, taken once and recorded."""

    what: SampleKind


@noun
class Branch:
    """`then` if `cond` is true, else `orelse`. The node's value is the value of the arm that ran."""

    cond: Expr
    then: "Body"
    orelse: "Body | None" = None


@noun
class Case:
    """A body, and the values of the subject of a `Switch` for which it runs."""

    values: tuple[Expr, ...]
    body: "Body"


@noun
class Switch:
    """The first case that has a value equal to `subject`, else `orelse`. The node's value is that body's.

    Values are evaluated one after another, as far as the first that is equal, and the subject once.
    """

    subject: Expr
    cases: tuple[Case, ...]
    orelse: "Body | None" = None


@noun
class ForEach:
    """`body` once for each item of the value that the environment calls `items`.

    Without `parallel` one body runs after another, and the names in `carried` hand their values from
    each body to the next: they are parameters and exports of the body, and names of the node.
    `keep` is false when nobody reads the node's value, so that contributions need not be kept.
    """

    var: str
    items: str
    body: "Body"
    parallel: Expr | None = None
    errors: ErrorsPolicy = "fail"
    need: Expr | None = None
    batch: Expr | None = None
    carried: tuple[str, ...] = ()
    keep: bool = True


@noun
class Loop:
    """`body` while `cond` holds, or until it does; `until` runs the body first.

    `check` is a body that runs before each evaluation of `cond`; its exports are names for `cond`.
    `carried` names are parameters and exports of the body. For `until`, exports of the body that are
    not carried are names for `cond` as well. `max` is an int, `every` a duration.
    """

    kind: Literal["while", "until"]
    cond: Expr
    body: "Body"
    carried: tuple[str, ...] = ()
    check: "Body | None" = None
    max: Expr | None = None
    every: Expr | None = None


@noun
class Sleep:
    """A durable pause: for a duration, until an instant, or until the next slot of a cron expression.

    Exactly one of the three is given; `tz` is the zone of `cron`, by default UTC.
    """

    duration: Expr | None = None
    until: Expr | None = None
    cron: Expr | None = None
    tz: Expr | None = None


@noun
class Wait:
    """The oldest event of this name and key that `match` accepts. `match` reads the payload as `event`.

    `type` is the declared type of the payload: what senders are held to where they send.
    """

    event: str
    key: Expr | None = None
    match: Expr | None = None
    timeout: Expr | None = None
    orelse: "Body | None" = None
    type: TypeRef | None = None


@noun
class Emit:
    """Send an event to every run that waits for it; `type` is the declared type of its payload."""

    event: str
    key: Expr | None = None
    payload: Expr | None = None
    type: TypeRef | None = None


@noun
class Block:
    """A nested body. With `names` the node's value is the mapping of the body's exports."""

    body: "Body"
    names: bool = False


@noun
class Saga:
    """A nested body. When it does not end well, the undo of every completed step runs, the newest first."""

    body: "Body"


@noun
class RaceBranch:
    """A branch of a race; `id` is unique within the race."""

    id: str
    body: "Body"


@noun
class Bounded:
    """A nested body that is bounded in time, and made again as a whole when it fails.

    `timeout` is a duration, for each attempt. `retry` is as for a task, for any failure in the body.
    """

    body: "Body"
    timeout: Expr | None = None
    retry: Retry | None = None


@noun
class Catch:
    """What deals with failures of these types (import paths), whose error it may read by `name`."""

    types: tuple[str, ...]
    name: str
    body: "Body"


@noun
class Race:
    """Bodies that run at the same time until enough of them have ended well; the rest is stopped.

    Without `need` that is one, and its value is the node's. With it, the value is the list of the first
    `need` values, in the order in which the branches ended. With `errors` "drop" a branch that fails is
    out, and the race goes on while `need` can be met.
    """

    branches: tuple[RaceBranch, ...]
    need: Expr | None = None
    errors: RaceErrors = "fail"


@noun
class Try:
    """A nested body, what deals with its failure, and what runs after both, however they ended.

    The first catch of which the failure is an instance runs. `final` is not stopped when the run
    is cancelled. All bodies but `final` export the same names; those of `final` come to them.
    """

    body: "Body"
    catches: tuple[Catch, ...] = ()
    final: "Body | None" = None


@noun
class Rethrow:
    """Fail with the failure whose error is `name`, which a catch around this has caught."""

    name: str


@noun
class Lock:
    """A nested body for which its run holds a lock, one for each `key`; `limit` (1) bodies may hold it."""

    name: str
    body: "Body"
    limit: Expr | None = None
    key: Expr | None = None


@noun
class Leave:
    """End the surrounding flow (`return`, or `tail`: go on as `flow`) or loop (`break`, `continue`).

    `value` is the name of the returned value in the environment. For `break` and `continue` the
    environment holds the names that the loop carries, as they are at this point. For `tail`, `args`
    pairs each input of `flow` with a name of the environment.
    """

    kind: Literal["return", "break", "continue", "tail"]
    value: str | None = None
    flow: str = ""
    args: tuple[tuple[str, str], ...] = ()


@noun
class Fail:
    """Fail the step with `message`, a text."""

    message: Expr


Op: TypeAlias = (
    Task
    | Compute
    | Sample
    | Branch
    | ForEach
    | Loop
    | Sleep
    | Wait
    | Emit
    | Block
    | Lock
    | CallFlow
    | Start
    | Leave
    | Fail
    | Saga
    | Switch
    | Race
    | Bounded
    | Try
    | Rethrow
)


@noun
class Node:
    """One step of a body. `id` is unique within the body and stable under edits elsewhere."""

    id: str
    op: Op
    env: tuple[tuple[str, Source], ...] = ()
    after: tuple[int, ...] = ()


@noun
class Body:
    """Nodes whose references all point backwards; the block's value; the names it leaves behind."""

    nodes: tuple[Node, ...]
    value: Source | None = None
    exports: tuple[tuple[str, Source], ...] = ()
    failure: Failure = "cancel"


@noun
class Flow:
    """A flow: its inputs are the parameters of its body.

    `schedule` is the text of a `flowrt.schedule.Schedule`: when the flow runs by itself. It says nothing of
    what a run does, so it takes no part in equality and is not stored with runs.
    """

    name: str
    body: Body
    inputs: tuple[Input, ...] = ()
    returns: TypeRef | None = None
    labels: tuple[tuple[str, str], ...] = ()
    timeout: Expr | None = None
    schedule: str | None = field(default=None, compare=False)


@noun
class Program:
    """A library of flows and the one that a run starts.

    `code` holds the cloudpickled callables of a hand-written graph by digest; it is stored apart and
    takes no part in equality (the digests stand in the callees).
    """

    flows: Mapping[str, Flow]
    main: str
    code: Mapping[str, bytes] = field(default_factory=dict[str, bytes], compare=False)
