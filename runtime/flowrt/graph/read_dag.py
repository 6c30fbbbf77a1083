"""Read a Ray bind graph: in its root node, out a `Program` and the inputs that stand in it.

Two kinds of graphs come here and leave as the same thing. A compiled graph (nodes of `flowrt.graph.ops`) is
read back exactly: `read_dag(bind(program, inputs)) == (program, inputs)`. In a hand-written graph each
node of a function becomes a task:

    f.bind(g.bind(1), 2)        g = g(1), f = f(g, 2)      ids are the functions' names: f, f#2, f#3 …
    f.bind([g.bind(), 2])       containers are taken apart as far as nodes stand in them
    InputNode, inp[0], inp.x    the flow's input `input`, and expressions on it
    MultiOutputNode([a, b])     the list of their values

A graph is made of Python objects without any bound on its depth or width. So it is walked with a list
for a stack, each node once, in post-order of the arguments: nodes come after what they read, and the
same graph always gives the same ids. Ray's own walks are quadratic in a node's width and end in an error
at a depth of some hundreds; none of them is called here. What is taken from Ray is the list of upstream
nodes that every node made of itself when it was bound: a node that stands there, and was not found in
the arguments, is hidden in an object that cannot be looked into.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeGuard, cast

import cloudpickle  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
import ray
from ray.actor import ActorHandle
from ray.dag import DAGNode, FunctionNode, InputAttributeNode, InputNode, MultiOutputNode

from flowrt.errors import UnsupportedGraph
from flowrt.expr.tree import Attribute, Const, DictOf, Expr, Index, ListOf, Name, TupleOf
from flowrt.graph import ops
from flowrt.graph.ray_options import read_options
from flowrt.graph.read_compiled import read_compiled
from flowrt.plain.scene import Values
from flowrt.program import (
    Body,
    Compute,
    Flow,
    Node,
    Out,
    Param,
    Pickled,
    Program,
    Source,
    Task,
)
from flowrt.type_ref import Input, TypeRef

INPUT = "input"
"""The name of the input that stands for an InputNode."""

DEPTH_MAX = 100
"""How deep containers in an argument may nest."""

_OPS = ops.__name__


def read_dag(root: object) -> tuple[Program, Values]:
    """The program of a bind graph, and the inputs that were bound into it.

    Raises:
        UnsupportedGraph: It is no bind graph, or something in it cannot run durably.
    """
    if not isinstance(root, DAGNode):
        raise UnsupportedGraph(
            f"A bind graph was expected, such as `f.bind(1)`, and this is of type {type(root).__name__}."
        )
    nodes = _in_order(root)
    if isinstance(root, FunctionNode) and _is_op(root):
        return read_compiled(nodes)
    return _FunctionGraph(nodes).program(root), {}


def python_path_of(root: object) -> tuple[str, ...]:
    """Where the callables of a compiled graph are imported from; nothing for a hand-written one."""
    if isinstance(root, FunctionNode) and _is_op(root):
        for node in _in_order(root):
            given = next(iter(_arguments(node)), None)
            if isinstance(given, ops.Given):
                return given.python_path
    return ()


def _in_order(root: DAGNode) -> list[DAGNode]:
    """Every node of the graph once, each after the nodes in its arguments."""
    ordered: list[DAGNode] = []
    seen = {_uuid(root)}
    stack = [(root, iter(_children(root)))]
    while stack:
        node, rest = stack[-1]
        for child in rest:
            if _uuid(child) not in seen:
                seen.add(_uuid(child))
                stack.append((child, iter(_children(child))))
                break
        else:
            ordered.append(node)
            stack.pop()
    return ordered


def _children(node: DAGNode) -> list[DAGNode]:
    """The nodes in the arguments of a node, in their order."""
    if isinstance(node, InputNode | InputAttributeNode):
        return []
    if not isinstance(node, FunctionNode | MultiOutputNode):
        raise UnsupportedGraph(
            f"The graph holds a {type(node).__name__}. Only functions can run durably: the state of an "
            "actor is lost with its process. Make the method a function of the state."
        )
    values = _arguments(node)
    if _is_flat(node):
        return [value for value in values if isinstance(value, DAGNode)]
    children = [child for value in values for child in _nodes_in(value, _name_of(node))]
    if not _upstream(node).issubset(map(_uuid, children)):
        kinds = sorted({type(value).__name__ for value in values if not isinstance(value, DAGNode)})
        raise UnsupportedGraph(
            f"An argument of `{_name_of(node)}` ({', '.join(kinds)}) holds a node of the graph inside an "
            "object that is no list, tuple or dict. Give the node as an argument of its own."
        )
    return children


def _upstream(node: DAGNode) -> set[str]:
    """The nodes that Ray found in the arguments, wherever they are."""
    return {_uuid(each) for each in cast("list[DAGNode]", vars(node)["_upstream_nodes"])}


def _is_flat(node: DAGNode) -> bool:
    """Whether every node in the arguments is an argument itself, so that nothing need be taken apart."""
    return _upstream(node).issubset(_uuid(value) for value in _arguments(node) if isinstance(value, DAGNode))


def _arguments(node: DAGNode) -> list[object]:
    return [*cast("list[object]", node.get_args()), *cast("dict[str, object]", node.get_kwargs()).values()]


def _nodes_in(value: object, function: str, depth: int = 0) -> Iterator[DAGNode]:
    """The nodes in an argument, in their order."""
    if isinstance(value, DAGNode):
        yield value
    elif depth > DEPTH_MAX:
        raise UnsupportedGraph(
            f"Containers in an argument of `{function}` are nested more than {DEPTH_MAX} deep."
        )
    elif _is_list(value) or _is_tuple(value):
        for part in value:
            yield from _nodes_in(part, function, depth + 1)
    elif _is_dict(value):
        for part in value.values():
            yield from _nodes_in(part, function, depth + 1)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return type(value) is list


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return type(value) is tuple


def _is_dict(value: object) -> TypeGuard[dict[object, object]]:
    return type(value) is dict


def _uuid(node: DAGNode) -> str:
    return node.get_stable_uuid()


def _body_of(node: DAGNode) -> object:
    return vars(node)["_body"]


def _name_of(node: DAGNode) -> str:
    """The name of a node's function, with nothing in it that has a meaning in paths."""
    name = str(getattr(_body_of(node), "__name__", "")) if isinstance(node, FunctionNode) else "outputs"
    return re.sub(r"\W+", "_", name).strip("_") or "function"


