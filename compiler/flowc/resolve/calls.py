"""A `call` step, or a step that is nothing but a call, comes in; a `Call` with its modifiers goes out."""

from flowc.diagnostic import Fix, Label
from flowc.ir import Call, Callee, FlowCallee, Ident, Modifiers, Step, TaskCallee, Value
from flowc.resolve.cache import read_cache
from flowc.resolve.callees import Lost, Pure, meaning_of, report_misspelt_actor, report_undefined, root_of
from flowc.resolve.durations import read_size
from flowc.resolve.foreign_options import OPTIONS_ELSEWHERE, OPTIONS_MEANT
from flowc.resolve.found import Found, excerpt, listing, shape
from flowc.resolve.keys import OPTIONS, SIZES
from flowc.resolve.lift import Arguments, Place, check_recorded, lift, lift_arguments, lift_key, modifiers_of
from flowc.resolve.names import read_name
from flowc.resolve.places import at, read_callee, read_data
from flowc.resolve.pure import is_builtin
from flowc.resolve.retry import read_block_retry, read_retry
from flowc.resolve.setting import Setting
from flowc.resolve.step_text import StepText
from flowc.span import Span
from flowc.suggest import closest
from flowc.tree import Mapping, Node, Scalar
from flowrt.expr.tree import Attribute, Const, DictOf, Expr, Name
from flowrt.expr.tree import Call as CallExpr
from flowrt.noun import replace


def resolve_call(step: StepText) -> Step | None:
    """A `call` step; None when there is nothing usable, which has been reported."""
    node = step.main.value
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        step.found.error(
            "F0116",
            f"`call` takes a callee, not {shape(node)}",
            excerpt(node),
            help="write `call: alias.name(…)`, or `call: alias.name` with the arguments under `with:`",
        )
        return None
    before = len(step.found.diagnostics)
    expr = read_callee(step.found, node)
    if len(step.found.diagnostics) > before:
        return None
    call = expr if isinstance(expr, CallExpr) else CallExpr(expr, (), (), expr.at)
    meaning = meaning_of(step.setting.names, call.func)
    match meaning:
        case Lost():
            return None
        case Pure():
            _report_pure(step, expr, call)
            return None
        case TaskCallee() | FlowCallee():
            return make_call(step, call, meaning)


def call_of(step: StepText, expr: Expr) -> Call | None:
    """The call that an expression consists of, as the step itself; None when it is anything else."""
    if not isinstance(expr, CallExpr):
        return None
    meaning = meaning_of(step.setting.names, expr.func)
    if isinstance(meaning, Lost | Pure):
        return None
    return make_call(step, expr, meaning)


def make_call(step: StepText, call: CallExpr, callee: Callee) -> Call:
    """The call as a step: its arguments, those under `with`, and its modifiers."""
    where = step.where("args")
    key = lift_key(call, where, step.path, callee)
    arguments = lift_arguments(call, where, step.path, callee)
    check_recorded(callee, arguments, step.setting)
    kwargs = arguments.kwargs + _with(step, arguments, callee)
    modifiers = _modifiers(step, callee)
    return Call(step.meta(), callee, arguments.args, kwargs, modifiers, key=key)


def _with(step: StepText, inline: Arguments, callee: Callee) -> tuple[tuple[Ident, Expr], ...]:
    node = step.node("with")
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        step.found.error(
            "F0103",
            f"`with` takes a map of named arguments, not {shape(node)}",
            excerpt(node),
            help="write `with: {name: value}`; arguments without a name go into the parentheses of `call`",
        )
        return ()
    written = {name.text: name for name, _ in inline.kwargs}
    kwargs: list[tuple[Ident, Expr]] = []
    for entry in node.entries:
        name = read_name(step.found, entry.key, "an argument")
        if name is None:
            continue
        if name.text in written:
            step.found.error(
                "F0124",
                f"the argument `{name.text}` is given twice",
                name.span,
                labels=(Label(written[name.text].span, "it is given here as well"),),
                help="leave one of the two out",
            )
            continue
        place = Place(f"{step.path}/with.{name.text}", first_is_bare=True)
        where = replace(step.where("with"), place=place, of_task=isinstance(callee, TaskCallee))
        kwargs.append((name, lift(read_data(step.found, entry.value), where)))
    return tuple(kwargs)


