"""Steps of the IR come in; statements of Python go onto the page.

A list becomes statements in a row. What runs at the same time becomes functions inside the function: the
steps of a graph, the body of a parallel loop, the branches of a race. The scopes of the language allow that:
none of these assigns a name of its surroundings. The value of a block is that of its last step, which is
written under the name `into`.
"""

from typing import assert_never

from flowc.ir import (
    Block,
    Break,
    Call,
    Continue,
    Do,
    Emit,
    Fail,
    For,
    Graph,
    GraphBody,
    If,
    Lock,
    Loop,
    Race,
    Raise,
    Rethrow,
    Return,
    Saga,
    Sleep,
    Start,
    Step,
    Steps,
    Switch,
    Try,
    Value,
    Wait,
)
from flowc.write_python.attempts import write_do, write_try
from flowc.write_python.calls import arguments_of, function_of, write_call, write_prelude
from flowc.write_python.graphs import write_graph
from flowc.write_python.loops import write_for, write_loop
from flowc.write_python.page import Function, Page
from flowc.write_python.races import write_race
from flowrt.expr.tree import Compare, Const, Logic, Name


def write_block(page: Page, block: Block, into: str | None = None) -> None:
    """A list or a graph; the value of the block goes `into` a name if one is given."""
    if isinstance(block, GraphBody):
        write_graph(page, block, "cancel", write_step)
        _write_names(page, block, into)
        return
    if not block.steps and into is not None:
        page.line(f"{into} = None")
    for step in block.steps:
        write_step(page, step, into if step is block.steps[-1] else None)


def _write_names(page: Page, graph: GraphBody, target: str | None) -> None:
    """The value of a graph: its names with their values."""
    if target is not None:
        names = [step.meta.id.text for step in graph.steps if step.meta.id is not None]
        pairs = ", ".join(f'"{name}": {page.named(name)}' for name in names)
        page.line(f"{target} = {{{pairs}}}")


def write_step(page: Page, step: Step, into: str | None = None) -> None:
    """A step; its value goes under its own name, and `into` another."""
    own = None if step.meta.id is None else page.named(step.meta.id.text)
    if step.meta.doc:
        for text in step.meta.doc.strip().splitlines():
            page.line(f"# {text}".rstrip())
    write_prelude(page, step.meta.prelude)
    target = own or into
    _write(page, step, target)
    if into is not None and own is not None:
        page.line(f"{into} = {own}")


def _write(page: Page, step: Step, target: str | None) -> None:  # noqa: C901, PLR0912 - one arm a kind
    head = "" if target is None else f"{target} = "
    match step:
        case Call():
            write_call(page, step, head)
        case Value(_, expr):
            page.line(f"{head}{page.expr(expr)}")
        case If():
            _write_if(page, step, target, "if")
        case Switch():
            _write_switch(page, step, target)
        case For():
            write_for(page, step, target, write_block)
        case Loop():
            write_loop(page, step, target, write_block)
        case Sleep():
            _write_sleep(page, step)
        case Wait():
            _write_wait(page, step, target)
        case Emit(_, event, key, payload):
            page.use("events")
            args = [f'"{event.text}"', *([f"key={page.expr(key)}"] if key is not None else [])]
            args += [] if payload is None else [f"payload={page.expr(payload)}"]
            page.statement("", Function("events.emit"), args)
        case Graph(_, body, failure):
            write_graph(page, body, failure, write_step)
            _write_names(page, body, target)
        case Do():
            write_do(page, step, target, write_block)
        case Try():
            write_try(page, step, target, write_block)
        case Lock(_, name, key, _, body):
            whose = "" if key is None else f" of {page.expr(key)}"
            page.line(f"# No other run is there to hold the lock {name.text}{whose}.")
            write_block(page, body, target)
        case Saga(_, body):
            _write_saga(page, body, target)
        case Race():
            write_race(page, step, target, write_block)
        case Start():
            page.use("start")
            call = f"{function_of(page, step.call).text}({', '.join(arguments_of(page, step.call))})"
            page.statement(head, Function("start"), [call])
        case Rethrow(_, error):
            page.line(f"raise {page.named(error.text)}.error")
        case Return() | Raise() | Fail() | Break() | Continue():
            _write_end(page, step)
        case _:
            assert_never(step)
    if target is not None and isinstance(step, Sleep | Emit):
        page.line(f"{target} = None")