def _is_op(node: DAGNode) -> bool:
    return getattr(_body_of(node), "__module__", None) == _OPS


@dataclass(slots=True)
class _Place:
    """Where arguments are read: the function they belong to, and the names that they turned out to read."""

    function: str
    is_flat: bool
    env: dict[str, Source] = field(default_factory=dict[str, Source])


class _FunctionGraph:
    """A hand-written graph while it is turned into a program."""

    def __init__(self, nodes: list[DAGNode]) -> None:
        self._nodes = nodes
        self._reads_input = any(isinstance(node, InputNode | InputAttributeNode) for node in nodes)
        self._ids: dict[str, str] = {}
        self._sources: dict[str, Source] = {INPUT: Param(INPUT)}
        self._digests: dict[int, str] = {}
        self._code: dict[str, bytes] = {}

    def program(self, root: DAGNode) -> Program:
        """The program whose value is that of the root."""
        counts = {INPUT: 1} if self._reads_input else {}
        body: list[Node] = []
        for node in self._nodes:
            if isinstance(node, FunctionNode):
                node_id = _next_id(_name_of(node), counts)
                body.append(self._task(node_id, node))
                self._ids[_uuid(node)] = node_id
                self._sources[node_id] = Out(len(body) - 1)
        if not isinstance(root, FunctionNode):
            place = _Place("outputs", is_flat=False)
            compute = Compute(self._expr(root, place))
            body.append(Node(_next_id("outputs", counts), compute, tuple(place.env.items())))
        flow = Flow(
            name=_name_of(root),
            body=Body(tuple(body), Out(len(body) - 1)),
            inputs=(Input(INPUT, TypeRef("any")),) if self._reads_input else (),
        )
        return Program({flow.name: flow}, flow.name, self._code)

    def _task(self, node_id: str, node: FunctionNode) -> Node:
        name = _name_of(node)
        if _is_op(node):
            raise UnsupportedGraph(
                f"`{name}` is a step of a compiled flow, which stands inside a hand-written graph or is not "
                "its root. Hand the node that `bind` gave to `flowrt.run` as it is."
            )
        place = _Place(name, _is_flat(node))
        said = read_options(name, cast("dict[str, object]", node.get_options()))
        kwargs = cast("dict[str, object]", node.get_kwargs())
        task = Task(
            callee=Pickled(self._digest(_body_of(node), name), name),
            args=tuple(self._expr(arg, place) for arg in cast("list[object]", node.get_args())),
            kwargs=tuple((key, self._expr(arg, place)) for key, arg in kwargs.items()),
            options=said.options,
            retry=said.retry,
            lost_max=said.lost_max,
        )
        return Node(node_id, task, tuple(place.env.items()))

    def _expr(self, value: object, place: _Place) -> Expr:
        """An argument as an expression; the names that it reads are added to the place's `env`."""
        if isinstance(value, FunctionNode):
            name = self._ids[_uuid(value)]
            place.env[name] = self._sources[name]
            return Name(name)
        if isinstance(value, InputNode | InputAttributeNode):
            place.env[INPUT] = self._sources[INPUT]
            return _input_expr(value)
        if not isinstance(value, DAGNode) and (place.is_flat or not _holds_node(value)):
            return Const(_checked(value, place.function))
        return self._container(value, place)

    def _container(self, value: object, place: _Place) -> Expr:
        """A container in which nodes stand, or the node that is a list of others."""
        if _is_dict(value):
            return DictOf(tuple((Const(key), self._expr(part, place)) for key, part in value.items()))
        if isinstance(value, MultiOutputNode):
            parts: Iterable[object] = _arguments(value)
        else:
            assert _is_list(value) or _is_tuple(value), "a node stands in a list, a tuple or a dict"
            parts = value
        exprs = tuple(self._expr(part, place) for part in parts)
        return TupleOf(exprs) if _is_tuple(value) else ListOf(exprs)

    def _digest(self, body: object, name: str) -> str:
        """The digest of a function's code, which is kept once however many nodes call it."""
        known = self._digests.get(id(body))
        if known is not None:
            return known
        try:
            code = cloudpickle.dumps(body)  # pyright: ignore[reportUnknownMemberType]
        except Exception as error:
            raise UnsupportedGraph(
                f"The code of `{name}` cannot be stored: {error}. What it refers to must be picklable."
            ) from error
        digest = sha256(code).hexdigest()
        self._digests[id(body)] = digest
        self._code[digest] = code
        return digest


def _next_id(name: str, counts: dict[str, int]) -> str:
    counts[name] = counts.get(name, 0) + 1
    return name if counts[name] == 1 else f"{name}#{counts[name]}"


def _input_expr(node: InputNode | InputAttributeNode) -> Expr:
    if isinstance(node, InputNode):
        return Name(INPUT)
    key = cast("object", vars(node)["_key"])
    if vars(node)["_accessor_method"] == "__getattr__":
        return Attribute(Name(INPUT), str(key))
    return Index(Name(INPUT), Const(key))


def _holds_node(value: object) -> bool:
    return any(True for _ in _nodes_in(value, ""))


def _checked(value: object, function: str) -> object:
    """A plain argument. Raises UnsupportedGraph for what dies with the present cluster."""
    if isinstance(value, ray.ObjectRef):
        raise UnsupportedGraph(
            f"An argument of `{function}` is an ObjectRef, which does not outlive this Ray cluster. "
            "Bind the value itself, or the task that makes it."
        )
    if isinstance(value, ActorHandle):
        raise UnsupportedGraph(
            f"An argument of `{function}` is the handle of an actor, which does not outlive this Ray "
            "cluster. Bind a value that the function can make its own client from."
        )
    return value