def _modifiers(step: StepText, callee: Callee) -> Modifiers:
    written = [key for key in ("options", "retry", "timeout", "heartbeat", "cache") if key in step.fields]
    if isinstance(callee, FlowCallee) or callee.path.startswith("flowc:"):
        flow = isinstance(callee, FlowCallee)
        for key in written:
            if flow and key in ("retry", "timeout"):
                continue
            step.found.error(
                "F0108",
                f"`{key}` has no meaning for a call of a flow"
                if isinstance(callee, FlowCallee)
                else f"`{key}` has no meaning for a value that is taken at once",
                step.fields[key].key.span,
                help=f"set `{key}` at the calls inside that flow"
                if isinstance(callee, FlowCallee)
                else "leave it out",
            )
        if flow:
            return Modifiers(
                retry=read_block_retry(step, "a call of a flow"), timeout=step.duration("timeout")
            )
        return modifiers_of(callee, step.setting)
    options, retry = step.node("options"), step.node("retry")
    if callee.method and "cache" in step.fields:
        step.found.error(
            "F0108",
            "`cache` has no meaning for a method of an actor",
            step.fields["cache"].key.span,
            hint="what it gives depends on the state, and a call that is not made changes none",
            help="leave it out",
        )
        step = replace(step, fields={key: entry for key, entry in step.fields.items() if key != "cache"})
    return merge_modifiers(
        Modifiers(
            None if options is None else lift(read_options(step.found, options), step.where("options")),
            None if retry is None else read_retry(retry, step.where("retry")),
            step.duration("timeout"),
            step.duration("heartbeat"),
            read_cache(step),
        ),
        step.setting,
    )


def merge_modifiers(own: Modifiers, setting: Setting) -> Modifiers:
    """The modifiers of a call, with the flow's defaults where it says nothing; options key by key."""
    defaults = setting.defaults
    options = own.options
    if isinstance(defaults.options, DictOf) and isinstance(options, DictOf):
        said = {key.value for key, _ in options.items if isinstance(key, Const)}
        kept = [(k, v) for k, v in defaults.options.items if isinstance(k, Const) and k.value not in said]
        options = DictOf((*kept, *options.items), options.at)
    return Modifiers(
        options or defaults.options,
        own.retry or defaults.retry,
        own.timeout or defaults.timeout,
        own.heartbeat or defaults.heartbeat,
        own.cache,
    )


def read_options(found: Found, node: Node) -> Expr:
    """Ray's options, by their own names; sizes are numbers of bytes."""
    if not isinstance(node, Mapping):
        found.error(
            "F0103",
            f"`options` takes a map, not {shape(node)}",
            excerpt(node),
            help="write `options: {num_cpus: 2, memory: 4GiB}`",
        )
        return DictOf((), at(node.span))
    items: list[tuple[Expr, Expr]] = []
    for entry in node.entries:
        key = entry.key.text
        if key not in OPTIONS:
            _report_option(found, entry.key)
            continue
        value = read_size(found, entry.value, key) if key in SIZES else read_data(found, entry.value)
        items.append((Const(key, at(entry.key.span)), value))
    return DictOf(tuple(items), at(node.span))


def _report_option(found: Found, key: Scalar) -> None:
    instead = OPTIONS_ELSEWHERE.get(key.text, ("", ""))[found.source.is_dsl]
    word = key.text.lower().replace("-", "_")
    meant = None if instead else OPTIONS_MEANT.get(word) or closest(word, sorted(OPTIONS))
    found.error(
        "F0125",
        f"`{key.text}` is not an option of a call",
        key.span,
        hint=f"did you mean `{meant}`?" if meant else "",
        help=instead or f"the options are Ray's: {listing(sorted(OPTIONS))}",
        fixes=(Fix(key.span, meant, f"write `{meant}`"),) if meant else (),
    )


def _report_pure(step: StepText, expr: Expr, call: CallExpr) -> None:
    found = step.found
    func = call.func
    computed = not isinstance(expr, CallExpr | Name | Attribute)
    method = isinstance(func, Attribute) and root_of(func) is None
    if report_misspelt_actor(found, step.setting.names, func):
        return
    if computed or method or (isinstance(func, Name) and is_builtin(func.id)):
        key = step.main.key.span
        found.error(
            "F0116",
            "`call` takes one call of a task or a flow, and this is an expression",
            Span(*expr.at),
            help=found.source.either(
                "write `value:` instead of `call:`; calls of tasks may stand inside it",
                "what follows belongs to one call: write `x = …` with the call and that, and here `x`",
            ),
            fixes=() if found.source.is_dsl else (Fix(key, "value", "write `value:`", safe=True),),
        )
    else:
        report_undefined(found, step.setting.names, func)


def resolve_value(step: StepText, expr: Expr) -> Step:
    """A step for an expression: a `Call` when it is nothing but a call, else a `Value`."""
    call = call_of(step, expr)
    if call is not None:
        return call
    pure = lift(expr, step.where(step.kind))
    return Value(step.meta(), pure)
