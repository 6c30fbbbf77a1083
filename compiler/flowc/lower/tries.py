"""Lower `try`, and blocks with a bound in time or a retry policy.

Every body of a `try` but `finally` hands on the same names: those that each of them that goes on knows.
What `finally` assigns comes to them.
"""

from flowc.ir import Block, Retry, Try
from flowc.lower.lowering import LowerBlock
from flowc.lower.maker import Maker, names_in, params_of
from flowc.lower.retry import lower_retry, read_by
from flowrt.expr.tree import Expr
from flowrt.program import Body, Bounded, Catch, Out, Source
from flowrt.program import Try as TryOp

EVERY = "builtins:Exception"
"""What a `catch` without a type deals with."""


def lower_try(maker: Maker, step: Try, lower_block: LowerBlock, *, wanted: bool) -> int:
    """A `try`."""
    body = maker.inner()
    arms: list[tuple[Maker, Source | None]] = [(body, lower_block(body, step.body, wanted=wanted))]
    for catch in step.catches:
        arm = maker.inner(given=() if catch.name is None else (catch.name.text,))
        arms.append((arm, lower_block(arm, catch.body, wanted=wanted)))
    names = _known([arm for arm, _ in arms if not arm.left], step)
    first, *others = (arm.body(value, arm.export(names)) for arm, value in arms)
    catches = tuple(
        Catch(
            tuple(each.path for each in catch.types) or (EVERY,),
            "" if catch.name is None else catch.name.text,
            other,
        )
        for catch, other in zip(step.catches, others, strict=True)
    )
    inside = maker.inner()
    final = None if step.final is None else _lower_final(inside, step.final, lower_block)
    read = [*params_of(first, final)]
    for each in catches:
        read += params_of(each.body, without=(each.name,))
    index = maker.add(step.meta.path_id, TryOp(first, catches, final), dict.fromkeys(read))
    last = () if final is None else tuple(name for name, _ in final.exports)
    maker.own.update({name: Out(index, name) for name in (*names, *last)})
    maker.left = inside.left or all(arm.left for arm, _ in arms)
    return index


def _known(live: list[Maker], step: Try) -> list[str]:
    """The names that some body assigns and every body that goes on knows."""
    errors = {catch.name.text for catch in step.catches if catch.name is not None}
    assigned = dict.fromkeys(name for arm in live for name in arm.own if not name.startswith("$"))
    return [
        name for name in assigned if name not in errors and all(arm.find(name) is not None for arm in live)
    ]


def _lower_final(inside: Maker, block: Block, lower_block: LowerBlock) -> Body:
    lower_block(inside, block, wanted=False)
    return inside.body(None, inside.export(name for name in inside.own if not name.startswith("$")))


def bounded(body: Body, timeout: Expr | None, retry: Retry | None) -> tuple[Bounded, list[str]]:
    """A body that is bounded, and made again; and the names that this reads besides those of the body."""
    policy = None if retry is None else lower_retry(retry)
    return Bounded(body, timeout, policy), names_in(timeout, *read_by(policy))
