"""A `try`, or a block with bounds, comes in; on the page it is a `try` of Python, perhaps in a loop."""

from flowc.ir import Catch, Do, Modifiers, Try
from flowc.write_python.calls import retry_of, write_left_out
from flowc.write_python.loops import BlockWriter
from flowc.write_python.page import Page
from flowc.write_python.races import write_leaving


def write_try(page: Page, step: Try, target: str | None, write_block: BlockWriter) -> None:
    """A `try` step."""
    if target is not None:
        page.line(f"{target} = None")
    with page.block("try:"):
        write_block(page, step.body, target)
    for catch in step.catches:
        _write_catch(page, catch, target, write_block)
    if step.final is not None:
        with page.block("finally:"):
            write_block(page, step.final, None)


def _write_catch(page: Page, catch: Catch, target: str | None, write_block: BlockWriter) -> None:
    classes = [page.callee(each) for each in catch.types] or ["Exception"]
    listed = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
    if catch.name is None:
        with page.block(f"except {listed}:"):
            write_block(page, catch.body, target)
        return
    page.use("Caught")
    error = page.fresh("error")
    with page.block(f"except {listed} as {error}:"):
        page.line(f"{page.named(catch.name.text)} = caught({error})")
        write_block(page, catch.body, target)


def write_do(page: Page, step: Do, target: str | None, write_block: BlockWriter) -> None:
    """A `do` step. One that may be made again is a loop, and what leaves it has to leave that first."""
    if step.retry is None:
        _write_bounded(page, step, target, write_block)
        return
    retry, attempt, error = page.fresh("retry"), page.fresh("attempt"), page.fresh("error")
    page.use("itertools")
    write_left_out(page, Modifiers(retry=step.retry))
    page.line(f"{retry} = {retry_of(page, step.retry)}")
    at, depth = len(page.lines), page.depth
    loops, page.loops = page.loops, 0
    around, page.leaves = page.leaves, set()
    page.races += 1
    with page.block(f"for {attempt} in itertools.count(1):"):
        with page.block("try:"):
            _write_bounded(page, step, target, write_block)
            page.line("break")
        with page.block(f"except Exception as {error}:"):
            page.line(f"await {retry}.again({attempt}, {error})")
    page.races -= 1
    page.loops = loops
    left, page.leaves = sorted(page.leaves), around
    page.leaves |= set(left) if page.races else set()
    if left and not page.races:
        inside = [f"    {line}" if line else line for line in page.lines[at:]]
        page.lines[at:] = ["    " * depth + "try:", *inside]
        write_leaving(page, left)


def _write_bounded(page: Page, step: Do, target: str | None, write_block: BlockWriter) -> None:
    if step.timeout is None:
        write_block(page, step.body, target)
        return
    page.use("asyncio")
    with page.block(f"async with asyncio.timeout({page.seconds(step.timeout)}):"):
        write_block(page, step.body, target)
