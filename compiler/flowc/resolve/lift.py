"""An expression with calls of tasks and flows comes in; a pure one and the calls taken out of it go out.

Each call becomes a `Call` of its own in the prelude of the step, in the order in which Python would
evaluate them, and the expression reads its value by a name that no author can write (`$0`, `$1`, …). The
identity of a lifted call is that of what contains it and its place there:

    order/args.0            the call in the positional argument 0 of the step or call `order`
    order/args.0.1          a second call in the same argument
    order/args.0/with.unit  the call in the argument `unit` of the call `order/args.0`
    step#2/if.0             the first call in the condition of step 2

so that it does not change when other parts of the flow do. Lifting runs a call whether or not the
expression would have come to it. Where that differs from Python (a branch of `x if c else y`, what follows
`and`, `or` or the second operand of a chain of comparisons, the inside of a comprehension) a call is an
error that asks for a step of its own. The items of the first `for` of a comprehension are evaluated in
any case, so a call is allowed there.
"""

from collections.abc import Iterable

from flowc.expr.names import target_names
from flowc.ir import Call, Callee, FlowCallee, Ident, Meta, Modifiers, TaskCallee
from flowc.resolve.callees import NO_NAMES, Lost, Pure, meaning_of
from flowc.resolve.literal_keys import checked_key
from flowc.resolve.pure import check_pure
from flowc.resolve.setting import Setting, stand_in
from flowc.span import Span
from flowrt.expr.tree import (
    Attribute,
    Binary,
    Clause,
    Compare,
    CompareOp,
    Comprehension,
    Const,
    DictOf,
    Expr,
    Field,
    FString,
    IfElse,
    Index,
    Keyword,
    ListOf,
    Logic,
    Name,
    SetOf,
    Slice,
    TupleOf,
    Unary,
)
from flowrt.expr.tree import Call as CallExpr
from flowrt.noun import field, noun, replace


@noun(frozen=False)
class Place:
    """Hands out the identities of the calls at one place."""

    prefix: str
    first_is_bare: bool = False
    count: int = 0

    def next_path(self) -> str:
        """The identity of the next call here."""
        number = self.count
        self.count += 1
        return self.prefix if self.first_is_bare and number == 0 else f"{self.prefix}.{number}"


@noun
class Barrier:
    """Why no call may stand at a place, and what to do instead: both are parts of a message.

    `in_dsl` is what to do instead in the words of the DSL, where these are others.
    """

    why: str
    way_out: str
    in_dsl: str = ""


@noun
class Where:
    """Where an expression stands, and so what may be in it.

    Attributes:
        setting: the flow.
        place: the identities of the calls here.
        prelude: where lifted calls go; None where no call may stand, and `barrier` says why.
        barrier: what the message about a call that cannot be lifted says.
        bound: the variables of the comprehensions around it.
        of_task: whether the expression is (part of) an argument of a task, where secrets are allowed.
    """

    setting: Setting
    place: Place
    prelude: list[Call] | None
    barrier: Barrier | None = None
    bound: frozenset[str] = field(default=NO_NAMES)
    of_task: bool = False


@noun
class Arguments:
    """The arguments of a call, without calls in them."""

    args: tuple[Expr, ...]
    kwargs: tuple[tuple[Ident, Expr], ...]


def lift(expr: Expr, where: Where) -> Expr:
    """The expression without calls of tasks and flows; those are in the prelude."""
    match expr:
        case Const() | Name():
            return expr
        case Attribute() | Index() | Slice() | Unary() | Binary():
            return _operation(expr, where)
        case ListOf() | TupleOf() | SetOf() | DictOf() | FString():
            return _display(expr, where)
        case Compare() | Logic() | IfElse():
            return _choice(expr, where)
        case Comprehension():
            return _comprehension(expr, where)
        case CallExpr():
            return _call(expr, where)


def lift_arguments(expr: CallExpr, where: Where, path: str, callee: Callee) -> Arguments:
    """The arguments of the call `path`; their own calls have the identities `path/args.0`, …."""
    of_task = isinstance(callee, TaskCallee)

    def inside(place: str) -> Where:
        return replace(where, place=Place(f"{path}/{place}", first_is_bare=True), of_task=of_task)

    args = tuple(lift(arg, inside(f"args.{index}")) for index, arg in enumerate(expr.args))
    kwargs = tuple((Ident(k.name, Span(*k.at)), lift(k.value, inside(f"with.{k.name}"))) for k in expr.kwargs)
    return Arguments(args, kwargs)


