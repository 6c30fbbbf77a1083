"""What flows become: callees, lifted calls and their identities, defaults, data, blocks."""

from datetime import date, timedelta

import pytest

from flowc import ir
from flowc.read_yaml.read import read
from flowc.resolve.file import resolve
from flowc.span import Source
from flowrt.expr.tree import Attribute, Binary, Const, DictOf, Field, FString, ListOf, Name
from flowrt.expr.tree import Call as CallExpr
from flowrt.type_ref import TypeRef

HEAD = "flowc: 1\nuse: {t: shop.etl}\nevents: {ready: {}}\nflow: main\n"


def resolved(body):
    tree, unread = read(Source("main.flow.yaml", HEAD + body))
    file, found = resolve(tree)
    assert [each.message for each in unread + found] == []
    assert file is not None
    return file


def flow_of(body):
    return resolved(body).flows[0]


def steps_of(body):
    block = flow_of("inputs: {a: any, b: any, xs: list}\nsteps:\n" + body).body
    assert isinstance(block, ir.Steps)
    return block.steps


def step_of(body):
    (step,) = steps_of(body)
    return step


def calls(prelude):
    """Each lifted call: its identity, the name of its value, what it calls, its arguments by name."""
    return [
        (call.meta.path_id, call.meta.id.text, target(call), [getattr(arg, "id", None) for arg in call.args])
        for call in prelude
    ]


def target(call):
    return call.callee.path if isinstance(call.callee, ir.TaskCallee) else call.callee.name


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("t.load(a)", "shop.etl:load"),
        ("t.Loader.load(a)", "shop.etl:Loader.load"),
        ("other.place:load(a)", "other.place:load"),
        ("other.place:Loader.load(a)", "other.place:Loader.load"),
        ("t.load", "shop.etl:load"),
        ("${{ t.load(a) }}", "shop.etl:load"),
        ('"t.load(a)"', "shop.etl:load"),
        ("now()", "flowc:now"),
    ],
)
def test_callees(text, path):
    step = step_of(f"  - call: {text}\n")
    assert isinstance(step, ir.Call)
    assert target(step) == path


def test_flows_are_callees_before_and_after_they_stand_in_the_file():
    file = resolved("steps: [{call: second()}]\n---\nflow: second\nsteps: [{call: main()}]\n")
    first, second = (flow.body.steps[0] for flow in file.flows)
    assert isinstance(first.callee, ir.FlowCallee)
    assert (target(first), target(second)) == ("second", "main")


def test_arguments_under_with_follow_those_in_parentheses():
    data = 'text: a, x: "${{ a }}", part: "p${{ b }}", n: [1, {y: null}]'
    step = step_of(f"  - call: t.load(a, k=b)\n    with: {{{data}}}\n")
    assert step.args == (Name("a"),)
    assert {name.text: value for name, value in step.kwargs} == {
        "k": Name("b"),
        "text": Const("a"),
        "x": Name("a"),
        "part": FString(("p", Field(Name("b"), "s", None))),
        "n": ListOf((Const(1), DictOf(((Const("y"), Const(None)),)))),
    }


