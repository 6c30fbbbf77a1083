"""Lower what may go one way or another: `if`, `switch`, `race`, and a `wait` with an `else`."""

from collections.abc import Sequence

from flowc.ir import Block, If, Race, Switch, Wait
from flowc.lower.lowering import LowerBlock
from flowc.lower.maker import Maker, names_in, params_of
from flowrt.program import Body, Branch, Case, Out, RaceBranch
from flowrt.program import Race as RaceOp
from flowrt.program import Switch as SwitchOp
from flowrt.program import Wait as WaitOp


def lower_if(maker: Maker, step: If, lower_block: LowerBlock, *, wanted: bool) -> int:
    """A branch."""
    arms = [(maker.inner(), step.then), (maker.inner(), step.orelse)]
    (then, orelse), names = _arms(arms, lower_block, wanted=wanted)
    assert then is not None, "`then` is written"
    reads = [*names_in(step.cond), *params_of(then, orelse)]
    index = maker.add(step.meta.path_id, Branch(step.cond, then, orelse), reads)
    return _joined(maker, index, names, arms)


def lower_switch(maker: Maker, step: Switch, lower_block: LowerBlock, *, wanted: bool) -> int:
    """A `switch`."""
    arms = [(maker.inner(), block) for block in (*(case.body for case in step.cases), step.orelse)]
    (*bodies, orelse), names = _arms(arms, lower_block, wanted=wanted)
    cases = tuple(
        Case(case.values, body)
        for case, body in zip(step.cases, bodies, strict=True)
        if body is not None  # A case has a body.
    )
    values = [value for case in step.cases for value in case.values]
    reads = [*names_in(step.subject, *values), *params_of(*bodies, orelse)]
    index = maker.add(step.meta.path_id, SwitchOp(step.subject, cases, orelse), reads)
    return _joined(maker, index, names, arms)


def _arms(
    arms: Sequence[tuple[Maker, Block | None]], lower_block: LowerBlock, *, wanted: bool
) -> tuple[list[Body | None], list[str]]:
    """The bodies of arms of which one is taken; what every arm that goes on knows and some arm assigned.

    An arm that is not written has a body when it has to hand names on.
    """
    values = [None if block is None else lower_block(arm, block, wanted=wanted) for arm, block in arms]
    live = [arm for arm, _ in arms if not arm.left]
    assigned = dict.fromkeys(name for arm in live for name in arm.own if not name.startswith("$"))
    names = [name for name in assigned if all(arm.find(name) is not None for arm in live)]
    bodies = [
        arm.body(value, arm.export(names)) if block is not None or names else None
        for (arm, block), value in zip(arms, values, strict=True)
    ]
    return bodies, names


def _joined(maker: Maker, index: int, names: list[str], arms: Sequence[tuple[Maker, Block | None]]) -> int:
    """What the arms of a node have assigned is known after it."""
    maker.own.update({name: Out(index, name) for name in names})
    maker.left = all(arm.left for arm, _ in arms)
    return index


def lower_race(maker: Maker, step: Race, lower_block: LowerBlock, *, wanted: bool) -> int:
    """A race. Nothing that its branches assign is known after it."""
    arms = [maker.inner() for _ in step.branches]
    branches = tuple(
        RaceBranch(branch.name.text, arm.body(lower_block(arm, branch.body, wanted=wanted)))
        for arm, branch in zip(arms, step.branches, strict=True)
    )
    reads = [*names_in(step.need), *params_of(*(branch.body for branch in branches))]
    index = maker.add(step.meta.path_id, RaceOp(branches, step.need, step.errors), reads)
    maker.left = all(arm.left for arm in arms)
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
    op = WaitOp(step.event.text, step.key, step.match, step.timeout, body, step.type)
    index = maker.add(step.meta.path_id, op, reads)
    maker.own.update({name: Out(index, name) for name in names})
    return index


def _lower_else(arm: Maker, block: Block, lower_block: LowerBlock, own: str) -> tuple[Body, list[str]]:
    lower_block(arm, block, wanted=False)
    outer = arm.outer
    assert outer is not None, "an arm stands in a body"
    names = [name for name in arm.own if name != own and outer.find(name) is not None and not arm.left]
    return arm.body(arm.own.get(own), arm.export(names)), names
