"""Hand-written graphs become programs. No cluster is needed to bind or to read."""

import sys
import time
from datetime import timedelta

import cloudpickle
import pytest
import ray
from ray.dag import InputNode, MultiOutputNode

from flowc.bind import bind
from flowc.write.program import write_text
from flowrt.errors import UnsupportedGraph
from flowrt.expr.tree import Attribute, Const, DictOf, Index, ListOf, Name, TupleOf
from flowrt.graph.ray_options import LOST_MAX, UNBOUNDED
from flowrt.graph.read_dag import read_dag
from flowrt.plain.plain import run_plain
from flowrt.program import Out, Param


@ray.remote
def f(x=0, y=0):
    return x + y


@ray.remote
def g(x):
    return 10 * x


@ray.remote
def total(*values):
    return sum(values)


@ray.remote
def total_of(values):
    return sum(values)


class Busy(Exception):
    pass


class Holder:
    def __init__(self, value):
        self.value = value


def nodes_of(dag):
    program, inputs = read_dag(dag)
    assert inputs == {}
    return program.flows[program.main].body.nodes


def options_of(dag):
    return nodes_of(dag)[-1].op


def test_a_small_graph():
    program, inputs = read_dag(f.bind(g.bind(1), y=2))
    assert inputs == {}
    assert write_text(program) == (
        "flow f()\n  0 g = task pickled g(1)\n  1 f = task pickled f(g, y=2)\n      reads g=@0\n  gives @1\n"
    )
    assert run_plain(program, {}) == 12


def test_a_shared_node_is_one_step():
    shared = g.bind(1)
    program, _ = read_dag(total.bind(shared, shared, f.bind(shared, shared)))
    assert [node.id for node in program.flows["total"].body.nodes] == ["g", "f", "total"]
    assert run_plain(program, {}) == 40


def test_ids_count_in_the_order_of_arguments():
    dag = total.bind(f.bind(1), f.bind(f.bind(2)), y=f.bind(3))
    assert [node.id for node in nodes_of(dag)] == ["f", "f#2", "f#3", "f#4", "total"]
    assert [node.op.args for node in nodes_of(dag)][:3] == [(Const(1),), (Const(2),), (Name("f#2"),)]
    assert read_dag(dag) == read_dag(dag)


def test_code_is_kept_once_by_content():
    program, _ = read_dag(total.bind(f.bind(1), f.bind(2)))
    assert len(program.code) == 2
    digests = {node.op.callee.digest for node in program.flows["total"].body.nodes}
    assert digests == set(program.code)
    by_name = {node.op.callee.name: node.op.callee.digest for node in program.flows["total"].body.nodes}
    assert cloudpickle.loads(program.code[by_name["f"]])(2, 3) == 5


def test_nodes_in_containers():
    a = g.bind(1)
    (_, node) = nodes_of(total_of.bind({"k": [a, 2], "t": (a, (3, [4]))}))
    assert node.op.args == (
        DictOf(
            (
                (Const("k"), ListOf((Name("g"), Const(2)))),
                (Const("t"), TupleOf((Name("g"), Const((3, [4]))))),
            )
        ),
    )
    assert node.env == (("g", Out(0)),)


def test_plain_values_stay_as_they_are():
    value = {"a": [1, (2, {3})], "b": Holder(1)}
    (node,) = nodes_of(f.bind(value))
    assert node.op.args[0].value is value


def test_the_input_node():
    with InputNode() as inp:
        dag = f.bind(inp, f.bind(inp.x, inp[0]))
    program, _ = read_dag(dag)
    first, second = program.flows["f"].body.nodes
    assert first.op.args == (Attribute(Name("input"), "x"), Index(Name("input"), Const(0)))
    assert second.op.args == (Name("input"), Name("f"))
    assert ("input", Param("input")) in second.env
    assert [declared.name for declared in program.flows["f"].inputs] == ["input"]


def test_a_function_called_input_and_one_without_a_name():
    @ray.remote
    def input(x):  # noqa: A001
        return x

    nameless = ray.remote(lambda x: x + 1)
    with InputNode() as inp:
        dag = nameless.bind(input.bind(inp))
    program, _ = read_dag(dag)
    assert [node.id for node in program.flows["lambda"].body.nodes] == ["input#2", "lambda"]
    assert run_plain(program, {"input": 4}) == 5


