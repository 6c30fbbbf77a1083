"""The name of an event or a lock, which may have a key beside it, comes in; an identifier goes out."""

from flowc.ir import Ident
from flowc.resolve.found import excerpt, shape
from flowc.resolve.names import read_name
from flowc.resolve.step_text import StepText
from flowc.span import Span
from flowc.tree import Scalar
from flowrt.expr.durations import parse_duration


def read_keyed_name(step: StepText, what: str) -> Ident | None:
    """The name of `what`, such as `a lock`. A call of it is a slip: the key has a place of its own."""
    node = step.main.value
    if not isinstance(node, Scalar):
        step.found.error("F0103", f"`{step.kind}` takes the name of {what}, not {shape(node)}", excerpt(node))
        return None
    text = node.text.strip()
    name, bracket, rest = text.partition("(")
    if step.kind == "wait" and parse_duration(text) is not None:
        better = step.found.source.either(f"sleep: {text}", f"sleep {text}")
        message = f"`wait` waits for an event, and `{text}` is a time"
        step.found.error("F0103", message, node.span, help=f"write `{better}`")
        return None
    if "${{" in text or not bracket:
        return read_name(step.found, node, what)
    if not name.isidentifier():
        span = Span(node.at(0), node.at(len(name)))
        return read_name(step.found, Scalar(span, name, name, "plain", node.at(0)), what)
    key = rest.removesuffix(")").strip()
    step.found.error(
        "F0103",
        f"`{step.kind}` takes the name of {what} alone",
        node.span,
        hint=f"the key goes under `key: {key}`" if key else f"write `{name}`",
        help=f"write `{step.kind}: {name}`" + (f" and, beside it, `key: {key}`" if key else ""),
    )
    return None
