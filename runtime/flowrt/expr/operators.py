"""An operator and its operands in; the value that Python computes out, paid for before it is computed."""

import operator
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias, TypeGuard, cast

from flowrt.expr.budget import MAX_BITS, SHORT, Budget
from flowrt.expr.kinds import (
    LIGHT,
    is_dict,
    is_lazy,
    is_parts,
    is_set,
    is_sized,
    is_text,
    is_view,
    library_of,
    may_compute,
    refuse,
)
from flowrt.expr.order import iterate
from flowrt.expr.text import percent
from flowrt.expr.tree import BinaryOp, CompareOp, UnaryOp

Binary: TypeAlias = Callable[[object, object, Budget], object]

_Operation: TypeAlias = Callable[[Any, Any], object]

_NUMBERS = frozenset({int, float, bool})
_MODULUS = (1 << 61) - 1
"""Shorter ints have hashes of their own."""


def _add(left: object, right: object, budget: Budget) -> object:
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return made(cast("Any", left) + right, budget)
    if _is_sequence(left) and _is_sequence(right):
        _pay_sequence(left, len(left) + len(right), budget)
    return _apply(operator.add, "+", left, right, budget)


def _sub(left: object, right: object, budget: Budget) -> object:
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return made(cast("Any", left) - right, budget)
    if is_set(left) or is_view(left):
        budget.elements(len(left))
        budget.hashed(len(left))
    return _apply(operator.sub, "-", left, right, budget)


def _mul(left: object, right: object, budget: Budget) -> object:
    if isinstance(left, int) and isinstance(right, int):
        if not (-SHORT < left < SHORT and -SHORT < right < SHORT):
            budget.bits(left.bit_length() + right.bit_length())
            budget.product(left.bit_length(), right.bit_length())
    elif _is_sequence(left):
        _pay_repeat(left, right, budget)
    elif _is_sequence(right):
        _pay_repeat(right, left, budget)
    return _apply(operator.mul, "*", left, right, budget)


def _mod(left: object, right: object, budget: Budget) -> object:
    if isinstance(left, str):
        return percent(left, right, budget)
    if isinstance(left, bytes):
        raise TypeError("`%` of bytes is not in the language; format a text, or use a task")
    _pay_division(left, right, budget)
    return _apply(operator.mod, "%", left, right, budget)


