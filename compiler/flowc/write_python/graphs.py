"""A graph comes in; on the page each of its steps is a function, and all of them run at the same time.

A step first awaits the steps that it reads or comes after. They are written in an order in which those come
first.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import cast

from flowc.ir import GraphBody, Meta, Step
from flowc.scope.mentions import mentions
from flowc.write_python.page import Page
from flowrt.expr.tree import Expr


def write_graph(
    page: Page, body: GraphBody, failure: str, write_step: Callable[[Page, Step, str | None], None]
) -> None:
    """The steps of a graph; afterwards each value has the name of its step."""
    page.use("Together")
    group = page.fresh("graph")
    tasks: dict[str, str] = {}
    with page.block(f"async with Together({'finish=True' if failure == 'finish' else ''}) as {group}:"):
        for name, step, before in in_order(body):
            page.line()
            function = page.fresh(f"run_{name}")
            with page.block(f"async def {function}():"):
                for other in before:
                    reads = f"{page.named(other)} = " if other in names_read(step) else ""
                    page.line(f"{reads}await {tasks[other]}")
                write_step(page, step, None)
                page.line(f"return {page.named(name)}")
            page.line()
            tasks[name] = page.fresh(f"{name}_step")
            page.line(f"{tasks[name]} = {group}.start({function}())")
    for name, task in tasks.items():
        page.line(f"{page.named(name)} = {task}.result()")


def in_order(body: GraphBody) -> list[tuple[str, Step, list[str]]]:
    """The steps with their names, and those of the graph that each waits for, which stand before it."""
    steps = {step.meta.id.text: step for step in body.steps if step.meta.id is not None}
    waits = {
        name: [
            other
            for other in steps
            if other != name
            and (other in names_read(step) or any(other == one.text for one in step.meta.after))
        ]
        for name, step in steps.items()
    }
    done: list[str] = []
    while len(done) < len(steps):
        ready = [name for name in steps if name not in done and set(waits[name]) <= set(done)]
        assert ready, "a graph that was checked has no cycle"
        done.append(ready[0])
    return [(name, steps[name], waits[name]) for name in done]


def names_read(part: object) -> set[str]:
    """The names that the expressions in a part of the IR read."""
    if isinstance(part, Expr):
        return {mention.name.id for mention in mentions(part)}
    if isinstance(part, Meta):
        return names_read(part.prelude)
    if isinstance(part, tuple):
        parts = cast("tuple[object, ...]", part)
        return {name for one in parts for name in names_read(one)}
    if is_dataclass(part) and not isinstance(part, type):
        return {name for one in fields(part) for name in names_read(getattr(part, one.name))}
    return set()