LIFTED = [
    (
        "  - id: r\n    call: t.f(t.g(a), k=t.h(b))\n",
        [("r/args.0", "$0", "shop.etl:g", ["a"]), ("r/with.k", "$1", "shop.etl:h", ["b"])],
    ),
    (
        "  - id: r\n    call: t.f(t.g(a) + t.h(b))\n",
        [("r/args.0", "$0", "shop.etl:g", ["a"]), ("r/args.0.1", "$1", "shop.etl:h", ["b"])],
    ),
    (
        "  - id: r\n    call: t.f(a, t.g(b, t.h(a)))\n",
        [("r/args.1/args.1", "$0", "shop.etl:h", ["a"]), ("r/args.1", "$1", "shop.etl:g", ["b", "$0"])],
    ),
    ('  - call: t.f\n    with: {k: "${{ t.g(a) }}"}\n', [("step#1/with.k", "$0", "shop.etl:g", ["a"])]),
    (
        "  - value: t.g(a) + t.h(b) * 2\n",
        [("step#1/value.0", "$0", "shop.etl:g", ["a"]), ("step#1/value.1", "$1", "shop.etl:h", ["b"])],
    ),
    ("  - if: t.ok(a)\n    then: []\n", [("step#1/if.0", "$0", "shop.etl:ok", ["a"])]),
    ("  - for: x in t.parts(a)\n    do: t.f(x)\n", [("step#1/for.0", "$0", "shop.etl:parts", ["a"])]),
    ("  - return: t.f(a)\n", [("step#1/return.0", "$0", "shop.etl:f", ["a"])]),
    ("  - return: {x: t.f(a)}\n", [("step#1/return.0", "$0", "shop.etl:f", ["a"])]),
    ("  - fail: no ${{ t.f(a) }}\n", [("step#1/fail.0", "$0", "shop.etl:f", ["a"])]),
    ("  - raise: t.Bad(t.f(a))\n", [("step#1/args.0", "$0", "shop.etl:f", ["a"])]),
    ("  - sleep: ${{ t.pause(a) }}\n", [("step#1/sleep.0", "$0", "shop.etl:pause", ["a"])]),
    ("  - sleep: {until: t.at(a)}\n", [("step#1/until.0", "$0", "shop.etl:at", ["a"])]),
    ("  - wait: ready\n    key: t.key(a)\n", [("step#1/key.0", "$0", "shop.etl:key", ["a"])]),
    ('  - emit: ready\n    with: ["${{ t.f(a) }}"]\n', [("step#1/with.0", "$0", "shop.etl:f", ["a"])]),
    (
        "  - value: t.f(a) and b\n",
        [("step#1/value.0", "$0", "shop.etl:f", ["a"])],
    ),
    ("  - value: a if t.f(a) else b\n", [("step#1/value.0", "$0", "shop.etl:f", ["a"])]),
    ("  - value: 0 < t.f(a) < b\n", [("step#1/value.0", "$0", "shop.etl:f", ["a"])]),
    ('  - value: "[x for x in t.f(a)]"\n', [("step#1/value.0", "$0", "shop.etl:f", ["a"])]),
    ("  - value: now() - a\n", [("step#1/value.0", "$0", "flowc:now", [])]),
    (
        "  - value: first(uuid(), main())\n",
        [("step#1/value.0", "$0", "flowc:uuid", []), ("step#1/value.1", "$1", "main", [])],
    ),
]


@pytest.mark.parametrize(("body", "expected"), LIFTED)
def test_calls_are_lifted_in_order_of_evaluation(body, expected):
    assert calls(step_of(body).meta.prelude) == expected


def test_lifted_names_are_unique_in_a_flow_and_identities_in_a_block():
    steps = steps_of("  - value: t.f(a) + 1\n  - value: t.f(a) + 1\n")
    assert [call for step in steps for call in calls(step.meta.prelude)] == [
        ("step#1/value.0", "$0", "shop.etl:f", ["a"]),
        ("step#2/value.0", "$1", "shop.etl:f", ["a"]),
    ]
    assert isinstance(steps[1], ir.Value)
    assert steps[1].expr == Binary("+", Name("$1"), Const(1))


def test_a_value_that_is_one_call_is_a_call():
    step = step_of("  - id: r\n    value: t.f(a)\n")
    assert isinstance(step, ir.Call)
    assert (step.meta.path_id, step.meta.prelude) == ("r", ())


def test_conditions_of_loops_are_lifted_into_the_check():
    loop = step_of("  - while: t.more(a)\n    max: t.most(a)\n    do: [break]\n")
    assert calls(loop.check) == [("step#1/while.0", "$0", "shop.etl:more", ["a"])]
    assert calls(loop.meta.prelude) == [("step#1/max.0", "$1", "shop.etl:most", ["a"])]


def test_collect_and_result_have_preludes_of_their_own():
    flow = flow_of(
        "inputs: {xs: list}\nsteps:\n  - id: ys\n    for: x in xs\n    do: t.f(x)\n    collect: t.g(x)\n"
        "result: t.h(ys)\n"
    )
    loop = flow.body.steps[0]
    assert calls(loop.collect_prelude) == [("ys/collect.0", "$0", "shop.etl:g", ["x"])]
    assert loop.meta.prelude == ()
    assert calls(flow.result_prelude) == [("result.0", "$1", "shop.etl:h", ["ys"])]


def test_a_returned_call_of_a_flow_is_a_tail_call():
    step = step_of("  - return: main(t.f(a), xs=xs)\n")
    assert step.expr is None
    assert target(step.tail) == "main"
    assert (step.tail.meta.prelude, step.tail.args) == ((), (Name("$0"),))
    assert calls(step.meta.prelude) == [("step#1/args.0", "$0", "shop.etl:f", ["a"])]


def test_a_returned_expression_with_a_call_of_a_flow_is_none():
    step = step_of("  - return: main(a) + 1\n")
    assert step.tail is None
    assert step.expr == Binary("+", Name("$0"), Const(1))