def _floordiv(left: object, right: object, budget: Budget) -> object:
    _pay_division(left, right, budget)
    return _apply(lambda a, b: a // b, "//", left, right, budget)


def _truediv(left: object, right: object, budget: Budget) -> object:
    _pay_division(left, right, budget)
    return _apply(lambda a, b: a / b, "/", left, right, budget)


def _pow(left: object, right: object, budget: Budget) -> object:
    if isinstance(right, int) and right > 1:
        base = _bits(left)
        if base > 0:
            result = base * right + 1
            budget.bits(result)
            budget.product(result // 2, result // 2)  # The last squaring costs the most.
    return _apply(lambda a, b: a**b, "**", left, right, budget)


def divide(left: object, right: object, budget: Budget) -> object:
    """`divmod(left, right)`."""
    _pay_division(left, right, budget)
    return _apply(divmod, "divmod", left, right, budget)


BINARY: dict[BinaryOp, Binary] = {
    "+": _add,
    "-": _sub,
    "*": _mul,
    "/": _truediv,
    "//": _floordiv,
    "%": _mod,
    "**": _pow,
}


def unary(op: UnaryOp, operand: object, budget: Budget) -> object:
    """`+x` or `-x`; `not x` asks `flowrt.expr.kinds.is_true`."""
    if not may_compute(operand):
        raise refuse(operand, f"`{op}` of")
    function = operator.pos if op == "+" else operator.neg
    return made(function(cast("Any", operand)), budget)


def _is_long(value: object) -> bool:
    return isinstance(value, int) and not -SHORT < value < SHORT


def made(value: object, budget: Budget) -> object:
    """A value that has just been made. A long int is paid for, having been made of ones as long."""
    if type(value) is int:
        budget.integer(value)
    return value


def _compared(function: _Operation) -> Binary:
    def compare(left: object, right: object, budget: Budget) -> object:
        if type(left) not in LIGHT and type(right) not in LIGHT:
            _pay_comparison(left, right, budget)
        elif isinstance(left, int) and isinstance(right, int):
            budget.integer(left)
        return function(left, right)

    return compare


def contains(item: object, within: object, budget: Budget) -> bool:
    """`item in within`."""
    if is_text(within):
        budget.scan(len(within))
    elif is_set(within) or is_dict(within):
        pay_hash(item, budget)
    elif isinstance(within, range):
        if type(item) not in (int, bool):
            budget.spend(_range_length(within))
    elif is_lazy(within):
        return _found(item, within, budget)
    elif type(item) in LIGHT and is_sized(within) and not _is_long(item):
        budget.spend(len(within) // 10)
    else:
        budget.walk(within)
    if hasattr(type(within), "__contains__") or hasattr(type(within), "__iter__"):
        if not may_compute(within):
            raise refuse(within, "looking into")
        return item in cast("Any", within)
    raise TypeError(f"argument of type {type(within).__name__!r} is not iterable")


def _not_contains(item: object, within: object, budget: Budget) -> bool:
    return not contains(item, within, budget)


def _found(item: object, within: object, budget: Budget) -> bool:
    for other in iterate(within, budget):
        budget.spend(1)
        if other is item or other == item:
            return True
    return False


COMPARE: dict[CompareOp, Binary] = {
    "==": _compared(operator.eq),
    "!=": _compared(operator.ne),
    "<": _compared(operator.lt),
    "<=": _compared(operator.le),
    ">": _compared(operator.gt),
    ">=": _compared(operator.ge),
    "in": contains,
    "not in": _not_contains,
    "is": lambda left, right, _: left is right,
    "is not": lambda left, right, _: left is not right,
}


def pay_hash(value: object, budget: Budget) -> None:
    """Pay for hashing a value: a tuple is gone through each time."""
    if is_parts(value) or is_set(value):
        budget.walk(value)
        if not isinstance(value, (list, set)):  # Those have no hash, which Python says.
            budget.collision(value)
    elif is_text(value):
        budget.scan(len(value))
    elif isinstance(value, int) and not -_MODULUS < value < _MODULUS:
        budget.integer(value)
        budget.collision(value)


def _apply(function: _Operation, name: str, left: object, right: object, budget: Budget) -> object:
    for operand in (left, right):
        if not may_compute(operand):
            raise refuse(operand, f"`{name}` with")
    if hasattr(type(left), "shape") or hasattr(type(right), "shape"):
        _pay_arrays(left, right, budget)
    return made(function(left, right), budget)


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return is_text(value) or is_parts(value)


def _pay_sequence(kind: object, length: int, budget: Budget) -> None:
    if is_text(kind):
        budget.characters(length)
    else:
        budget.elements(length)


def _pay_repeat(sequence: object, times: object, budget: Budget) -> None:
    if is_sized(sequence) and hasattr(type(times), "__index__") and may_compute(times):
        _pay_sequence(sequence, len(sequence) * max(operator.index(cast("Any", times)), 0), budget)


def _pay_division(left: object, right: object, budget: Budget) -> None:
    if isinstance(left, int) and isinstance(right, int) and not -SHORT < left < SHORT:
        budget.product(left.bit_length(), right.bit_length())
        budget.integer(left)


def _pay_comparison(left: object, right: object, budget: Budget) -> None:
    if is_text(left) and is_text(right):
        budget.scan(min(len(left), len(right)))
    elif is_view(left) or is_set(left):
        budget.walk(left)
        budget.hashed(len(left))
    elif not is_text(left) and not is_text(right):
        budget.walk(left)


def _pay_arrays(left: object, right: object, budget: Budget) -> None:
    """Pay for an operation on arrays: the longest side counts in each dimension, as numpy spreads them."""
    count = 1
    shapes = [tuple(getattr(side, "shape", ())) for side in (left, right)]
    for sides in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        count *= max(int(side) for side in sides)
    budget.characters(count)


def _bits(value: object) -> int:
    """How long the ints in a number are; 0 when they do not grow in a power."""
    if isinstance(value, int):
        return (abs(value) - 1).bit_length() if value else 0
    if library_of(value) == "fractions":
        fraction = cast("Any", value)
        return int(max(fraction.numerator.bit_length(), fraction.denominator.bit_length()))
    return 0


def _range_length(value: range) -> int:
    try:
        return len(value)
    except OverflowError:
        return MAX_BITS * MAX_BITS