def lift_key(expr: CallExpr, where: Where, path: str, callee: Callee) -> Expr | None:
    """The key of the actor whose method is called, without calls in it; those have the identity `path/key`.

    None when it is no method of an actor that is called.
    """
    if not isinstance(callee, TaskCallee) or not callee.method:
        return None
    assert isinstance(expr.func, Attribute), "a method is an attribute"
    assert isinstance(expr.func.value, CallExpr), "of an actor with its key"
    actor = expr.func.value
    if len(actor.args) != 1 or actor.kwargs:
        name = where.setting.found.text(Span(*actor.func.at))
        given = (
            "none" if not (actor.args or actor.kwargs) else f"`{where.setting.found.text(Span(*actor.at))}`"
        )
        where.setting.found.error(
            "F0116",
            f"the actor `{name}` takes one key, and this is {given}",
            Span(*actor.at),
            help=f'write `{name}(key).{callee.method}(…)`; a single object may have any text: `{name}("all")`'
            if not actor.args
            else f'make one text of several: `{name}(f"{{a}}/{{b}}").{callee.method}(…)`',
        )
        return stand_in(actor.at)
    inside = replace(where, place=Place(f"{path}/key", first_is_bare=True), of_task=False)
    return checked_key(where.setting.found, lift(actor.args[0], inside), "an actor")


def check_recorded(callee: Callee, arguments: Arguments, setting: Setting) -> None:
    """Reports arguments of `now()` and the others, which take none."""
    if isinstance(callee, TaskCallee) and callee.path.startswith("flowc:"):
        name = callee.path.removeprefix("flowc:")
        if arguments.args or arguments.kwargs:
            setting.found.error(
                "F0116",
                f"`{name}()` takes no arguments",
                callee.span,
                help=f"write `{name}()`; arithmetic on its value is done beside it",
            )


def _call(expr: CallExpr, where: Where) -> Expr:
    setting = where.setting
    meaning = meaning_of(setting.names, expr.func, where.bound)
    match meaning:
        case Lost():
            return stand_in(expr.at)
        case Pure():
            return _pure(expr, where)
        case TaskCallee() | FlowCallee():
            if where.prelude is None:
                _report_unliftable(expr, meaning, where)
                return stand_in(expr.at)
            path = where.place.next_path()
            key = lift_key(expr, where, path, meaning)
            arguments = lift_arguments(expr, where, path, meaning)
            check_recorded(meaning, arguments, setting)
            name = setting.next_name()
            meta = Meta(Span(*expr.at), path, Ident(name, Span(*expr.at)))
            modifiers = modifiers_of(meaning, setting)
            where.prelude.append(Call(meta, meaning, arguments.args, arguments.kwargs, modifiers, key=key))
            return Name(name, expr.at)


def modifiers_of(callee: Callee, setting: Setting) -> Modifiers:
    """The defaults of the flow for a call that says nothing itself: they are for tasks."""
    if isinstance(callee, TaskCallee) and not callee.path.startswith("flowc:"):
        return setting.defaults
    return Modifiers()


def _pure(expr: CallExpr, where: Where) -> Expr:
    if not check_pure(expr, where.setting, where.bound, of_task=where.of_task):
        return stand_in(expr.at)
    func = expr.func
    if isinstance(func, Attribute):
        func = replace(func, value=lift(func.value, where))
    args = tuple(lift(arg, where) for arg in expr.args)
    kwargs = tuple(Keyword(k.name, lift(k.value, where), k.at) for k in expr.kwargs)
    return CallExpr(func, args, kwargs, expr.at)


def _report_unliftable(expr: CallExpr, callee: Callee, where: Where) -> None:
    assert where.barrier is not None
    name = callee.name if isinstance(callee, FlowCallee) else callee.path.rpartition(":")[2]
    if isinstance(callee, TaskCallee) and callee.method:
        name = where.setting.found.text(callee.span)
    where.setting.found.error(
        "F0112",
        f"`{name}` cannot be called here: {where.barrier.why}",
        Span(*expr.at),
        help=where.setting.found.source.either(
            where.barrier.way_out, where.barrier.in_dsl or where.barrier.way_out
        ),
    )


