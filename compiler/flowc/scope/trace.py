"""A flow comes in; out go the facts about its names and paths, found in one walk over its steps."""

from collections.abc import Mapping
from typing import assert_never

from flowc.ir import (
    Block,
    Break,
    Call,
    Continue,
    Do,
    Emit,
    Fail,
    File,
    Flow,
    For,
    Graph,
    GraphBody,
    Ident,
    If,
    Lock,
    Loop,
    Modifiers,
    Race,
    Raise,
    Rethrow,
    Return,
    Saga,
    Sleep,
    Start,
    Step,
    Steps,
    Switch,
    Try,
    Value,
    Wait,
)
from flowc.scope.blocks import assigned_inside, given_to, names_of
from flowc.scope.facts import (
    Clash,
    Edge,
    FlowFacts,
    GraphFacts,
    LeaveFault,
    Misplaced,
    Overwritten,
    Shadow,
    Unreached,
)
from flowc.scope.loops import before_test, close_loop, close_race, open_loop
from flowc.scope.mentions import mentions
from flowc.scope.reads import Reads, span_of
from flowc.scope.scope import ANY, Arm, Binding, Frame, Gap, Hidden, join
from flowc.scope.tries import trace_try
from flowc.scope.value_types import element_type, type_in
from flowrt.expr.tree import Const, Expr, Name
from flowrt.noun import replace
from flowrt.type_ref import TypeRef

RUN_FIELDS = ("id", "flow", "started_at", "labels")
COLLECTED_FIELDS = ("values", "errors")

_Nested = If | Switch | For | Loop | Wait | Graph | Do | Saga | Race | Try | Lock


def trace(flow: Flow, file: File, flows: Mapping[str, Flow]) -> FlowFacts:
    """Walk through `flow` once and write down what the rules need to know; `flows` are all of the file."""
    return _Walk(flow, file, flows).run()


