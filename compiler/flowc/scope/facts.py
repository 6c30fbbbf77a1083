"""What a walk through a flow finds out, as data: `flowc.scope.trace` writes it, the checks read it."""

from collections.abc import Mapping
from typing import Literal

from flowc.ir import (
    Break,
    Call,
    Continue,
    File,
    Flow,
    For,
    GraphBody,
    Ident,
    Loop,
    Race,
    Return,
    Step,
    Switch,
)
from flowc.scope.mentions import Mention
from flowc.scope.scope import BarrierKind, Binding
from flowc.span import Span
from flowrt.expr.tree import Expr
from flowrt.noun import field, noun
from flowrt.type_ref import TypeRef

ConditionPlace = Literal["if", "while", "until", "match"]
LeaveFault = Literal["no loop", "graph", "parallel", "finally"]


@noun
class Read:
    """A name that is read, and what it stands for there (None: nothing of that name is assigned yet).

    `inside` are the steps around the place, from the outside to the inside. `loop` is the loop around it
    whose body assigns the name later on. `visible` are the names that could have been meant; they are
    listed for names without a binding only.
    """

    mention: Mention
    at: Span
    binding: Binding | None
    inside: tuple[Step, ...]
    loop: For | Loop | None = None
    visible: tuple[str, ...] = ()


@noun
class Clash:
    """A name that is assigned where only its reading is allowed; `outer` is what it stands for outside."""

    ident: Ident
    barrier: BarrierKind
    outer: Binding


@noun
class Shadow:
    """A loop variable, or the name of a caught error, with the name of something else that can be seen."""

    ident: Ident
    outer: Binding
    is_error: bool = False


@noun
class Overwritten:
    """Two steps of one list with the same id, where nothing reads the value of the first."""

    first: Ident
    second: Ident


@noun
class Condition:
    """A condition and its type, as far as it is known."""

    place: ConditionPlace
    expr: Expr
    type: TypeRef
    at: Span


@noun
class Unreached:
    """A step, or the result of the flow, that no path reaches since `after` always leaves."""

    span: Span
    after: Step
    is_result: bool = False


@noun
class Misplaced:
    """A step that leaves what it cannot leave from where it stands; `inside` are those around it."""

    step: Return | Break | Continue
    fault: LeaveFault
    inside: tuple[Step, ...]


@noun
class Edge:
    """In a graph, `reader` waits for `source`: it reads its value at `at`, or says so with `after`."""

    reader: int
    source: int
    at: Span
    is_order: bool = False


@noun
class GraphFacts:
    """A graph: what waits for what, and the names in `after` that are no steps of it."""

    body: GraphBody
    edges: tuple[Edge, ...]
    strangers: tuple[Ident, ...]


@noun(frozen=False)
class FlowFacts:
    """All that a walk through one flow finds out, each kind in the order of the walk."""

    flow: Flow
    file: File
    flows: Mapping[str, Flow]
    reads: list[Read] = field(default_factory=list[Read])
    assigned: dict[str, list[Span]] = field(default_factory=dict[str, list[Span]])
    clashes: list[Clash] = field(default_factory=list[Clash])
    shadows: list[Shadow] = field(default_factory=list[Shadow])
    overwritten: list[Overwritten] = field(default_factory=list[Overwritten])
    conditions: list[Condition] = field(default_factory=list[Condition])
    unreached: list[Unreached] = field(default_factory=list[Unreached])
    misplaced: list[Misplaced] = field(default_factory=list[Misplaced])
    graphs: list[GraphFacts] = field(default_factory=list[GraphFacts])
    calls: list[Call] = field(default_factory=list[Call])
    switches: list[tuple[Switch, TypeRef]] = field(default_factory=list[tuple[Switch, TypeRef]])
    """Each `switch`, and the type of its subject."""
    races: list[Race] = field(default_factory=list[Race])
    loops: list[tuple[Loop, int]] = field(default_factory=list[tuple[Loop, int]])
    """Each `while` and `until`, and how many `break` leave it."""