def _maybe(where: Where, barrier: Barrier, bound: Iterable[str] = ()) -> Where:
    outer = where.barrier or barrier
    return replace(where, prelude=None, barrier=outer, bound=where.bound | frozenset(bound))


_BRANCH = Barrier(
    "only one side of `… if … else …` is computed",
    "give it a step: an `if` step with the call under `then:` or `else:`",
    "give it a step: `if …:` with the call below it, or below `else:`",
)
_CHAIN = Barrier(
    "a chain of comparisons may end before it is needed",
    "give it a step of its own before this one, with an `id`, and compare that name here",
    "give it a step of its own before this one, `x = …`, and compare `x` here",
)
_COMPREHENSION = Barrier(
    "a comprehension computes it any number of times",
    "give it a step: `for: x in items` with the call under `do:` gives the list of its values",
    "give it a step: `xs = for x in items:` with the call below it gives the list of its values",
)


def _right_side(op: str) -> Barrier:
    return Barrier(
        f"the right side of `{op}` is not always computed",
        "give it a step: one of its own before this one, or an `if` step if it may only run in one case",
    )


def _operation(expr: Attribute | Index | Slice | Unary | Binary, where: Where) -> Expr:
    match expr:
        case Attribute():
            return replace(expr, value=lift(expr.value, where))
        case Index():
            return replace(expr, value=lift(expr.value, where), index=lift(expr.index, where))
        case Slice():
            parts = (expr.lower, expr.upper, expr.step)
            lower, upper, step = (None if part is None else lift(part, where) for part in parts)
            return Slice(lower, upper, step, expr.at)
        case Unary():
            return replace(expr, operand=lift(expr.operand, where))
        case Binary():
            return replace(expr, left=lift(expr.left, where), right=lift(expr.right, where))


def _display(expr: ListOf | TupleOf | SetOf | DictOf | FString, where: Where) -> Expr:
    if isinstance(expr, FString):
        return _fstring(expr, where)
    if isinstance(expr, DictOf):
        return DictOf(tuple((lift(k, where), lift(v, where)) for k, v in expr.items), expr.at)
    return replace(expr, parts=tuple(lift(part, where) for part in expr.parts))


def _fstring(expr: FString, where: Where) -> FString:
    return FString(
        tuple(part if isinstance(part, str) else _field(part, where) for part in expr.parts), expr.at
    )


def _field(part: Field, where: Where) -> Field:
    value = lift(part.value, where)
    return Field(value, part.conversion, part.format and _fstring(part.format, where), part.at)


def _choice(expr: Compare | Logic | IfElse, where: Where) -> Expr:
    match expr:
        case Compare():
            first = lift(expr.first, where)
            later = _maybe(where, _CHAIN)
            rest: list[tuple[CompareOp, Expr]] = []
            for op, part in expr.rest:
                rest.append((op, lift(part, later if rest else where)))
            return Compare(first, tuple(rest), expr.at)
        case Logic():
            later = _maybe(where, _right_side(expr.op))
            parts = tuple(lift(part, where if index == 0 else later) for index, part in enumerate(expr.parts))
            return Logic(expr.op, parts, expr.at)
        case IfElse():
            branch = _maybe(where, _BRANCH)
            test = lift(expr.test, where)
            return IfElse(test, lift(expr.then, branch), lift(expr.orelse, branch), expr.at)


def _comprehension(expr: Comprehension, where: Where) -> Expr:
    names = [name for clause in expr.clauses for name in target_names(clause.targets)]
    inside = _maybe(where, _COMPREHENSION, names)
    clauses: list[Clause] = []
    for index, clause in enumerate(expr.clauses):
        items = lift(clause.items, where if index == 0 else inside)
        conditions = tuple(lift(condition, inside) for condition in clause.conditions)
        clauses.append(Clause(clause.targets, items, conditions, clause.at))
    key = None if expr.key is None else lift(expr.key, inside)
    return Comprehension(expr.kind, key, lift(expr.element, inside), tuple(clauses), expr.at)
