"""A call of the IR comes in; a statement that makes it goes onto the page."""

from flowc.ir import Call, FlowCallee, Modifiers, Retry
from flowc.write.expr import write_expr
from flowc.write_python.page import SAMPLES, Function, Page
from flowrt.expr.tree import Const, DictOf
from flowrt.noun import replace


def write_prelude(page: Page, calls: tuple[Call, ...]) -> None:
    """The calls that stood inside an expression, each with its value under a name."""
    for call in calls:
        write_prelude(page, call.meta.prelude)
        assert call.meta.id is not None, "a lifted call has a name"
        write_call(page, call, f"{page.named(call.meta.id.text)} = ")


def write_call(page: Page, call: Call, head: str) -> None:
    """`head` and the call, as one statement."""
    if not isinstance(call.callee, FlowCallee) and call.callee.path in SAMPLES:
        text, needs = SAMPLES[call.callee.path]
        page.used.update(needs)
        page.line(f"{head}{text}")
        return
    write_left_out(page, call.modifiers)
    if isinstance(call.callee, FlowCallee) and (limits := modifiers_of(page, call.modifiers)):
        page.use("bounded")
        made = f"{function_of(page, call).text}({', '.join(arguments_of(page, call))})"
        page.statement(f"{head}await ", Function("bounded"), [f"lambda: {made}", *limits])
        return
    page.statement(f"{head}await ", function_of(page, call), arguments_of(page, call))
    if call.undo is not None and page.sagas:
        write_left_out(page, call.undo.modifiers)
        undone = [function_of(page, call.undo).text, *arguments_of(page, call.undo)]
        page.statement("", Function(f"{page.sagas[-1]}.undo_by"), undone)


def arguments_of(page: Page, call: Call) -> list[str]:
    """The arguments of a call."""
    is_flow = isinstance(call.callee, FlowCallee)
    return [
        *map(page.expr, call.args),
        *(
            f"{page.named(name.text) if is_flow else name.text}={page.expr(value)}"
            for name, value in call.kwargs
        ),
    ]


def function_of(page: Page, call: Call) -> Function:
    """What is called: a flow of the file, or a function as a task with its modifiers."""
    if isinstance(call.callee, FlowCallee):
        return Function(page.flow(call.callee.name))
    if call.callee.listener:
        path, _, method = call.callee.path.rpartition(".")
        made = page.callee(replace(call.callee, path=path))
        return Function(f"{made}().{method}")
    if call.callee.method and call.key is not None:
        page.use("method")
        named = (page.callee(call.callee), page.expr(call.key), f'"{call.callee.method}"')
        return Function("method", (*named, *modifiers_of(page, call.modifiers)))
    page.use("task")
    return Function("task", (page.callee(call.callee), *modifiers_of(page, call.modifiers)))


def modifiers_of(page: Page, modifiers: Modifiers) -> list[str]:
    """What is said beside a call, as named arguments."""
    said: list[str] = []
    if isinstance(modifiers.options, DictOf):
        own = [
            (k, v) for k, v in modifiers.options.items if not (isinstance(k, Const) and k.value == "isolated")
        ]
        said += [f"options={page.expr(DictOf(tuple(own)))}"] if own else []
    if modifiers.retry is not None:
        said.append(f"retry={retry_of(page, modifiers.retry)}")
    if modifiers.timeout is not None:
        said.append(f"timeout={page.expr(modifiers.timeout)}")
    return said


def write_left_out(page: Page, modifiers: Modifiers) -> None:
    """What is said beside a call and has no counterpart in a program without a store, as comments."""
    said: list[str] = []
    if modifiers.cache is not None:
        key = "" if modifiers.cache.key is None else f" of {write_expr(modifiers.cache.key)}"
        said.append(f"the cache{key}, by which runs take values over from each other")
    if modifiers.heartbeat is not None:
        said.append(f"a heartbeat every {write_expr(modifiers.heartbeat)}: nobody looks for it here")
    if modifiers.retry is not None and modifiers.retry.within is not None:
        said.append(f"the bound of {write_expr(modifiers.retry.within)} over all attempts")
    for each in said:
        page.line(f"# Left out: {each}.")


def retry_of(page: Page, retry: Retry) -> str:
    """A retry policy."""
    page.use("Retry")
    said = [page.expr(retry.max)]
    defaults = {"delay": "timedelta(seconds=1)", "factor": "2", "cap": "timedelta(minutes=1)"}
    for name, value in (("delay", retry.delay), ("factor", retry.factor), ("cap", retry.cap)):
        text = page.expr(value)
        said += [] if text == defaults[name] else [f"{name}={text}"]
    said += ["jitter=False"] if retry.jitter == "none" else []
    for name, classes in (("catch", retry.catch), ("unless", retry.unless)):
        listed = [page.callee(each) for each in classes]
        said += [f"{name}=({', '.join(listed)}{',' if len(listed) == 1 else ''})"] if listed else []
    return f"Retry({', '.join(said)})"
