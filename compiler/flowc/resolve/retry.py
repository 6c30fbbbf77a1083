"""The value of `retry` comes in; a policy with all its fields goes out."""

import builtins
from datetime import timedelta
from typing import Literal

from flowc.diagnostic import Fix, Label
from flowc.ir import Retry, TaskCallee
from flowc.resolve.callees import IMPORT_PATH
from flowc.resolve.durations import read_duration
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.found import Found, excerpt, listing, shape
from flowc.resolve.keys import RETRY
from flowc.resolve.lift import Where, lift
from flowc.resolve.places import read_expression
from flowc.resolve.setting import Names
from flowc.resolve.step_text import StepText, read_word
from flowc.suggest import closest
from flowc.tree import Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import Call, Const, Expr, Name

_NEVER = "never"
_MAX = 3
_DELAY = timedelta(seconds=1)
_FACTOR = 2
_CAP = timedelta(seconds=60)


def read_retry(node: Node, where: Where) -> Retry:
    """The policy under `retry`: a number of retries, `never`, or a map of fields."""
    found = where.setting.found
    if isinstance(node, Mapping):
        return _policy(node, read_fields(found, node, RETRY), where)
    maximum: Expr = Const(_MAX)
    never = isinstance(node, Scalar) and node.text == _NEVER
    if never:
        maximum = Const(0)
    elif isinstance(node, Scalar) and (node.text or node.style == "lost"):
        maximum = _number(found, node, "retry", where)
    else:
        found.error(
            "F0103",
            f"`retry` takes a number, a map or `never`, not {shape(node)}",
            excerpt(node),
            help=found.source.either(
                "write `retry: 3`, or `retry: {max: 3, delay: 1s, catch: [OSError]}`",
                "write `retry 3`, or `retry 3 delay 1s catch OSError`",
            ),
        )
    full: Literal["full"] = "full"
    return Retry(maximum, Const(_DELAY), Const(_FACTOR), Const(_CAP), full, (), (), None, node.span, never)


def read_block_retry(step: StepText, what: str) -> Retry | None:
    """The policy of what is made again as a whole: a block, or a flow that is called."""
    node = step.node("retry")
    if node is None:
        return None
    retry = read_retry(node, step.where("retry"))
    if not retry.never:
        return retry
    step.found.error(
        "F0103",
        f"`retry` of {what} takes a number or a map, not `never`",
        node.span,
        help="leave it out: without `retry` it is not made again, and `never` stands at the calls inside",
    )
    return None


def _policy(node: Mapping, fields: Fields, where: Where) -> Retry:
    found = where.setting.found

    def number(key: str, default: int) -> Expr:
        return _number(found, fields[key].value, key, where) if key in fields else Const(default)

    def duration(key: str) -> Expr | None:
        return lift(read_duration(found, fields[key].value, key), where) if key in fields else None

    def classes(key: str) -> tuple[TaskCallee, ...]:
        return _classes(found, fields[key].value, key, where.setting.names) if key in fields else ()

    jitter = (
        read_word(found, fields["jitter"].value, "jitter", ("full", "none")) if "jitter" in fields else ""
    )
    delay = duration("delay") or Const(_DELAY)
    return Retry(
        max=number("max", _MAX),
        delay=delay,
        factor=number("factor", _FACTOR),
        cap=_cap(found, fields, duration("cap"), delay),
        jitter="none" if jitter == "none" else "full",
        catch=classes("catch"),
        unless=classes("unless"),
        within=duration("within"),
        span=node.span,
    )


def _cap(found: Found, fields: Fields, said: Expr | None, delay: Expr) -> Expr:
    """The longest pause: what is said of it, or a minute, or the first pause when that is longer."""
    match said, delay:
        case Const(timedelta() as cap), Const(timedelta() as first) if cap < first and "delay" in fields:
            told = fields["delay"].value.span
            found.error(
                "F0506",
                "`delay`, the first pause, is longer than `cap`, the longest of all",
                fields["cap"].value.span,
                hint="no pause is longer",
                help="leave `cap` out, or make it at least as long as `delay`",
                labels=(Label(told, "the first pause"),),
                severity="warning",
            )
            return said
        case None, Const(timedelta() as first):
            return Const(max(first, _CAP))
        case None, _:
            return Call(Name("max"), (delay, Const(_CAP)), ())
        case _:
            return said


def _number(found: Found, node: Node, key: str, where: Where) -> Expr:
    if isinstance(node, Scalar) and node.style == "plain" and not isinstance(node.value, str):
        value = node.value
        least = 1 if key == "factor" else 0
        whole = key != "factor"
        allowed = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, allowed) or value < least:
            kind = "a whole number" if whole else "a number"
            found.error("F0103", f"`{key}` takes {kind} from {least} on, not `{node.text}`", node.span)
            return Const(least)
    elif not isinstance(node, Scalar):
        found.error("F0103", f"`{key}` takes a number, not {shape(node)}", excerpt(node))
        return Const(1)
    return lift(read_expression(found, node), where)


def _classes(found: Found, node: Node, key: str, names: Names) -> tuple[TaskCallee, ...]:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    return tuple(path for item in nodes if (path := read_exception(found, item, key, names)) is not None)


def read_exception(found: Found, node: Node, key: str, names: Names) -> TaskCallee | None:
    """The exception class that a name means: a builtin, one of an alias, or an import path."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        found.error(
            "F0115",
            f"`{key}` takes the names of exception classes, not {shape(node)}",
            excerpt(node),
            help=f"write `{key}: [OSError, t.Busy]`",
        )
        return None
    text = node.text.strip()
    root, dot, rest = text.partition(".")
    if IMPORT_PATH.match(text):
        return TaskCallee(text, node.span)
    if not dot and exception_named(text):
        return TaskCallee(f"builtins:{text}", node.span)
    if dot and root in names.aliases and rest:
        return TaskCallee(f"{names.aliases[root]}:{rest}", node.span)
    if not names.is_lost(root):
        _report_exception(found, node, text, key, names)
    return None


def exception_named(name: str) -> bool:
    """Whether Python has a builtin exception class of this name."""
    value: object = vars(builtins).get(name)
    return isinstance(value, type) and issubclass(value, BaseException)


def _report_exception(found: Found, node: Scalar, text: str, key: str, names: Names) -> None:
    root, dot, rest = text.partition(".")
    known = names.aliases if dot else [name for name in vars(builtins) if exception_named(name)]
    meant = closest(root, known)
    better = meant and (f"{meant}.{rest}" if dot else meant)
    aliases = f" through one of the aliases {listing(names.aliases)}" if names.aliases else ""
    path = f"`{text.rpartition('.')[0]}:{text.rpartition('.')[2]}`" if dot else "`package.module:Name`"
    if root in names.files:
        better, path = None, "`package.module:Name`"
    found.error(
        "F0115",
        f"`{root}` is a flow file, and holds no exception classes for `{key}`"
        if root in names.files
        else f"`{text}` in `{key}` is not an exception class that is known here",
        node.span,
        hint=f"did you mean `{better}`?" if better else "",
        help=f"name a builtin such as `OSError`, a class{aliases}, or an import path such as {path}",
        fixes=(Fix(node.span, better, f"write `{better}`"),) if better else (),
    )
