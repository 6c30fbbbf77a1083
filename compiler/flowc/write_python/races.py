"""A race comes in; on the page its branches are functions, of which the first to end counts."""

from flowc.ir import Race
from flowc.write_python.loops import BlockWriter, ends
from flowc.write_python.page import Function, Page

_LEAVING = {"break": "break", "continue": "continue", "return": "return left.value"}


def write_race(page: Page, step: Race, target: str | None, write_block: BlockWriter) -> None:
    """A `race` step. A `return` in a branch is an exception that leaves the race."""
    page.use("race")
    functions: list[str] = []
    around, page.leaves = page.leaves, set()
    loops, page.loops = page.loops, 0
    page.races += 1
    for branch in step.branches:
        function = page.fresh(f"run_{branch.name.text}")
        functions.append(function)
        value = page.fresh("value")
        page.line()
        with page.block(f"async def {function}():"):
            write_block(page, branch.body, value)
            if not ends(branch.body):
                page.line(f"return {value}")
    page.races -= 1
    page.loops = loops
    page.line()
    left, page.leaves = sorted(page.leaves), around
    page.leaves |= set(left) if page.races else set()
    args = [*functions]
    args += [] if step.need is None else [f"need={page.expr(step.need)}"]
    args += [] if step.errors == "fail" else [f'errors="{step.errors}"']
    head = "await " if target is None else f"{target} = await "
    if not left or page.races:
        page.statement(head, Function("race"), args)
        return
    with page.block("try:"):
        page.statement(head, Function("race"), args)
    write_leaving(page, left)


def write_leaving(page: Page, left: list[str]) -> None:
    """What becomes of those who leave what was written as a function, or as a loop of the program's own."""
    with page.block("except Leave as left:"):
        for word in left[:-1]:
            with page.block(f'if left.kind == "{word}":'):
                page.line(_LEAVING[word])
        page.line(_LEAVING[left[-1]])