def test_methods_and_builtins_stay_where_they_are():
    step = step_of('  - value: len(a.items()) + a.split(",").count(b)\n')
    assert step.meta.prelude == ()
    assert isinstance(step.expr, Binary)
    assert isinstance(step.expr.right, CallExpr)
    assert isinstance(step.expr.right.func, Attribute)


def test_the_variable_of_a_comprehension_hides_an_alias():
    step = step_of('  - value: "[t.upper() for t in xs]"\n')
    assert step.meta.prelude == ()


def test_identities():
    steps = steps_of(
        "  - value: 1\n  - {id: x, value: 1}\n  - {id: x, value: 2}\n"
        "  - do: [{value: 1}, {id: x, value: 3}]\n"
        "  - {id: x, value: 4}\n  - {id: step, value: 1}\n  - {id: step, value: 1}\n"
    )
    assert [step.meta.path_id for step in steps] == ["step#1", "x", "x#2", "step#4", "x#3", "step", "step#2"]
    assert [step.meta.path_id for step in steps[3].body.steps] == ["step#1", "x"]


def test_identities_of_unnamed_steps_come_first():
    steps = steps_of("  - {id: step, value: 1}\n  - value: 1\n  - {id: step, value: 1}\n")
    assert [step.meta.path_id for step in steps] == ["step", "step#2", "step#3"]


def test_defaults_of_the_flow_are_for_calls_of_tasks_that_say_nothing_themselves():
    body = flow_of(
        "defaults: {retry: 5, timeout: 1h, options: {num_cpus: 2, memory: 1GiB}}\n"
        "steps:\n  - call: t.a()\n"
        "  - {call: t.b(), timeout: 1m, retry: 0, options: {num_cpus: 4, num_gpus: 1}}\n"
        "  - call: main()\n  - value: now()\n  - value: t.c() + 1\n"
    ).body
    plain, own, flow, recorded, value = body.steps
    assert (plain.modifiers.retry.max, plain.modifiers.timeout) == (Const(5), Const(timedelta(hours=1)))
    assert (own.modifiers.retry.max, own.modifiers.timeout) == (Const(0), Const(timedelta(minutes=1)))
    assert {key.value: item.value for key, item in own.modifiers.options.items} == {
        "memory": 1024**3,
        "num_cpus": 4,
        "num_gpus": 1,
    }
    assert flow.modifiers == recorded.modifiers == ir.Modifiers()
    assert value.meta.prelude[0].modifiers == plain.modifiers


def test_retry_fields_and_their_defaults():
    short, long = (
        step.modifiers.retry
        for step in steps_of(
            "  - {call: t.f(), retry: 3}\n"
            "  - call: t.f()\n"
            "    retry: {max: a, delay: 5s, factor: 1.5, cap: '${{ b }}', jitter: none, within: 1h,\n"
            "            catch: [OSError, t.Busy, 'x.y:Z.W'], unless: t.Fatal}\n"
        )
    )
    assert (short.max, short.delay, short.factor, short.cap, short.jitter, short.catch, short.within) == (
        Const(3),
        Const(timedelta(seconds=1)),
        Const(2),
        Const(timedelta(seconds=60)),
        "full",
        (),
        None,
    )
    assert (long.max, long.factor, long.cap, long.jitter) == (Name("a"), Const(1.5), Name("b"), "none")
    assert long.within == Const(timedelta(hours=1))
    assert [each.path for each in long.catch] == ["builtins:OSError", "shop.etl:Busy", "x.y:Z.W"]
    assert [each.path for each in long.unless] == ["shop.etl:Fatal"]


def test_steps_that_wait():
    sleep, wait, emit = steps_of(
        "  - sleep: 1h30m\n"
        "  - {id: d, wait: ready, key: a.id, match: event.ok, timeout: 2d, else: [{fail: late}]}\n"
        "  - {emit: ready, key: b, with: {n: '${{ a }}'}}\n"
    )
    assert sleep.duration == Const(timedelta(minutes=90))
    assert (wait.event.text, wait.timeout) == ("ready", Const(timedelta(days=2)))
    assert (wait.key, wait.match) == (Attribute(Name("a"), "id"), Attribute(Name("event"), "ok"))
    assert wait.orelse.steps[0].message == Const("late")
    assert (emit.key, emit.payload) == (Name("b"), DictOf(((Const("n"), Name("a")),)))