class _Walk:
    """The state of one walk: the facts so far, and the steps around the present place."""

    def __init__(self, flow: Flow, file: File, flows: Mapping[str, Flow]) -> None:
        self.file = file
        self.facts = FlowFacts(flow, file, flows)
        self.reads = Reads(self.facts)
        self.jump_count = 0

    def run(self) -> FlowFacts:
        flow = self.facts.flow
        frame = Frame()
        frame.names["run"] = Binding("run", flow.name.span, "run", fields=RUN_FIELDS)
        for each in flow.inputs:
            frame.names[each.name.text] = Binding(each.name.text, each.name.span, "input", type=each.type)
        self.reads.expr(flow.timeout, frame, flow.span)
        self.block(flow.body, frame)
        if flow.result is not None:
            if not frame.live and flow.body.steps:
                span = span_of(flow.result, flow.span)
                self.facts.unreached.append(Unreached(span, flow.body.steps[-1], is_result=True))
            self.reads.prelude(flow.result_prelude, frame)
            self.reads.expr(flow.result, frame, flow.span)
        return self.facts

    def block(self, block: Block, frame: Frame) -> None:
        match block:
            case Steps():
                self.steps(block, frame)
            case GraphBody():
                self.graph(block, frame)
            case _:
                assert_never(block)

    def steps(self, block: Steps, frame: Frame) -> None:
        """A list: what a step assigns holds for those below it."""
        newest: dict[str, tuple[Ident, int, int]] = {}
        told = not frame.live
        previous: Step | None = None
        for step in block.steps:
            if not frame.live and not told and previous is not None:
                told = True
                self.facts.unreached.append(Unreached(step.meta.span, previous))
            binding = self.step(step, frame)
            if step.meta.id is not None:
                self.assign(step.meta.id, binding, frame)
                self.overwrites(step.meta.id, newest)
                if isinstance(step, Call) and step.undo is not None:
                    self.reads.counts[step.meta.id.text] += 1  # What undoes it may read it.
            previous = step

    def overwrites(self, ident: Ident, newest: dict[str, tuple[Ident, int, int]]) -> None:
        """Note when `ident` takes the place of a value of the same list that nothing has read."""
        name = ident.text
        now = (ident, self.reads.counts[name], self.jump_count)
        earlier = newest.get(name)
        if earlier is not None and earlier[1:] == now[1:]:
            self.facts.overwritten.append(Overwritten(earlier[0], ident))
        newest[name] = now

    def assign(self, ident: Ident, binding: Binding, frame: Frame) -> None:
        self.facts.assigned.setdefault(ident.text, []).append(ident.span)
        clash = frame.clash(ident.text)
        if clash is not None:
            self.facts.clashes.append(Clash(ident, *clash))
        frame.names[ident.text] = binding

    def graph(self, body: GraphBody, frame: Frame) -> None:
        """A graph: every step sees all others; what a step assigns besides its id stays inside it."""
        members: dict[str, int] = {}
        siblings = Frame(frame)
        for index, step in enumerate(body.steps):
            ident = step.meta.id
            assert ident is not None
            members[ident.text] = index
            if (outer := frame.find(ident.text)) is not None and outer.hidden is None:
                self.facts.clashes.append(Clash(ident, "graph", outer))
            siblings.names[ident.text] = Binding(ident.text, ident.span, "step", step)
            self.facts.assigned.setdefault(ident.text, []).append(ident.span)
        for step in body.steps:
            self.hide_inner(step, siblings)
        edges: list[Edge] = []
        strangers: list[Ident] = []
        by_step = {id(step): index for index, step in enumerate(body.steps)}
        for index, step in enumerate(body.steps):
            first_read = len(self.facts.reads)
            binding = self.step(step, Frame(siblings, barrier="graph"))
            siblings.names[binding.name] = binding
            for read in self.facts.reads[first_read:]:
                maker = None if read.binding is None else by_step.get(id(read.binding.step))
                if maker is not None:
                    edges.append(Edge(index, maker, read.at))
            for ident in step.meta.after:
                if ident.text in members:
                    edges.append(Edge(index, members[ident.text], ident.span, is_order=True))
                else:
                    strangers.append(ident)
        self.facts.graphs.append(GraphFacts(body, tuple(edges), tuple(strangers)))
        frame.names.update(siblings.names)

    def hide_inner(self, step: Step, siblings: Frame) -> None:
        owner = "" if step.meta.id is None else step.meta.id.text
        fields = names_of(step)
        for name, ident in assigned_inside(step).items():
            if name != owner and siblings.find(name) is None:
                hidden = Hidden("graph step", step.meta.span, f"{owner}.{name}" if name in fields else owner)
                siblings.names[name] = Binding(name, ident.span, "step", hidden=hidden)

    def step(self, step: Step, frame: Frame) -> Binding:
        self.reads.open.append(step)
        self.reads.prelude(step.meta.prelude, frame)
        ident = step.meta.id
        name, span = (ident.text, ident.span) if ident is not None else ("", step.meta.span)
        binding = self.simple(step, Binding(name, span, "step", step), frame)
        self.reads.open.pop()
        return binding

    def simple(self, step: Step, binding: Binding, frame: Frame) -> Binding:  # noqa: C901 - one arm a kind
        """Steps without a block inside; the others go on to `nested`."""
        place = step.meta.span
        match step:
            case Call():
                return replace(binding, type=self.reads.call(step, frame))
            case Value():
                self.reads.expr(step.expr, frame, place)
                return replace(binding, type=type_in(step.expr, frame))
            case Sleep():
                self.reads.all((step.duration, step.until, step.cron, step.tz), frame, place)
            case Start():
                self.reads.call(step.call, frame)
                return replace(binding, type=TypeRef("str"))
            case Emit():
                self.reads.all((step.key, step.payload), frame, place)
            case Return() | Break() | Continue():
                self.leave(step, frame)
            case Rethrow():
                span = step.error.span
                self.reads.expr(Name(step.error.text, (span.start, span.end)), frame, place)
                frame.live = False
            case Raise():
                self.reads.all((*step.args, *(value for _, value in step.kwargs)), frame, place)
                frame.live = False
            case Fail():
                self.reads.expr(step.message, frame, place)
                frame.live = False
            case (
                If() | Switch() | For() | Loop() | Wait() | Graph() | Do() | Saga() | Race() | Try() | Lock()
            ):
                return self.nested(step, binding, frame)
            case _:
                assert_never(step)
        return binding

    def nested(self, step: _Nested, binding: Binding, frame: Frame) -> Binding:
        match step:
            case If():
                self.branch(step, frame)
            case Switch():
                self.switch(step, frame)
            case Race():
                self.race(step, frame)
            case For():
                return self.for_each(step, binding, frame)
            case Loop():
                self.loop(step, frame)
            case Wait():
                return self.wait(step, binding, frame)
            case Try():
                trace_try(step, frame, self.facts, self.block)
            case Do():
                self.reads.modifiers(Modifiers(timeout=step.timeout, retry=step.retry), frame, step.meta.span)
                self.block(step.body, frame)
                return replace(binding, fields=names_of(step))
            case Graph() | Saga() | Lock():
                held = (step.key, step.limit) if isinstance(step, Lock) else ()
                self.reads.all(held, frame, step.meta.span)
                self.block(step.body, frame)
                return replace(binding, fields=names_of(step))
            case _:
                assert_never(step)
        return binding

    def leave(self, step: Return | Break | Continue, frame: Frame) -> None:
        if isinstance(step, Return):
            self.reads.expr(step.expr, frame, step.meta.span)
            if step.tail is not None:
                self.reads.prelude((step.tail,), frame)
            for each in frame.outward():
                if each.is_final:
                    self.misplaced(step, "finally")
                    break
                if each.barrier is not None and each.barrier != "race":
                    self.misplaced(step, each.barrier)
                    break
        else:
            self.jump_count += 1
            self.jump(step, frame)
        frame.live = False

    def jump(self, step: Break | Continue, frame: Frame) -> None:
        """`break` and `continue` belong to the nearest loop, unless a graph stands in between."""
        for each in frame.outward():
            if each.loop is not None:
                if isinstance(step, Continue):
                    held = Frame()
                    held.names = {n: b for n in each.loop.wanted if (b := frame.find(n)) is not None}
                    held.live = frame.live
                    each.loop.resumed.append(Arm(held, Gap(step.meta.span, "after this `continue`")))
                elif each.barrier == "parallel":
                    self.misplaced(step, "parallel")
                else:
                    each.loop.break_count += frame.live
                return
            if each.is_final:
                self.misplaced(step, "finally")
                return
            if each.barrier == "graph":
                self.misplaced(step, "graph")
                return
        self.misplaced(step, "no loop")

    def misplaced(self, step: Return | Break | Continue, fault: LeaveFault) -> None:
        self.facts.misplaced.append(Misplaced(step, fault, tuple(self.reads.open)))

    def branch(self, step: If, frame: Frame) -> None:
        self.reads.condition(step.cond, "if", frame, step.meta.span)
        at = span_of(step.cond, step.meta.span)
        then, orelse = Frame(frame), Frame(frame)
        self.block(step.then, then)
        if step.orelse is not None:
            self.block(step.orelse, orelse)
        arms = (
            Arm(then, Gap(at, step.ways[0])),
            Arm(orelse, Gap(at, step.ways[1])),
        )
        join(frame, arms)

    def switch(self, step: Switch, frame: Frame) -> None:
        """The arms of a `switch`: its cases, and `else` or that nothing runs."""
        place = step.meta.span
        self.reads.expr(step.subject, frame, place)
        self.reads.all(tuple(value for case in step.cases for value in case.values), frame, place)
        self.facts.switches.append((step, type_in(step.subject, frame)))
        arms: list[Arm] = []
        for case in step.cases:
            arms.append(Arm(Frame(frame), Gap(case.span, "when this is the case")))
            self.block(case.body, arms[-1].frame)
        orelse = Arm(Frame(frame), Gap(span_of(step.subject, place), "when no case fits"))
        if step.orelse is not None:
            self.block(step.orelse, orelse.frame)
        join(frame, (*arms, orelse))

    def race(self, step: Race, frame: Frame) -> None:
        """The branches of a race: what they assign ends with them."""
        self.reads.expr(step.need, frame, step.meta.span)
        self.facts.races.append(step)
        branches = [Frame(frame, barrier="race") for _ in step.branches]
        for branch, inside in zip(step.branches, branches, strict=True):
            self.block(branch.body, inside)
        close_race(step, frame, branches)

    def wait(self, step: Wait, binding: Binding, frame: Frame) -> Binding:
        place = step.meta.span
        declared = self.file.events.get(step.event.text)
        payload = ANY if declared is None else declared.type
        self.reads.all((step.key, step.timeout), frame, place)
        if step.match is not None:
            inside = Frame(frame)
            inside.names["event"] = Binding("event", step.event.span, "event", type=payload)
            self.reads.condition(step.match, "match", inside, place)
        if step.orelse is None:
            return replace(binding, type=payload)
        orelse = Frame(frame)
        self.block(step.orelse, orelse)
        may_be_none = orelse.live
        gap = Gap(step.event.span, "when the event arrives in time")
        join(frame, (Arm(Frame(frame), gap), Arm(orelse, gap)))
        return binding if may_be_none else replace(binding, type=payload)

    # Loops.

    def for_each(self, step: For, binding: Binding, frame: Frame) -> Binding:
        self.reads.all((step.items, step.parallel, step.need, step.batch), frame, step.meta.span)
        body = open_loop(step, frame, frozenset())
        outer = frame.find(step.var.text)
        if outer is not None and outer.hidden is None:
            self.facts.shadows.append(Shadow(step.var, outer))
        item = element_type(type_in(step.items, frame))
        item = item if step.batch is None else TypeRef("list", (item,))
        body.names[step.var.text] = Binding(step.var.text, step.var.span, "variable", step, type=item)
        self.block(step.body, body)
        self.reads.prelude(step.collect_prelude, body)
        self.reads.expr(step.collect, body, step.meta.span)
        given = ANY if step.collect is None else type_in(step.collect, body)
        close_loop(step, frame, body)
        if step.errors == "collect":
            return replace(binding, fields=COLLECTED_FIELDS)
        return replace(binding, type=TypeRef("list", (given,)))

    def loop(self, step: Loop, frame: Frame) -> None:
        self.reads.all((step.max, step.every), frame, step.meta.span)
        wanted = {mention.name.id for mention in mentions(step.cond)}
        for call in step.check:
            for value in given_to(call):
                wanted.update(mention.name.id for mention in mentions(value))
        body = open_loop(step, frame, frozenset(wanted))
        if step.kind == "while":
            self.test(step, body)
        self.block(step.body, body)
        point = body.loop
        assert point is not None
        ends = point.break_count > 0
        if step.kind == "until":
            cond = before_test(step, body, point)
            self.test(step, cond)
            ends = ends or (cond.live and not _is(step.cond, value=False))
        else:
            ends = ends or not _is(step.cond, value=True)
        close_loop(step, frame, body)
        frame.live = frame.live and ends
        self.facts.loops.append((step, point.break_count))

    def test(self, step: Loop, frame: Frame) -> None:
        self.reads.prelude(step.check, frame)
        self.reads.condition(step.cond, step.kind, frame, step.meta.span)


def _is(expr: Expr, *, value: bool) -> bool:
    return isinstance(expr, Const) and expr.value is value
