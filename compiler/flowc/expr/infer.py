"""A tree and the types of its names in; the type of its value out, `any` where it is not known for sure.

The types serve findings, and a finding must be right. So what is said here holds for every value that the
types of the names allow: `int ** int` is `any`, for a negative exponent gives a float, and the attributes of
objects are `any`. Errors are not looked for: `1 + "a"` is `any`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from flowc.expr.names import target_names
from flowc.expr.type_refs import ANY, union
from flowrt.expr.tree import (
    Attribute,
    Binary,
    Call,
    Compare,
    Comprehension,
    Const,
    DictOf,
    Expr,
    FString,
    IfElse,
    Index,
    ListOf,
    Logic,
    Name,
    SetOf,
    Slice,
    TupleOf,
    Unary,
)
from flowrt.type_ref import TypeRef

NONE, BOOL, INT, FLOAT, STR = (TypeRef(name) for name in ("None", "bool", "int", "float", "str"))
BYTES, DATE, DATETIME, DURATION = (TypeRef(name) for name in ("bytes", "date", "datetime", "duration"))
LIST, DICT, SET, TUPLE = (TypeRef(name) for name in ("list", "dict", "set", "tuple"))

_CONSTANTS: tuple[tuple[type, TypeRef], ...] = (
    (bool, BOOL),
    (int, INT),
    (float, FLOAT),
    (str, STR),
    (bytes, BYTES),
    (datetime, DATETIME),
    (date, DATE),
    (timedelta, DURATION),
    (list, LIST),
    (tuple, TUPLE),
    (dict, DICT),
    (set, SET),
)
_WHOLE = (BOOL, INT)
_NUMBERS = (BOOL, INT, FLOAT)
_INSTANTS = (DATE, DATETIME)
_SCALARS = (*_NUMBERS, STR, BYTES, DATE, DATETIME, DURATION, NONE)

_OF_TIME = {
    ("+", DATE, DURATION): DATE,
    ("+", DURATION, DATE): DATE,
    ("-", DATE, DURATION): DATE,
    ("+", DATETIME, DURATION): DATETIME,
    ("+", DURATION, DATETIME): DATETIME,
    ("-", DATETIME, DURATION): DATETIME,
    ("-", DATE, DATE): DURATION,
    ("-", DATETIME, DATETIME): DURATION,
    ("+", DURATION, DURATION): DURATION,
    ("-", DURATION, DURATION): DURATION,
    ("%", DURATION, DURATION): DURATION,
    ("/", DURATION, DURATION): FLOAT,
    ("//", DURATION, DURATION): INT,
    **{("*", DURATION, number): DURATION for number in _NUMBERS},
    **{("*", number, DURATION): DURATION for number in _NUMBERS},
    **{("/", DURATION, number): DURATION for number in _NUMBERS},
    **{("//", DURATION, number): DURATION for number in _WHOLE},
}

_BUILTINS = {
    "len": INT,
    "int": INT,
    "float": FLOAT,
    "str": STR,
    "bool": BOOL,
    "any": BOOL,
    "all": BOOL,
    "duration": DURATION,
    "datetime": DATETIME,
    "to_json": STR,
    "secret": STR,
    "dict": DICT,
    "tuple": TUPLE,
    "enumerate": LIST,
    "zip": LIST,
}


def _methods(result: TypeRef, words: str) -> dict[str, TypeRef]:
    return dict.fromkeys(words.split(), result)


_TEXT_METHODS = {
    **_methods(
        STR,
        "capitalize casefold center expandtabs format join ljust lower lstrip removeprefix removesuffix"
        " replace rjust rstrip strip swapcase title upper zfill",
    ),
    **_methods(
        BOOL,
        "endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable"
        " isspace istitle isupper startswith",
    ),
    **_methods(INT, "count find index rfind rindex"),
    **_methods(TypeRef("list", (STR,)), "rsplit split splitlines"),
    **_methods(TypeRef("tuple", (STR, STR, STR)), "partition rpartition"),
}
_SET_METHODS = _methods(BOOL, "isdisjoint issubset issuperset")
_DATE_METHODS = {**_methods(STR, "ctime isoformat strftime"), **_methods(INT, "isoweekday toordinal weekday")}
_METHODS: Mapping[str, Mapping[str, TypeRef]] = {
    "str": _TEXT_METHODS,
    "list": _methods(INT, "count index"),
    "tuple": _methods(INT, "count index"),
    "dict": _methods(LIST, "items keys values"),
    "set": _SET_METHODS,
    "date": _DATE_METHODS,
    "datetime": {**_DATE_METHODS, "timestamp": FLOAT, "date": DATE, "astimezone": DATETIME},
    "duration": {"total_seconds": FLOAT},
}


def infer(expr: Expr, env: Mapping[str, TypeRef]) -> TypeRef:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    """The type of an expression.

    Args:
        expr: The tree; calls of tasks and flows are `any`.
        env: The types of the names; a name that is not in it is `any`.
    """
    match expr:
        case Const(value=value):
            return _of_value(value)
        case Name(id=name):
            return env.get(name, ANY)
        case FString():
            return STR
        case Unary(op=op, operand=operand):
            return _of_unary(op, infer(operand, env))
        case Binary(op=op, left=left, right=right):
            if op == "**":
                return _of_power(infer(left, env), right)
            return _of_binary(op, infer(left, env), infer(right, env))
        case Compare():
            return _of_comparison(expr, env)
        case Logic(parts=parts):
            return union(*(infer(part, env) for part in parts))
        case IfElse(then=then, orelse=orelse):
            return union(infer(then, env), infer(orelse, env))
        case ListOf(parts=parts):
            return _of_items(LIST, (infer(part, env) for part in parts))
        case SetOf(parts=parts):
            return _of_items(SET, (infer(part, env) for part in parts))
        case TupleOf(parts=parts):
            return TypeRef("tuple", tuple(infer(part, env) for part in parts))
        case DictOf(items=items):
            return _of_pairs([(infer(key, env), infer(value, env)) for key, value in items])
        case Comprehension():
            return _of_comprehension(expr, env)
        case Index(value=value, index=index):
            return _of_index(infer(value, env), index, env)
        case Call():
            return _of_call(expr, env)
        case Attribute() | Slice():
            return ANY


def element_of(items: TypeRef) -> TypeRef:
    """The type of what going through a value of a type gives."""
    match items:
        case TypeRef("list" | "set" | "dict", (first, *_)):
            return first
        case TypeRef("tuple", (first, TypeRef("..."))):
            return first
        case TypeRef("tuple", args) if args:
            return union(*args)
        case TypeRef("str"):
            return STR
        case _:
            return ANY


def _of_value(value: object) -> TypeRef:
    if value is None:
        return NONE
    return next((ref for cls, ref in _CONSTANTS if isinstance(value, cls)), ANY)


def _of_unary(op: str, operand: TypeRef) -> TypeRef:
    if op == "not":
        return BOOL
    if operand in _WHOLE:
        return INT
    return operand if operand in (FLOAT, DURATION) else ANY


def _of_power(base: TypeRef, exponent: Expr) -> TypeRef:
    if not isinstance(exponent, Const) or not isinstance(exponent.value, int) or exponent.value < 0:
        return ANY
    return INT if base in _WHOLE else FLOAT if base == FLOAT else ANY


def _of_binary(op: str, left: TypeRef, right: TypeRef) -> TypeRef:
    if (found := _OF_TIME.get((op, left, right))) is not None:
        return found
    if left in _NUMBERS and right in _NUMBERS:
        return FLOAT if op == "/" or FLOAT in (left, right) else INT
    if left == STR and (op == "%" or (op == "+" and right == STR)):
        return STR
    if op == "+" and left.name == right.name == "list":
        return _of_items(LIST, (element_of(left), element_of(right)))
    if op == "*":
        for sequence, times in ((left, right), (right, left)):
            if times in _WHOLE and (sequence in (STR, BYTES) or sequence.name == "list"):
                return sequence
    return left if op == "-" and left.name == right.name == "set" else ANY


def _of_comparison(expr: Compare, env: Mapping[str, TypeRef]) -> TypeRef:
    """A bool, but for `==` and `<` of values that may be arrays: these compare element by element."""
    operands = [infer(part, env) for part in (expr.first, *(right for _, right in expr.rest))]
    for number, (op, _) in enumerate(expr.rest):
        if op in ("in", "not in", "is", "is not"):
            continue
        if not all(operand in _SCALARS for operand in operands[number : number + 2]):
            return ANY
    return BOOL


def _of_items(kind: TypeRef, items: Iterable[TypeRef]) -> TypeRef:
    element = union(*items)
    return kind if element == ANY else TypeRef(kind.name, (element,))


def _of_pairs(pairs: list[tuple[TypeRef, TypeRef]]) -> TypeRef:
    value = union(*(value for _, value in pairs))
    if value == ANY or any(key != STR for key, _ in pairs):
        return DICT
    return TypeRef("dict", (STR, value))


def _of_comprehension(expr: Comprehension, env: Mapping[str, TypeRef]) -> TypeRef:
    inner = dict(env)
    for clause in expr.clauses:
        items = infer(clause.items, inner)
        if isinstance(clause.targets, str):
            inner[clause.targets] = element_of(items)
        else:
            inner.update(dict.fromkeys(target_names(clause.targets), ANY))
    element = infer(expr.element, inner)
    if expr.key is not None:
        return _of_pairs([(infer(expr.key, inner), element)])
    # A generator that is the value of an expression becomes a list.
    return _of_items(SET if expr.kind == "set" else LIST, (element,))


def _of_index(value: TypeRef, index: Expr, env: Mapping[str, TypeRef]) -> TypeRef:
    if isinstance(index, Slice):
        return value if value.name in ("str", "bytes", "list") else ANY
    match value:
        case TypeRef("dict", (_, item)):
            return item
        case TypeRef("list", (item,)) if infer(index, env) in _WHOLE:
            return item
        case TypeRef("str") if infer(index, env) in _WHOLE:
            return STR
        case _:
            return ANY


def _of_call(expr: Call, env: Mapping[str, TypeRef]) -> TypeRef:
    args = [infer(arg, env) for arg in expr.args]
    match expr.func:
        case Name(id=name):
            return _of_builtin(name, args)
        case Attribute(value=value, name=name):
            owner = infer(value, env)
            if owner.name == "dict" and name == "get" and len(args) == 1 and len(owner.args) > 1:
                return union(owner.args[1], NONE)
            if name == "copy" or (owner.name == "set" and name in ("union", "difference", "intersection")):
                return TypeRef(owner.name) if owner.name in ("list", "dict", "set") else ANY
            return _METHODS.get(owner.name, {}).get(name, ANY)
        case _:
            return ANY


def _of_first(args: list[TypeRef]) -> TypeRef:
    """The first that is not None; it is None only when all of them may be."""
    kinds = [part for arg in args for part in (arg.args if arg.name == "|" else (arg,)) if part != NONE]
    always = any(arg != NONE and NONE not in arg.args for arg in args)
    return union(*kinds) if always or ANY in kinds else union(*kinds, NONE)


def _of_builtin(name: str, args: list[TypeRef]) -> TypeRef:  # noqa: PLR0911 - one return a family
    first = args[0] if args else ANY
    if name in _BUILTINS:
        return _BUILTINS[name]
    if name in ("list", "sorted", "reversed", "set"):
        return _of_items(SET if name == "set" else LIST, (element_of(first),))
    if name == "first":
        return _of_first(args)
    if name in ("min", "max"):
        return element_of(first) if len(args) == 1 else union(*args)
    if name == "sum":
        return INT if element_of(first) in _WHOLE else ANY
    if name == "abs":
        return _of_unary("-", first)
    if name == "round" and first in _NUMBERS:
        return INT if len(args) == 1 or first != FLOAT else FLOAT
    return ANY