def test_loops():
    each, again = steps_of(
        "  - {for: x in xs, parallel: 4, errors: collect, batch: 10, need: a,\n"
        "     graph: {y: t.f(x)}, collect: y}\n"
        "  - {id: r, until: a > b, max: 9, every: 30s, do: t.g(a)}\n"
    )
    assert (each.var.text, each.items, each.errors, each.collect) == ("x", Name("xs"), "collect", Name("y"))
    assert (each.parallel, each.batch, each.need) == (Const(4), Const(10), Name("a"))
    assert isinstance(each.body, ir.GraphBody)
    assert (again.kind, again.max, again.every) == ("until", Const(9), Const(timedelta(seconds=30)))
    assert target(again.body.steps[0]) == "shop.etl:g"


def test_a_graph_takes_calls_values_and_steps():
    body = flow_of(
        "graph:\n  a: t.f()\n  b: a + 1\n  c: {call: t.g(a), after: [b], retry: 2}\n  d: 3\n"
        "  e: {graph: {x: t.f()}, failure: finish, after: d}\n"
    ).body
    assert isinstance(body, ir.GraphBody)
    assert [(type(step).__name__, step.meta.id.text, step.meta.path_id) for step in body.steps] == [
        ("Call", "a", "a"),
        ("Value", "b", "b"),
        ("Call", "c", "c"),
        ("Value", "d", "d"),
        ("Graph", "e", "e"),
    ]
    assert [[name.text for name in step.meta.after] for step in body.steps] == [[], [], ["b"], [], ["d"]]
    assert body.steps[4].failure == "finish"


def test_blocks_may_be_a_single_call_or_a_bare_word():
    loop = step_of(
        "  - for: x in xs\n    do:\n      - if: x > 3\n        then: break\n        else: t.f(x)\n"
    )
    branch = loop.body.steps[0]
    assert isinstance(branch.then.steps[0], ir.Break)
    assert branch.then.steps[0].meta.path_id == "step#1"
    assert target(branch.orelse.steps[0]) == "shop.etl:f"


def test_inputs_and_header():
    file = resolved(
        "doc: A flow.\nlabels: {team: data, level: 3}\ntimeout: 2h\nreturns: t.Report\n"
        "inputs:\n  day: date\n  since: {type: date, default: 2026-01-31}\n"
        "  wait: {type: duration, default: 5m}\n"
        "  n: {type: int, default: 3, min: 1, max: 9, doc: how many}\n  kind: {type: str, choices: [a, b]}\n"
        "  share: {type: float, default: 1}\n  maybe: {type: int | None, default: null}\n"
        "  many: {type: 'list[date]', default: [2026-01-01]}\n  order: {type: t.Order, default: {id: 1}}\n"
        "steps: []\n"
    )
    flow = file.flows[0]
    inputs = {each.name.text: each for each in flow.inputs}
    assert inputs["day"].default is None
    assert inputs["since"].default == Const(date(2026, 1, 31))
    assert inputs["wait"].default == Const(timedelta(minutes=5))
    n = inputs["n"]
    assert (n.minimum, n.maximum, n.doc) == (Const(1), Const(9), "how many")
    assert inputs["kind"].choices == ListOf((Const("a"), Const("b")))
    assert isinstance(inputs["share"].default.value, float)
    assert inputs["maybe"].default == Const(None)
    assert inputs["many"].default == ListOf((Const(date(2026, 1, 1)),))
    assert (flow.doc, flow.timeout, flow.returns) == (
        "A flow.",
        Const(timedelta(hours=2)),
        TypeRef("shop.etl:Report"),
    )
    assert flow.labels == (("team", "data"), ("level", "3"))
    assert dict(file.aliases) == {"t": "shop.etl"}


def test_events():
    file = resolved("steps: []\n")
    assert file.events["ready"] == ir.Event(file.events["ready"].name, TypeRef("any"), None, False)


def test_secrets_are_arguments_of_tasks():
    step = step_of('  - call: t.f(secret("A"))\n    with: {k: \'${{ secret("B") }}\'}\n')
    assert [call.func for call in (step.args[0], step.kwargs[0][1])] == [Name("secret"), Name("secret")]


def test_numbers_and_words_of_yaml_are_literals_in_expressions():
    step = step_of('  - return: [1, 2.5, true, null, "a", "\'a\'", {k: b, 3: x}]\n')
    assert step.expr.parts[:6] == (Const(1), Const(2.5), Const(True), Const(None), Name("a"), Const("a"))
    assert step.expr.parts[6] == DictOf(((Const("k"), Name("b")), (Const(3), Name("x"))))
