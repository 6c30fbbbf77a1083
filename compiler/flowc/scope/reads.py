"""Expressions and calls come in, with the frame they stand in; out go facts about the names they read."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from flowc.ir import Call, Modifiers, Step
from flowc.scope.blocks import given_to
from flowc.scope.facts import Condition, ConditionPlace, FlowFacts, Read
from flowc.scope.mentions import mentions
from flowc.scope.scope import Binding, Frame
from flowc.scope.value_types import type_in, type_of_call
from flowc.span import Span
from flowrt.expr.tree import NOWHERE, Const, Expr
from flowrt.type_ref import TypeRef

SNAPSHOT_MAX = 100
NAMES_MAX = 300
"""For so many undefined names at most, so many names that could have been meant are written down."""


def span_of(expr: Expr, place: Span) -> Span:
    """Where an expression stands; `place` when it was not written by the author."""
    return Span(*expr.at) if expr.at != NOWHERE else place


class Reads:
    """Notes what is read, in the order of the walk. `open` are the steps around the present place."""

    def __init__(self, facts: FlowFacts) -> None:
        """Notes that go into `facts`."""
        self.facts = facts
        self.open: list[Step] = []
        self.counts: Counter[str] = Counter()
        self._snapshot_count = 0

    def expr(self, expr: Expr | None, frame: Frame, place: Span) -> None:
        """Note every name that an expression reads."""
        if expr is None or isinstance(expr, Const):
            return
        for mention in mentions(expr):
            name = mention.name.id
            self.counts[name] += 1
            binding = frame.find(name)
            loop = None
            visible: tuple[str, ...] = ()
            if binding is None:
                points = (each.loop for each in frame.outward())
                loop = next((p.step for p in points if p is not None and name in p.assigned), None)
                if self._snapshot_count < SNAPSHOT_MAX:
                    self._snapshot_count += 1
                    visible = tuple(islice(frame.visible(), NAMES_MAX))
            at = span_of(mention.name, place)
            self.facts.reads.append(Read(mention, at, binding, tuple(self.open), loop, visible))

    def all(
        self, exprs: "Iterator[Expr | None] | tuple[Expr | None, ...]", frame: Frame, place: Span
    ) -> None:
        """Note every name that several expressions read."""
        for expr in exprs:
            self.expr(expr, frame, place)

    def condition(self, expr: Expr, word: ConditionPlace, frame: Frame, place: Span) -> None:
        """Note the names that a condition reads, and its type."""
        self.expr(expr, frame, place)
        self.facts.conditions.append(Condition(word, expr, type_in(expr, frame), span_of(expr, place)))

    def prelude(self, calls: tuple[Call, ...], frame: Frame) -> None:
        """Calls lifted out of an expression: each gives its value a name that the expression reads."""
        for call in calls:
            self.prelude(call.meta.prelude, frame)
            type_ref = self.call(call, frame)
            if call.meta.id is not None:
                name = call.meta.id.text
                frame.names[name] = Binding(name, call.meta.id.span, "lifted", type=type_ref)

    def call(self, call: Call, frame: Frame) -> TypeRef:
        """A call whose own prelude has been noted; gives the type of its value."""
        place = call.meta.span
        self.facts.calls.append(call)
        self.all(given_to(call), frame, place)
        self.modifiers(call.modifiers, frame, place)
        given = type_of_call(call.callee, self.facts.flows)
        if call.undo is not None:
            inside = Frame(frame)
            if call.meta.id is not None:
                name = call.meta.id.text
                inside.names[name] = Binding(name, call.meta.id.span, "step", type=given)
            self.call(call.undo, inside)
        return given

    def modifiers(self, modifiers: Modifiers, frame: Frame, place: Span) -> None:
        """Note what the modifiers of a call or a block read."""
        self.all((modifiers.options, modifiers.timeout, modifiers.heartbeat), frame, place)
        if modifiers.cache is not None:
            self.all((modifiers.cache.key, modifiers.cache.ttl), frame, place)
        retry = modifiers.retry
        if retry is not None:
            self.all((retry.max, retry.delay, retry.factor, retry.cap, retry.within), frame, place)