def _write_if(page: Page, step: If, target: str | None, word: str) -> None:
    with page.block(f"{word} {page.expr(step.cond)}:"):
        write_block(page, step.then, target)
    match step.orelse:
        case Steps(steps=(If() as other,)) if other.meta.id is None and not other.meta.prelude:
            _write_if(page, other, target, "elif")
        case None:
            _write_none(page, target)
        case _:
            with page.block("else:"):
                write_block(page, step.orelse, target)


def _write_none(page: Page, target: str | None) -> None:
    if target is not None:
        with page.block("else:"):
            page.line(f"{target} = None")


def _write_switch(page: Page, step: Switch, target: str | None) -> None:
    subject = step.subject
    if not isinstance(subject, Name):
        name = page.fresh("subject")
        page.line(f"{name} = {page.expr(subject)}")
        subject = Name(name)
    word = "if"
    for case in step.cases:
        texts = [page.expr(value) for value in case.values]
        test = f"{page.expr(subject)} in ({', '.join(texts)})"
        if len(texts) == 1 or not all(isinstance(value, Const) for value in case.values):
            equal = Compare(subject, (("==", case.values[0]),))
            others = (Compare(subject, (("==", value),)) for value in case.values[1:])
            test = page.expr(equal if len(texts) == 1 else Logic("or", (equal, *others)))
        with page.block(f"{word} {test}:"):
            write_block(page, case.body, target)
        word = "elif"
    if step.orelse is not None and word == "if":
        write_block(page, step.orelse, target)
    elif step.orelse is not None:
        with page.block("else:"):
            write_block(page, step.orelse, target)
    else:
        _write_none(page, target)


def _write_sleep(page: Page, step: Sleep) -> None:
    page.use("asyncio")
    if step.duration is not None:
        page.line(f"await asyncio.sleep({page.seconds(step.duration)})")
    elif step.until is not None:
        page.use("sleep_until")
        page.line(f"await sleep_until({page.expr(step.until)})")
    elif step.cron is not None:
        page.use("sleep_cron")
        zone = [] if step.tz is None else [page.expr(step.tz)]
        page.line(f"await sleep_cron({', '.join([page.expr(step.cron), *zone])})")


def _write_wait(page: Page, step: Wait, target: str | None) -> None:
    page.use("events")
    args = [f'"{step.event.text}"']
    args += [] if step.key is None else [f"key={page.expr(step.key)}"]
    args += [] if step.match is None else [f"match=lambda event: {page.expr(step.match)}"]
    args += [] if step.timeout is None else [f"timeout={page.expr(step.timeout)}"]
    head = "await " if target is None else f"{target} = await "
    if step.orelse is None:
        page.statement(head, Function("events.wait"), args)
        return
    page.use("WaitTimedOut")
    with page.block("try:"):
        page.statement(head, Function("events.wait"), args)
    with page.block("except WaitTimedOut:"):
        if target is not None:
            page.line(f"{target} = None")
        write_block(page, step.orelse)


def _write_saga(page: Page, body: Block, target: str | None) -> None:
    page.use("Saga")
    name = page.fresh("saga")
    page.sagas.append(name)
    with page.block(f"async with Saga() as {name}:"):
        write_block(page, body, target)
    page.sagas.pop()


def _write_end(page: Page, step: Return | Raise | Fail | Break | Continue) -> None:
    match step:
        case Return(_, expr, tail):
            if tail is not None:
                head = "return await " if not page.races else "value_left = await "
                page.statement(head, function_of(page, tail), arguments_of(page, tail))
                value = "value_left"
            else:
                value = "None" if expr is None else page.expr(expr)
                if not page.races:
                    page.line("return" if expr is None else f"return {value}")
            if page.races:
                page.use("Leave")
                page.leaves.add("return")
                page.line(f'raise Leave("return", {value})')
        case Raise(_, callee, args, kwargs):
            texts = [*map(page.expr, args), *(f"{name.text}={page.expr(value)}" for name, value in kwargs)]
            page.statement("raise ", Function(page.callee(callee)), texts)
        case Fail(_, message):
            page.use("FlowFailed")
            page.statement("raise ", Function("FlowFailed"), [page.expr(message)])
        case Break() | Continue():
            word = "break" if isinstance(step, Break) else "continue"
            if page.races and not page.loops:
                page.use("Leave")
                page.leaves.add(word)
                word = f'raise Leave("{word}")'
            page.line(word)
