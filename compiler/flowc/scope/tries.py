"""A `try` and the frame around it come in; out goes what holds in each part of it, and after it.

What the body has assigned when it fails cannot be known. So a name that the body, or a catch, assigns is
missing in what deals with that, and afterwards, unless that assigns it too.
"""

from collections.abc import Callable, Iterable

from flowc.ir import Block, Ident, Steps, Try
from flowc.scope.blocks import assigned_in, blocks_of, steps_in
from flowc.scope.facts import FlowFacts, Shadow
from flowc.scope.scope import Arm, Binding, Frame, Gap, join
from flowrt.noun import replace

ERROR_FIELDS = ("type", "message", "step", "traceback")


def trace_try(step: Try, frame: Frame, facts: FlowFacts, walk: Callable[[Block, Frame], None]) -> None:
    """Walk through a `try`. Its body may fail at any step, so what it assigns is missing in a catch."""
    body = Frame(frame)
    walk(step.body, body)
    arms = [Arm(body, Gap(step.meta.span, "when no step of this `try` fails"))]
    for catch in step.catches:
        arm = Frame(frame)
        _unsure_in(arm, frame, _unsure_names(step.body), step)
        if catch.name is not None:
            _name_error(catch.name, step, arm, facts)
        walk(catch.body, arm)
        if catch.name is not None:
            arm.names.pop(catch.name.text, None)
        arms.append(Arm(arm, Gap(catch.span, "when this `catch` runs")))
    final = Frame(frame, is_final=True)
    _unsure_in(final, frame, _assigned_before_final(step), step)
    before = dict(final.names)
    if step.final is not None:
        walk(step.final, final)
    join(frame, arms)
    frame.names.update({name: b for name, b in final.names.items() if b is not before.get(name)})
    frame.live = frame.live and final.live


def _unsure_names(body: Block) -> frozenset[str]:
    """The names that a body assigns before it may fail: all, but for what its last step alone assigns.

    When the last step assigns its name, nothing after it can fail; so whoever deals with a failure knows
    that the name is as it was before.
    """
    if not isinstance(body, Steps) or not body.steps:
        return assigned_in(body)
    *before, last = body.steps
    inner = assigned_in(Steps(tuple(before), body.span))
    own = last.meta.id
    if own is None:
        return assigned_in(body)
    return inner | (assigned_in(Steps((replace(last, meta=replace(last.meta, id=None)),), body.span)))


def _unsure_in(frame: Frame, around: Frame, names: Iterable[str], step: Try) -> None:
    """Have names that were there before the `try`, and that it assigns, be unknown in a frame."""
    gap = Gap(step.meta.span, "when a step of this `try` fails before that")
    for name in names:
        binding = around.find(name)
        if binding is not None and binding.hidden is None:
            frame.names[name] = replace(binding, gaps=(gap,))


def _assigned_before_final(step: Try) -> frozenset[str]:
    """The names that a `try` may have assigned when its `finally` begins."""
    blocks = (step.body, *(catch.body for catch in step.catches))
    return frozenset(name for block in blocks for name in assigned_in(block))


def _name_error(name: Ident, step: Try, arm: Frame, facts: FlowFacts) -> None:
    """Name a caught error in the frame of its catch. One that means something else besides is noted."""
    outer = arm.find(name.text)
    if outer is None or outer.hidden is not None:
        idents = (inner.meta.id for block in blocks_of(step) for inner in steps_in(block))
        twin = next((ident for ident in idents if ident is not None and ident.text == name.text), None)
        outer = None if twin is None else Binding(twin.text, twin.span, "step")
    if outer is not None:
        facts.shadows.append(Shadow(name, outer, is_error=True))
    arm.names[name.text] = Binding(name.text, name.span, "error", step, fields=ERROR_FIELDS)
