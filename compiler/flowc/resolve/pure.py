"""A call that is no task and no flow comes in; whether the language has that function or method goes out.

The names are written here as well as in the tables of the runtime, because the compiler has no need of what
computes them. A test holds the two together.
"""

from flowc.diagnostic import Fix
from flowc.resolve.callees import RECORDED, is_called_alias, report_actor, report_misspelt_actor
from flowc.resolve.setting import Names, Setting
from flowc.span import Span
from flowc.suggest import closest
from flowrt.expr.tree import Attribute, Call, Const, Expr, Name

_SECRET = "secret"  # noqa: S105  # The name of a function, not a secret.


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words(
    "len min max sum sorted reversed range enumerate zip any all abs round divmod int float str bool list "
    "dict set tuple first duration datetime from_json to_json"
)
"""The functions that every expression may call."""

METHODS = _words(
    # Text.
    "capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii "
    "isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower "
    "lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split "
    "splitlines startswith strip swapcase title upper zfill "
    # Lists, dicts and sets.
    "copy get items keys values difference intersection isdisjoint issubset issuperset "
    "symmetric_difference union "
    # Dates, times and durations.
    "ctime isocalendar isoformat isoweekday strftime toordinal weekday dst tzname utcoffset "
    "astimezone date time timestamp timetz total_seconds "
    # Bytes and numbers.
    "decode hex bit_count bit_length conjugate as_integer_ratio is_integer"
)
"""The methods of values of every type. Which of them a value has is known when it is there."""

CHANGING = {
    "append": "write `xs + [x]`",
    "extend": "write `xs + ys`",
    "insert": "write `xs[:i] + [x] + xs[i:]`",
    "pop": "write `xs[:-1]`, or a comprehension",
    "remove": "write `[x for x in xs if x != y]`",
    "sort": "write `sorted(xs)`",
    "reverse": "write `xs[::-1]`",
    "update": "write `dict(d, key=value)`",
    "setdefault": "write `d.get(key, default)`",
    "add": "write `s.union([x])`",
    "discard": "write `s.difference([x])`",
}
"""Methods of Python that change a value, and what to write instead: values of a flow never change."""


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
    if isinstance(func, Attribute) and func.name not in METHODS:
        if report_misspelt_actor(setting.found, setting.names, func):
            return False
        _report_method(func, setting)
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
    if func.id in names.actors:
        report_actor(setting.found, func.id, span)
        return
    if is_called_alias(setting.found, names, func.id, span):
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


def _report_method(func: Attribute, setting: Setting) -> None:
    names, name = setting.names, func.name
    end = func.at[1]
    span = Span(end - len(name), end)
    root = func.value.id if isinstance(func.value, Name) else None
    if root in names.actors:
        report_actor(setting.found, str(root), Span(*func.at))
        return
    alias = None if root is None else closest(root, names.every_alias)
    if name in CHANGING:
        message, meant = f"`{name}` would change a value, which expressions cannot do", None
        help_ = CHANGING[name]
    elif root is not None and alias is not None:
        span, meant = Span(func.value.at[0], func.value.at[1]), alias
        message = f"`{root}.{name}` is neither a function of an alias nor a method of a value"
        help_ = "functions of modules are called through an alias of `use`"
    else:
        meant = closest(name, sorted(METHODS))
        message = f"no value has a method `{name}` in expressions"
        help_ = "expressions have Python's methods that change nothing; give anything else to a task"
        if meant is None and (path := _made(func.value, names)):
            actor = path.rpartition(".")[2].lower()
            use = setting.found.source.either(f"actors: {{{actor}: {path}}}", f"actor {actor}: {path}")
            help_ += (
                f"; if objects of `{path}` are kept from call to call, they are actors: declare `{use}`, and "
                f"call `{actor}(key).{name}(…)`"
            )
        if root is not None and meant is None:
            use = setting.found.source.either(
                f"use: {{{root}: package.module}}", f"use package.module as {root}"
            )
            help_ += f"; if `{root}` is a module, it needs an alias: `{use}`"
    setting.found.error(
        "F0113",
        message,
        span,
        hint=f"did you mean `{meant}`?" if meant else "",
        help=help_,
        fixes=(Fix(span, meant, f"write `{meant}`"),) if meant else (),
    )


def _made(expr: Expr, names: Names) -> str:
    """The class of which `bank.Account(user)` makes an object, by its alias; empty for anything else."""
    match expr:
        case Call(func=Attribute(value=Name(id=alias), name=name)) if alias in names.aliases:
            return f"{alias}.{name}" if name[:1].isupper() else ""
        case _:
            return ""
