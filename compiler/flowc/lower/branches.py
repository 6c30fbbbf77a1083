"""Lower what may go one way or another: `if`, and a `wait` with an `else`."""

from flowc.ir import Block, If, Wait
from flowc.lower.lowering import LowerBlock
from flowc.lower.maker import Maker, names_in, params_of
from flowrt.program import Body, Branch, Out
from flowrt.program import Wait as WaitOp


def lower_if(maker: Maker, step: If, lower_block: LowerBlock, *, wanted: bool) -> int:
    """A branch. What every arm that goes on knows, and some arm assigned, is known after it."""
    then, orelse = maker.inner(), maker.inner()
    then_value = lower_block(then, step.then, wanted=wanted)
    else_value = lower_block(orelse, step.orelse, wanted=wanted) if step.orelse is not None else None
    live = [arm for arm in (then, orelse) if not arm.left]
    assigned = dict.fromkeys(name for arm in live for name in arm.own if not name.startswith("$"))
    names = [name for name in assigned if all(arm.find(name) is not None for arm in live)]
    then_body = then.body(then_value, then.export(names))
    else_body: Body | None = None
    if step.orelse is not None or names:
        else_body = orelse.body(else_value, orelse.export(names))
    reads = [*names_in(step.cond), *params_of(then_body, else_body)]
    index = maker.add(step.meta.path_id, Branch(step.cond, then_body, else_body), reads)
    maker.own.update({name: Out(index, name) for name in names})
    maker.left = not live
    return index


def lower_wait(maker: Maker, step: Wait, lower_block: LowerBlock) -> int:
    """A wait. When its time is over, its value is what `else` assigns to its own name, or None.

    Of the other names that `else` assigns, those that were there before go on: as `else` left them, or
    as they were when the event came. Nobody can read the rest.
    """
    body: Body | None = None
    names: list[str] = []
    if step.orelse is not None:
        own = "" if step.meta.id is None else step.meta.id.text
        body, names = _lower_else(maker.inner(), step.orelse, lower_block, own)
    match = [name for name in names_in(step.match) if name != "event"]
    reads = [*names_in(step.key, step.timeout), *match, *params_of(body), *names]
    op = WaitOp(step.event.text, step.key, step.match, step.timeout, body)
    index = maker.add(step.meta.path_id, op, reads)
    maker.own.update({name: Out(index, name) for name in names})
    return index


def _lower_else(arm: Maker, block: Block, lower_block: LowerBlock, own: str) -> tuple[Body, list[str]]:
    lower_block(arm, block, wanted=False)
    outer = arm.outer
    assert outer is not None, "an arm stands in a body"
    names = [name for name in arm.own if name != own and outer.find(name) is not None and not arm.left]
    return arm.body(arm.own.get(own), arm.export(names)), names
