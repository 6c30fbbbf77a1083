"""A loop comes in; on the page it is a `for` or a `while`, its body a function where bodies run at once."""

from collections.abc import Callable

from flowc.ir import Block, Break, Continue, Fail, For, If, Loop, Raise, Return, Step, Steps, Switch
from flowc.write_python.calls import write_prelude
from flowc.write_python.page import Function, Page
from flowrt.expr.tree import Const

BlockWriter = Callable[[Page, Block, str | None], None]


def write_for(page: Page, step: For, target: str | None, write_block: BlockWriter) -> None:
    """A `for` step."""
    items = page.expr(step.items)
    if step.batch is not None:
        page.use("batches")
        items = f"batches({items}, {page.expr(step.batch)})"
    if target is not None and step.errors == "collect":
        page.direct.add(target)
    elif target is not None:
        page.direct.discard(target)
    page.loops += 1
    if step.parallel is not None:
        _write_parallel(page, step, items, target, write_block)
    elif target is None and step.errors == "fail" and step.need is None:
        with page.block(f"for {page.named(step.var.text)} in {items}:"):
            write_block(page, step.body, None)
    else:
        _write_in_turn(page, step, items, target, write_block)
    page.loops -= 1


def _write_parallel(page: Page, step: For, items: str, target: str | None, write_block: BlockWriter) -> None:
    assert step.parallel is not None
    page.use("each")
    function = page.fresh(f"each_{step.var.text}")
    page.line()
    with page.block(f"async def {function}({page.named(step.var.text)}):"):
        page.line(f"return {_write_contribution(page, step, write_block)}")
    page.line()
    args = [function, items, f"parallel={page.expr(step.parallel)}"]
    args += [] if step.errors == "fail" else [f'errors="{step.errors}"']
    args += [] if step.need is None else [f"need={page.expr(step.need)}"]
    page.statement("await " if target is None else f"{target} = await ", Function("each"), args)


def _write_contribution(page: Page, step: For, write_block: BlockWriter) -> str:
    """The body; what it contributes is an expression that is there when the body has run."""
    if step.collect is not None:
        write_block(page, step.body, None)
        write_prelude(page, step.collect_prelude)
        return page.expr(step.collect)
    last = step.body.steps[-1] if isinstance(step.body, Steps) and step.body.steps else None
    if last is not None and last.meta.id is not None:
        write_block(page, step.body, None)
        return page.named(last.meta.id.text)
    if ends(step.body):
        write_block(page, step.body, None)
        return "None"
    value = page.fresh("value")
    write_block(page, step.body, value)
    return value


def ends(block: Block) -> bool:
    """Whether nothing comes behind a block, because its last step leaves."""
    last = block.steps[-1] if isinstance(block, Steps) and block.steps else None
    return isinstance(last, Return | Raise | Fail | Break | Continue)


def _write_in_turn(page: Page, step: For, items: str, target: str | None, write_block: BlockWriter) -> None:
    """Bodies one after another, whose values are kept."""
    kept = page.fresh("kept")
    page.line(f"{kept} = []")
    errors = index = ""
    head = f"for {page.named(step.var.text)} in {items}:"
    if step.errors == "collect":
        page.use("Collected")
        errors, index = page.fresh("errors"), page.fresh("index")
        page.line(f"{errors} = []")
        head = f"for {index}, {page.named(step.var.text)} in enumerate({items}):"
    with page.block(head):
        if step.errors == "fail":
            page.line(f"{kept}.append({_write_contribution(page, step, write_block)})")
        else:
            with page.block("try:"):
                page.line(f"{kept}.append({_write_contribution(page, step, write_block)})")
            with page.block(f"except Exception{' as error' if errors else ''}:"):
                if errors:
                    page.line(f"{errors}.append(failed_body({index}, {page.named(step.var.text)}, error))")
                else:
                    page.line("continue")
        if step.need is not None:
            need = page.expr(step.need)
            enough = f"len({kept}) >= {need}" if need.isdecimal() else f"0 < ({need}) <= len({kept})"
            with page.block(f"if {enough}:"):
                page.line("break")
    if step.need is not None:
        _write_need_not_met(page, page.expr(step.need), kept)
    if target is not None:
        page.line(f"{target} = Collected({kept}, {errors})" if errors else f"{target} = {kept}")


def _write_need_not_met(page: Page, need: str, kept: str) -> None:
    """Behind a loop that has not ended early. A need that is computed may come to none."""
    page.use("NeedNotMet")
    told = f'raise NeedNotMet(f"only {{len({kept})}} bodies succeeded")'
    with page.block("else:"):
        if need.isdecimal():
            page.line(told)
            return
        with page.block(f"if len({kept}) < ({need}):"):
            page.line(told)


def write_loop(page: Page, step: Loop, target: str | None, write_block: BlockWriter) -> None:
    """A `while` or `until` step."""
    if target is not None:
        page.line(f"{target} = None")
    page.loops += 1
    bounded = step.max is not None or step.every is not None
    if step.kind == "while" and not bounded and not step.check:
        with page.block(f"while {page.expr(step.cond)}:"):
            write_block(page, step.body, target)
    elif step.kind == "until" and not bounded and not _goes_on(step.body):
        with page.block("while True:"):
            write_block(page, step.body, target)
            _write_test(page, step)
    else:
        _write_counted(page, step, target, write_block)
    page.loops -= 1


def _write_counted(page: Page, step: Loop, target: str | None, write_block: BlockWriter) -> None:
    page.use("itertools")
    count = page.fresh("count")
    with page.block(f"for {count} in itertools.count():"):
        if step.kind == "until":
            with page.block(f"if {count} > 0:"):
                _write_test(page, step)
        if step.every is not None:
            page.use("asyncio")
            with page.block(f"if {count} > 0:"):
                pause = page.expr(step.every)
                pause = pause if isinstance(step.every, Const) else f"({pause})"
                page.line(f"await asyncio.sleep({pause}.total_seconds())")
        if step.kind == "while":
            _write_test(page, step)
        if step.max is not None:
            page.use("LoopLimit")
            with page.block(f"if {count} >= {page.expr(step.max)}:"):
                page.line('raise LoopLimit("the loop goes on for longer than its bound")')
        write_block(page, step.body, target)


def _write_test(page: Page, step: Loop) -> None:
    write_prelude(page, step.check)
    cond = page.expr(step.cond)
    with page.block(f"if not ({cond}):" if step.kind == "while" else f"if {cond}:"):
        page.line("break")


def _goes_on(block: Block) -> bool:
    """Whether a body has a `continue` of its own, which has to come to the test."""
    return any(_continues(step) for step in block.steps)


def _continues(step: Step) -> bool:
    match step:
        case Continue():
            return True
        case If(then=then, orelse=orelse):
            return _goes_on(then) or (orelse is not None and _goes_on(orelse))
        case Switch(cases=cases, orelse=orelse):
            return any(_goes_on(case.body) for case in cases) or (orelse is not None and _goes_on(orelse))
        case For() | Loop():
            return False
        case _:
            body = getattr(step, "body", None)
            return isinstance(body, Steps) and _goes_on(body)
