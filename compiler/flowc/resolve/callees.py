"""The function of a call comes in; the task, the flow or nothing of that kind that it names goes out.

What a call can mean, in this order: a method of an actor with its key, an import path
(`package.module:name`, in a place for callees), a flow of the file, an attribute of the alias of a flow file
(`flowc.link` sees whether there is such a flow), one of the recorded functions (`now`, `today`, `uuid`,
`random`, which are tasks under the path `flowc:now` as far as the IR is concerned), an attribute of an alias
of `use`, and else a builtin or a method of a value, which is pure and stays in its expression.
"""

from collections.abc import Iterator
from typing import TypeAlias

from flowc.diagnostic import Fix
from flowc.ir import Callee, FlowCallee, TaskCallee
from flowc.resolve.found import Found, listing
from flowc.resolve.setting import Names
from flowc.span import Span
from flowc.suggest import closest
from flowrt.expr.tree import Attribute, Expr, Name
from flowrt.expr.tree import Call as CallExpr
from flowrt.noun import noun
from flowrt.pattern import pattern

RECORDED = frozenset({"now", "today", "uuid", "random"})


@noun
class Lost:
    """A callee whose alias, actor or module has been reported where it is defined."""


@noun
class Pure:
    """Neither a task nor a flow: a builtin, a method, or a name that means nothing."""


Meaning: TypeAlias = Callee | Lost | Pure

NO_NAMES: frozenset[str] = frozenset()


def meaning_of(names: Names, func: Expr, bound: frozenset[str] = NO_NAMES) -> Meaning:
    """What the function of a call is; `bound` are the variables of the comprehensions around it."""
    span = Span(*func.at)
    if isinstance(func, Attribute) and (actor := actor_named(names, func.value, bound)):
        return TaskCallee(names.actors[actor], span, method=func.name)
    parts = tuple(_chain(func))
    if not parts:
        return Lost() if _root_is_lost(names, func) else Pure()
    root, *rest = parts
    if root in bound:
        return Pure()
    return _named(names, parts, span) if rest else _bare(names, root, span)


def _named(names: Names, parts: tuple[str, ...], span: Span) -> Meaning:
    root, *rest = parts
    if root in names.files:
        return FlowCallee(".".join(parts), span)
    if root in names.aliases:
        return TaskCallee(f"{names.aliases[root]}:{'.'.join(rest)}", span)
    return Lost() if names.is_lost(root) else Pure()


def actor_named(names: Names, expr: Expr, bound: frozenset[str] = NO_NAMES) -> str:
    """The name of the actor that an expression such as `account(user)` is; empty for any other."""
    if isinstance(expr, CallExpr) and isinstance(expr.func, Name) and expr.func.id not in bound:
        return expr.func.id if expr.func.id in names.actors else ""
    return ""


def _bare(names: Names, name: str, span: Span) -> Meaning:
    if ":" in name:
        return TaskCallee(name, span)
    if name in names.flows:
        return FlowCallee(name, span)
    if name in RECORDED:
        return TaskCallee(f"flowc:{name}", span)
    return Lost() if name in names.lost else Pure()


def root_of(expr: Expr) -> str | None:
    """`a` of `a`, `a.b` and `a.b.c`; None of everything else."""
    return next(_chain(expr), None)


def report_undefined(found: Found, names: Names, func: Expr) -> None:
    """Reports a callee that has to be a task or a flow, and is neither."""
    parts = tuple(_chain(func))
    span = Span(*func.at)
    if parts and parts[0] in names.actors:
        report_actor(found, parts[0], span)
    elif not parts:
        found.error(
            "F0116",
            "this is not the name of something that can be called",
            span,
            help="a callee is `alias.name(…)`, a flow of this file, or `package.module:name(…)`",
        )
    elif len(parts) == 1:
        _report_flow(found, names, parts[0], span)
    else:
        _report_alias(found, names, parts, span)


def report_actor(found: Found, name: str, span: Span) -> None:
    """Reports an actor that is used in another way than by a method of the object of a key."""
    found.error(
        "F0116",
        f"`{name}` is an actor, and what can be called are the methods of its objects",
        span,
        help=f"write `{name}(key).method(…)`",
    )


