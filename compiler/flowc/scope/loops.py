"""A loop or a race and the frame around it come in; what of the names of its bodies is left goes out."""

from collections.abc import Sequence

from flowc.ir import For, Loop, Race
from flowc.scope.blocks import assigned_in
from flowc.scope.scope import ANY, Arm, Frame, Gap, Hidden, LoopPoint, merge
from flowrt.noun import replace


def before_test(step: Loop, body: Frame, point: LoopPoint) -> Frame:
    """What holds at an `until` condition: it is reached from the body's end and from each `continue`."""
    cond = Frame(body)
    if not point.resumed:
        return cond
    end = Arm(body, Gap(step.meta.span, "when the body runs to its end"))
    arms = [arm for arm in (end, *point.resumed) if arm.frame.live]
    cond.live = bool(arms)
    for name in sorted(point.wanted):
        merged = merge(name, arms) if arms else None
        if merged is not None:
            cond.names[name] = merged
    return cond


def open_loop(step: For | Loop, frame: Frame, wanted: frozenset[str]) -> Frame:
    """The frame of a loop's body. The types of what the body assigns are not known at its head."""
    assigned = assigned_in(step.body)
    point = LoopPoint(step, assigned, wanted)
    is_parallel = isinstance(step, For) and step.parallel is not None
    body = Frame(frame, barrier="parallel" if is_parallel else None, loop=point)
    if not is_parallel:
        for name in assigned:
            outer = frame.find(name)
            if outer is not None and outer.hidden is None:
                body.names[name] = replace(outer, type=ANY, fields=())
    return body


def close_loop(step: For | Loop, frame: Frame, body: Frame) -> None:
    """Names of the body end with it; outer names that it assigned keep what it gave them."""
    for name, binding in body.names.items():
        outer = frame.find(name)
        if binding.kind == "lifted":
            continue
        if outer is None or outer.hidden is not None:
            hidden = binding.hidden or Hidden("loop", step.meta.span)
            frame.names[name] = replace(binding, gaps=(), hidden=hidden)
        elif body.barrier is None and binding.kind != "variable":
            frame.names[name] = replace(binding, type=ANY, fields=(), gaps=outer.gaps)


def close_race(step: Race, frame: Frame, branches: Sequence[Frame]) -> None:
    """Names of the branches end with them: nobody knows which of these got to their ends."""
    for branch in branches:
        for name, binding in branch.names.items():
            outer = frame.find(name)
            if binding.kind != "lifted" and (outer is None or outer.hidden is not None):
                hidden = binding.hidden or Hidden("race", step.meta.span)
                frame.names[name] = replace(binding, gaps=(), hidden=hidden)
    frame.live = frame.live and (not branches or any(branch.live for branch in branches))