def test_several_outputs():
    a = g.bind(1)
    program, _ = read_dag(MultiOutputNode([a, f.bind(a, 2), a]))
    assert run_plain(program, {}) == [10, 12, 10]
    assert program.main == "outputs"


def test_a_root_that_is_the_input():
    with InputNode() as inp:
        program, _ = read_dag(MultiOutputNode([inp, inp[1]]))
    assert run_plain(program, {"input": [3, 4]}) == [[3, 4], 4]


@pytest.mark.parametrize(
    ("options", "lost_max", "retry_max", "catch", "kept"),
    [
        ({}, LOST_MAX, None, (), None),
        ({"max_retries": 0}, 0, None, (), None),
        ({"max_retries": -1}, UNBOUNDED, None, (), None),
        ({"max_retries": 5, "retry_exceptions": True}, 5, 5, (), None),
        ({"retry_exceptions": [ValueError]}, LOST_MAX, 3, ("builtins:ValueError",), None),
        ({"max_retries": 0, "retry_exceptions": True}, 0, None, (), None),
        ({"num_cpus": 2, "name": "x"}, LOST_MAX, None, (), {"num_cpus": 2, "name": "x"}),
        ({"num_returns": 1}, LOST_MAX, None, (), None),
    ],
)
def test_options(options, lost_max, retry_max, catch, kept):
    task = options_of(f.options(**options).bind(1) if options else f.bind(1))
    assert task.lost_max == lost_max
    assert (task.retry and task.retry.max.value) == retry_max
    if task.retry:
        assert task.retry.catch == catch
        assert task.retry.delay == Const(timedelta(0))
    assert (task.options and task.options.value) == kept


def test_an_exception_class_of_this_module():
    task = options_of(f.options(retry_exceptions=[Busy]).bind(1))
    assert task.retry.catch == (f"{Busy.__module__}:Busy",)


def chain(length):
    node = f.bind(0)
    for _ in range(length):
        node = f.bind(node, 1)
    return node


def test_a_long_chain():
    dag = chain(10_000)
    started = time.perf_counter()
    program, _ = read_dag(dag)
    took_s = time.perf_counter() - started
    assert took_s < 2
    assert len(program.flows["f"].body.nodes) == 10_001
    assert run_plain(program, {}) == 10_000


@pytest.mark.parametrize("function", [total, total_of])
def test_a_wide_fan(function):
    parts = [f.bind(i) for i in range(10_000)]
    dag = function.bind(*parts) if function is total else function.bind(parts)
    started = time.perf_counter()
    program, _ = read_dag(dag)
    took_s = time.perf_counter() - started
    assert took_s < 2
    assert len(program.flows[program.main].body.nodes) == 10_001


def test_a_program_of_a_hand_written_graph_is_bound_and_read_again():
    program, _ = read_dag(f.bind(g.bind(1), 2))
    again, inputs = read_dag(bind(program, {}))
    assert (again, inputs) == (program, {})
    assert again.code == program.code


def deep(depth, inner):
    for _ in range(depth):
        inner = [inner]
    return inner


def unpicklable():
    stream = sys.stderr

    @ray.remote
    def uses():
        return stream

    return uses


def local_exception():
    class Local(Exception):
        pass

    return Local


@ray.remote
class Counter:
    def up(self):
        return 1


BAD = {
    "not a graph": (lambda: 5, "A bind graph was expected, such as `f.bind(1)`, and this is of type int."),
    "two results": (lambda: f.options(num_returns=2).bind(1), "`f` is bound with num_returns=2."),
    "an actor": (lambda: f.bind(Counter.bind().up.bind()), "Only functions can run durably"),
    "a node in an object": (
        lambda: f.bind(Holder(g.bind(1)), 3),
        "An argument of `f` (Holder, int) holds a node",
    ),
    "a node in a set": (lambda: f.bind({g.bind(1)}), "inside an object that is no list, tuple or dict"),
    "a node too deep": (lambda: f.bind(deep(150, g.bind(1))), "nested more than 100 deep"),
    "a local exception": (
        lambda: f.options(
            retry_exceptions=[type("Local", (Exception,), {"__qualname__": "h.<locals>.E"})]
        ).bind(),
        "is defined inside a function",
    ),
    "code that cannot be stored": (lambda: unpicklable().bind(), "The code of `uses` cannot be stored"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_run_durably(case):
    make, message = BAD[case]
    with pytest.raises(UnsupportedGraph) as caught:
        read_dag(make())
    assert message in str(caught.value)