def report_misspelt_actor(found: Found, names: Names, func: Expr) -> bool:
    """Reports a method of what is no actor and has nearly the name of one; whether it is that."""
    root = func.value.func if isinstance(func, Attribute) and isinstance(func.value, CallExpr) else None
    if not isinstance(root, Name) or root.id in names.flows:
        return False
    meant = closest(root.id, names.actors)
    if meant is None:
        return False
    span = Span(*root.at)
    found.error(
        "F0113",
        f"`{root.id}` is not an actor of this file",
        span,
        hint=f"did you mean `{meant}`?",
        fixes=(Fix(span, meant, f"write `{meant}`"),),
    )
    return True


def is_called_alias(found: Found, names: Names, name: str, span: Span) -> bool:
    """Reports that a module or a flow file is called itself; false when the name is no alias."""
    if name in names.aliases:
        what, way = f"the module `{names.aliases[name]}`", f"a function of it: `{name}.function(…)`"
    elif name in names.files:
        what, way = f"the flow file `{names.files[name]}`", f"a flow of it: `{name}.flow_name(…)`"
    else:
        return False
    found.error("F0113", f"`{name}` is {what}, which cannot be called itself", span, help=f"call {way}")
    return True


def _report_flow(found: Found, names: Names, name: str, span: Span) -> None:
    if is_called_alias(found, names, name, span):
        return
    known = [*names.flows, *RECORDED]
    meant = closest(name, known)
    module = next(iter(names.aliases), "")
    found.error(
        "F0113",
        f"`{name}` is not a flow of this file",
        span,
        hint=f"did you mean `{meant}`?" if meant else "",
        help=f"a function of a module is called through its alias, such as `{module}.{name}(…)`"
        if module
        else f"a function of a module is called by `package.module:{name}(…)`, or through an alias of `use`",
        fixes=(Fix(span, meant, f"write `{meant}`"),) if meant else (),
    )


def _report_alias(found: Found, names: Names, parts: tuple[str, ...], whole: Span) -> None:
    alias = parts[0]
    module = ".".join(parts[:-1])
    meant = next((known for known, path in names.aliases.items() if path == module), None)
    if meant is not None:
        better = f"{meant}.{parts[-1]}"
        found.error(
            "F0113",
            f"`{module}` is called through its alias `{meant}`",
            whole,
            hint=f"write `{better}`",
            fixes=(Fix(whole, better, f"write `{better}`", safe=True),),
        )
        return
    meant = closest(alias, names.every_alias)
    path = f"{module}:{parts[-1]}"
    span = Span(whole.start, whole.start + len(alias))
    defined = f"the aliases of this file are {listing(names.every_alias)}; " if names.every_alias else ""
    add = found.source.either(f"`{alias}: package.module` to `use:`", f"`use package.module as {alias}`")
    found.error(
        "F0113",
        f"`{alias}` is not an alias of `use`",
        span,
        hint=f"did you mean `{meant}`?" if meant else "",
        help=f"{defined}add {add}, or call by import path: `{path}(…)`",
        fixes=(Fix(span, meant, f"write `{meant}`"),) if meant else (),
    )


def _chain(expr: Expr) -> Iterator[str]:
    """`a`, `b`, `c` of `a.b.c`; nothing when the root is not a name."""
    attributes: list[str] = []
    while isinstance(expr, Attribute):
        attributes.append(expr.name)
        expr = expr.value
    if isinstance(expr, Name):
        yield expr.id
        yield from reversed(attributes)


def _root_is_lost(names: Names, expr: Expr) -> bool:
    """Whether the callee is a method of an actor that could not be used: `account(user).deposit`."""
    while isinstance(expr, Attribute | CallExpr):
        expr = expr.value if isinstance(expr, Attribute) else expr.func
    return isinstance(expr, Name) and names.is_lost(expr.id)


IMPORT_PATH = pattern(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
MODULE = pattern(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
