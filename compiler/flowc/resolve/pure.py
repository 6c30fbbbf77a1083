"""A call that is no task and no flow comes in; whether the language has that function or method goes out."""

from flowc.diagnostic import Fix
from flowc.resolve.callees import RECORDED
from flowc.resolve.setting import Setting
from flowc.span import Span
from flowc.suggest import closest
from flowrt.expr.tree import Attribute, Call, Const, Name

_SECRET = "secret"  # noqa: S105  # The name of a function, not a secret.

BUILTINS = frozenset(
    {
        *("len", "min", "max", "sum", "sorted", "reversed", "range", "enumerate", "zip", "any", "all"),
        *("abs", "round", "divmod", "int", "float", "str", "bool", "list", "dict", "set", "tuple"),
        *("first", "duration", "datetime", "from_json", "to_json"),
    }
)


def is_builtin(name: str) -> bool:
    """Whether a name is that of a function that every expression may call."""
    return name in BUILTINS or name == _SECRET


def check_pure(expr: Call, setting: Setting, bound: frozenset[str], *, of_task: bool) -> bool:
    """Reports a function that does not exist, or stands where it may not; true when all is well."""
    func = expr.func
    if isinstance(func, Name):
        if func.id == _SECRET:
            return _check_secret(expr, setting, of_task=of_task)
        if func.id in BUILTINS:
            return True
        _report_function(func, setting, bound)
        return False
    return isinstance(func, Attribute)


def _check_secret(expr: Call, setting: Setting, *, of_task: bool) -> bool:
    span = Span(*expr.at)
    match expr.args:
        case (Const(value=str()),) if not expr.kwargs:
            pass
        case _:
            setting.found.error(
                "F0117", "`secret` takes one name in quotes", span, help='write `secret("API_KEY")`'
            )
            return False
    if not of_task:
        setting.found.error(
            "F0117",
            "a secret may only be an argument of a task",
            span,
            hint="its value would be recorded here",
            help="pass `secret(…)` in the arguments of the task that needs it",
        )
    return of_task


def _report_function(func: Name, setting: Setting, bound: frozenset[str]) -> None:
    names = setting.names
    span = Span(*func.at)
    if func.id in bound:
        setting.found.error("F0113", f"`{func.id}` is a value and cannot be called", span)
        return
    meant = closest(func.id, [*names.flows, *BUILTINS, *RECORDED])
    alias = next(iter(names.aliases), "alias")
    setting.found.error(
        "F0113",
        f"`{func.id}` is neither a flow of this file nor a function of expressions",
        span,
        hint=f"did you mean `{meant}`?" if meant else "",
        help=f"a function of a module is called through its alias: `{alias}.{func.id}(…)`",
        fixes=(Fix(span, meant, f"write `{meant}`"),) if meant else (),
    )
