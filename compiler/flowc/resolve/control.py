"""The steps that hold other steps come in as text; `If`, `For`, `Loop`, `Graph`, `Do` and `Saga` go out."""

import re
from typing import Literal

from flowc.diagnostic import Fix
from flowc.ir import Block, Call, Do, For, Graph, GraphBody, Ident, If, Lock, Loop, Saga, Step, Steps
from flowc.resolve.found import excerpt, shape
from flowc.resolve.keyed import read_keyed_name
from flowc.resolve.lift import lift
from flowc.resolve.literal_keys import checked_key
from flowc.resolve.names import alias_names, read_name
from flowc.resolve.places import at, read_part
from flowc.resolve.retry import read_block_retry
from flowc.resolve.setting import stand_in
from flowc.resolve.step_text import StepText, read_word
from flowc.span import Span
from flowc.tree import Scalar
from flowrt.expr.tree import Expr
from flowrt.pattern import pattern
from flowrt.program import ErrorsPolicy

_FOR = pattern(r"(?P<var>.*?)\s+in\s+(?=\S)", re.DOTALL)
_FOR_OF = pattern(r"(?P<var>[^\W\d]\w*)\s+of\s+(?P<items>\S.*)")


def resolve_if(step: StepText) -> Step:
    """`if`, `then`, `else`."""
    cond = step.expr("if")
    assert cond is not None
    then = step.block("then") or Steps((), step.span)
    orelse = step.block("else")
    return If(step.meta(), cond, then, orelse)


def resolve_for(step: StepText) -> Step:
    """`for` with its body and what governs it."""
    head = _head(step)
    body = _body(step)
    collect_calls: list[Call] = []
    collect = step.expr("collect", collect_calls)
    if head is None:
        # Without the variable, every reading of it in the body would be one more message.
        return _empty_for(step)
    var, items = head
    errors = step.node("errors")
    return For(
        var=var,
        items=items,
        body=body,
        parallel=step.expr("parallel"),
        errors="fail" if errors is None else _errors(read_word(step.found, errors, "errors", _ERRORS)),
        need=step.expr("need"),
        batch=step.expr("batch"),
        collect=collect,
        collect_prelude=tuple(collect_calls),
        meta=step.meta(),
    )


def _empty_for(step: StepText) -> For:
    """A `for` that says nothing more, in the place of one whose head could not be understood."""
    nobody = Ident("_", step.main.value.span)
    items = stand_in(at(step.main.value.span))
    return For(step.meta(), nobody, items, Steps((), step.span), None, "fail", None, None, None, ())


_ERRORS = ("fail", "collect", "drop")


def _errors(word: str) -> ErrorsPolicy:
    match word:
        case "collect":
            return "collect"
        case "drop":
            return "drop"
        case _:
            return "fail"


def resolve_loop(step: StepText) -> Step:
    """`while` and `until`."""
    kind: Literal["while", "until"] = "while" if step.kind == "while" else "until"
    check: list[Call] = []
    cond = step.expr(kind, check)
    assert cond is not None
    body = _body(step)
    maximum, every = step.expr("max"), step.duration("every")
    return Loop(step.meta(), kind, cond, tuple(check), body, maximum, every)


def resolve_graph(step: StepText) -> Step:
    """A `graph` step. A list in its place has been reported and is read as the list that it is."""
    body = step.block("graph")
    assert body is not None
    failure = step.node("failure")
    word = "cancel" if failure is None else read_word(step.found, failure, "failure", ("cancel", "finish"))
    match body:
        case GraphBody():
            return Graph(step.meta(), body, "finish" if word == "finish" else "cancel")
        case Steps():
            return Do(step.meta(), body)


def resolve_do(step: StepText) -> Step:
    """A `do` step."""
    guarded = "timeout" in step.fields or "retry" in step.fields
    step.setting.guard_depth += guarded
    body = step.block("do")
    step.setting.guard_depth -= guarded
    assert body is not None
    timeout, retry = step.duration("timeout"), read_block_retry(step, "a block")
    return Do(step.meta(), body, timeout, retry)


def resolve_saga(step: StepText) -> Step:
    """A `saga` step. A flow that is called last in it runs inside: its failure undoes the saga."""
    step.setting.saga_depth += 1
    step.setting.guard_depth += 1
    body = step.block("saga")
    step.setting.guard_depth -= 1
    step.setting.saga_depth -= 1
    assert body is not None
    return Saga(step.meta(), body)


def resolve_lock(step: StepText) -> Step | None:
    """A `lock` step. A flow that is called last in it runs inside: it is what the lock protects."""
    name = read_keyed_name(step, "a lock")
    key, limit = checked_key(step.found, step.expr("key"), "a lock"), step.expr("limit")
    step.setting.guard_depth += 1
    body = _body(step)
    step.setting.guard_depth -= 1
    return Do(step.meta(), body) if name is None else Lock(step.meta(), name, key, limit, body)


def _body(step: StepText) -> Block:
    """The body of a loop or of a lock: `do` or `graph`, and not both."""
    do, graph = step.fields.get("do"), step.fields.get("graph")
    if do is not None and graph is not None:
        step.found.error(
            "F0118",
            f"a `{step.kind}` step has one body, `do` or `graph`, and this one has both",
            graph.key.span,
            help="leave one out; a `graph` can also be a step inside `do`",
        )
    elif do is None and graph is None:
        step.found.error(
            "F0102",
            f"a `{step.kind}` step needs a body",
            step.main.key.span,
            help="add `do:` with a list of steps, or `graph:` with a map of names to steps",
        )
    return step.block("do") or step.block("graph") or Steps((), step.span)


def _head(step: StepText) -> tuple[Ident, Expr] | None:
    """`name in items`."""
    node = step.main.value
    if not isinstance(node, Scalar):
        step.found.error(
            "F0103",
            f"`for` takes `name in items`, not {shape(node)}",
            excerpt(node),
            help="write `for: item in items`",
        )
        return None
    head = _FOR.match(node.text)
    if head is None:
        _report_head(step, node)
        return None
    items = lift(read_part(step.found, node, head.end()), step.where("for"))
    word = head["var"].strip()
    start = node.at(head.start("var") + head["var"].index(word))
    span = Span(start, start + len(word))
    if "," in word or word.startswith("("):
        step.found.error(
            "F0111",
            f"`for` assigns one name, and `{word}` is more than one",
            span,
            help="name the item, such as `pair`, and read its parts by `pair[0]`, `pair[1]`",
        )
        return None
    var = Scalar(span, word, word, "plain", start)
    name = read_name(step.found, var, "a loop variable", alias_names(step.setting.names.every_alias))
    return None if name is None else (name, items)


def _report_head(step: StepText, node: Scalar) -> None:
    text = node.text.strip()
    one_word = text.isidentifier()
    better = f"item in {text}" if text and not text.startswith("${{") else "item in items"
    other = _FOR_OF.fullmatch(text)
    if other is not None:
        better = f"{other['var']} in {other['items']}"
    fixes = (Fix(node.span, better, f"write `{better}`"),) if one_word and node.style == "plain" else ()
    step.found.error(
        "F0103",
        "`for` takes `name in items`",
        node.span if node.text else step.main.key.span,
        hint="there is no ` in ` here" if text else "",
        help=f"write `for: {better}`",
        fixes=fixes,
    )
