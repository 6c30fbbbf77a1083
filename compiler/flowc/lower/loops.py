"""Lower loops: `for`, `while`, `until`, and the jumps `break` and `continue`.

A loop that runs its bodies one after another carries the names that were there before it and that its
body assigns: they are parameters and exports of the body, and a jump takes them along.
"""

from flowc.ir import Block, Break, Continue, For, Loop
from flowc.lower.calls import lower_prelude
from flowc.lower.lowering import LowerBlock
from flowc.lower.maker import LoopPoint, Maker, names_in, params_of
from flowc.scope.blocks import given_to, steps_in
from flowrt.expr.tree import Const
from flowrt.program import Body, ForEach, Leave, Out
from flowrt.program import Loop as LoopOp


def lower_for(maker: Maker, step: For, lower_block: LowerBlock, *, wanted: bool) -> int:
    """`for`. Its items are a value of their own, so that the journal can count them."""
    path, var = step.meta.path_id, step.var.text
    items, source = maker.named(step.items, f"{path}/items", "$items")
    carried: tuple[str, ...] = ()
    if step.parallel is None:
        carried = tuple(n for n in _assigned(step.body) if n != var and maker.find(n) is not None)
    inside = maker.inner(given=(var,), loop=LoopPoint(carried))
    value = lower_block(inside, step.body, wanted=wanted and step.collect is None)
    if step.collect is not None and not inside.left:
        lower_prelude(inside, step.collect_prelude)
        _, value = inside.named(step.collect, "collect/value", "$collect")
    body = inside.body(value, inside.export(carried))
    op = ForEach(
        var=var,
        items=items,
        body=body,
        parallel=step.parallel,
        errors=step.errors,
        need=step.need,
        batch=step.batch,
        carried=carried,
        keep=wanted,
    )
    reads = [*names_in(step.parallel, step.need, step.batch), *params_of(body, without=(var,)), *carried]
    index = maker.add(path, op, reads, ((items, source),))
    maker.own.update({name: Out(index, name) for name in carried})
    return index


def lower_loop(maker: Maker, step: Loop, lower_block: LowerBlock, *, wanted: bool) -> int:
    """`while` and `until`. Calls in the condition are a body of their own, run at each test."""
    assigned = _assigned(step.body)
    carried = tuple(name for name in assigned if maker.find(name) is not None)
    tested: tuple[str, ...] = ()
    if step.kind == "until":
        tested = tuple(name for name in _tested(step) if name in assigned and name not in carried)
    point = LoopPoint(carried, tested)
    inside = maker.inner(loop=point)
    value = lower_block(inside, step.body, wanted=wanted)
    body = inside.body(value, inside.export((*carried, *tested)))
    check, lifted = _lower_check(maker.inner(given=tested), step)
    op = LoopOp(step.kind, step.cond, body, carried, check, step.max, step.every)
    own = {*tested, *lifted}
    reads = [
        *(name for name in names_in(step.cond) if name not in own),
        *params_of(check, without=own),
        *names_in(step.max, step.every),
        *params_of(body),
        *carried,
    ]
    index = maker.add(step.meta.path_id, op, reads)
    maker.own.update({name: Out(index, name) for name in carried})
    maker.left = not _ends(step, point, inside)
    return index


def lower_jump(maker: Maker, step: Break | Continue) -> int:
    """`break` or `continue`, with the names that the loop hands on as they are here."""
    loop = maker.loop
    assert loop is not None, "a jump stands in a loop"
    names = list(loop.carried)
    if isinstance(step, Break):
        loop.has_break = True
    else:
        loop.has_continue = True
        names.extend(name for name in loop.tested if maker.find(name) is not None)
    maker.left = True
    return maker.add(step.meta.path_id, Leave("break" if isinstance(step, Break) else "continue"), names)


def _assigned(block: Block) -> dict[str, None]:
    """The names that a block assigns at any depth, in the order of the text."""
    return dict.fromkeys(step.meta.id.text for step in steps_in(block) if step.meta.id is not None)


def _tested(step: Loop) -> list[str]:
    """The names that a condition reads, those of the calls in it included."""
    values = [value for call in step.check for value in given_to(call)]
    return names_in(step.cond, *values)


def _lower_check(maker: Maker, step: Loop) -> tuple[Body | None, list[str]]:
    if not step.check:
        return None, []
    lower_prelude(maker, step.check)
    lifted = [name for name in maker.own if name.startswith("$")]
    return maker.body(exports=maker.export(lifted)), lifted


def _ends(step: Loop, point: LoopPoint, inside: Maker) -> bool:
    """Whether any path gets to what stands after the loop."""
    if point.has_break:
        return True
    if step.kind == "while":
        return not (isinstance(step.cond, Const) and step.cond.value is True)
    is_tested = point.has_continue or not inside.left
    return is_tested and not (isinstance(step.cond, Const) and step.cond.value is False)
