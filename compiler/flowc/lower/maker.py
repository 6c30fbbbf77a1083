"""A body while it is made: nodes are added one by one, and names stand for the sources of their values.

In: operations and the names that they read. Out: a `flowrt.program.Body`.

Every value has one source for ever, so an assignment is nothing but an entry in a table: `x` stands for
`Out(3)` from here on. A body inside another sees the names of the surroundings as `Param`s of the same
name; which of them it really reads is known when it is finished (`params_of`), and those go into the
environment of the node that holds it. What an arm of a branch or the body of a loop assigned is handed
on by name (`exports`) and is `Out(i, "x")` of that node from there on.
"""

from collections.abc import Iterable, Iterator, Mapping

from flowc.expr.names import free_names
from flowc.ir import Flow
from flowrt.expr.tree import Attribute, Const, DictOf, Expr, Name
from flowrt.noun import field, noun
from flowrt.program import Body, Compute, Failure, Node, Op, Out, Param, Source

_RUN_AS_MAPPING = DictOf(
    tuple((Const(name), Attribute(Name("run"), name)) for name in ("id", "flow", "started_at", "labels"))
)


@noun(frozen=False)
class LoopPoint:
    """The loop around a body, and which jumps to it were seen.

    `carried` are the names that it hands from round to round; `tested` those of its body that only the
    condition of an `until` reads.
    """

    carried: tuple[str, ...]
    tested: tuple[str, ...] = ()
    has_break: bool = False
    has_continue: bool = False


@noun
class Known:
    """A flow that can be called, and its name in the program."""

    name: str
    flow: Flow


@noun(frozen=False)
class Maker:
    """The body so far.

    `own` are the names that were assigned in this body; others are looked up in `outer`. `last` are the
    nodes that the next node comes after; with `ordered` that is always the newest one. `left` says that
    no path gets to the present place.
    """

    flows: Mapping[str, Known]
    outer: "Maker | None" = None
    own: dict[str, Source] = field(default_factory=dict[str, Source])
    loop: LoopPoint | None = None
    nodes: list[Node] = field(default_factory=list[Node])
    last: tuple[int, ...] = ()
    ordered: bool = True
    left: bool = False

    def inner(self, given: Iterable[str] = (), loop: LoopPoint | None = None) -> "Maker":
        """A body inside this one, to which the construct itself gives some names."""
        return Maker(self.flows, self, {name: Param(name) for name in given}, loop or self.loop)

    def find(self, name: str) -> Source | None:
        """What a name stands for here."""
        if name in self.own:
            return self.own[name]
        if self.outer is not None and self.outer.find(name) is not None:
            return Param(name)
        return None

    def source(self, name: str) -> Source:
        """What a name stands for here; the checks have seen to it that it stands for something."""
        found = self.find(name)
        assert found is not None, f"`{name}` is not assigned here"
        return found

    def add(self, node_id: str, op: Op, names: Iterable[str], env: Iterable[tuple[str, Source]] = ()) -> int:
        """Add a node that reads `names`, and what `env` gives it under names of its own."""
        read = {name: self.source(name) for name in names if name != "run"}
        index = len(self.nodes)
        self.nodes.append(Node(node_id, op, tuple({**read, **dict(env)}.items()), self.last))
        if self.ordered:
            self.last = (index,)
        return index

    def named(self, expr: Expr, node_id: str, name: str) -> tuple[str, Source]:
        """A name for a value, and its source: a name that is read as it is, or a step that computes it."""
        if isinstance(expr, Name) and (found := self.find(expr.id)) is not None:
            return expr.id, found
        return name, Out(self.compute(node_id, expr))

    def compute(self, node_id: str, expr: Expr) -> int:
        """A step that computes a value. `run` as a whole becomes a mapping, which can be recorded."""
        if isinstance(expr, Name) and expr.id == "run" and self.find("run") is None:
            expr = _RUN_AS_MAPPING
        return self.add(node_id, Compute(expr), names_in(expr))

    def export(self, names: Iterable[str]) -> tuple[tuple[str, Source], ...]:
        """The names with what they stand for, unless no path gets here."""
        return () if self.left else tuple((name, self.source(name)) for name in names)

    def body(
        self,
        value: Source | None = None,
        exports: Iterable[tuple[str, Source]] = (),
        failure: Failure = "cancel",
    ) -> Body:
        """The body."""
        return Body(tuple(self.nodes), None if self.left else value, tuple(exports), failure)


def names_in(*exprs: Expr | None) -> list[str]:
    """The names that expressions read, each once."""
    found = (name.id for expr in exprs if expr is not None for name in free_names(expr))
    return list(dict.fromkeys(found))


def params_of(*bodies: Body | None, without: Iterable[str] = ()) -> list[str]:
    """The names that bodies read from their surroundings, each once."""
    given = set(without)
    found = (source.name for body in bodies if body is not None for source in _sources(body))
    return [name for name in dict.fromkeys(found) if name not in given]


def _sources(body: Body) -> Iterator[Param]:
    for node in body.nodes:
        yield from (source for _, source in node.env if isinstance(source, Param))
    yield from (source for _, source in body.exports if isinstance(source, Param))
    if isinstance(body.value, Param):
        yield body.value
