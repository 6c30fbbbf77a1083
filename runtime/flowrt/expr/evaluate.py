"""A tree and the values of its names in; the value of the expression, as Python computes it, out.

What an expression computes is what CPython computes, and an error is of the type that CPython raises. It
goes further than CPython in four things, each for a run that must resume elsewhere and must not hang:
budgets (`flowrt.expr.budget`), the order of sets (`flowrt.expr.order`), values without a lasting text
(`flowrt.expr.text`), and no code of classes (`flowrt.expr.kinds`, `flowrt.expr.attributes`).
"""

from collections.abc import Callable, Mapping

from flowrt.expr.budget import Budget
from flowrt.expr.closures import Builder
from flowrt.expr.frame import Code, Frame
from flowrt.expr.kinds import truth
from flowrt.expr.settle import check_size, settle
from flowrt.expr.tree import Expr

__all__ = ["evaluate", "truth"]

_MAX_KEPT = 4096
_kept: dict[int, tuple[Expr, Code, bool, bool]] = {}


def evaluate(expr: Expr, env: Mapping[str, object], secret: Callable[[str], str] | None = None) -> object:
    """Evaluate an expression.

    Args:
        expr: The tree; calls of tasks and flows have been lifted out of it.
        env: The values of its names.
        secret: Gives the secret of a name; without it `secret("NAME")` is an error.

    Returns:
        The value. Iterators in it have become lists.

    Raises:
        ExpressionError: The expression asks for what the language does not do, or for too much of it.
        Exception: Whatever Python raises, such as `ZeroDivisionError`.
    """
    kept = _kept.get(id(expr))
    if kept is None or kept[0] is not expr:
        kept = _build(expr)
    _, code, lazy, multiplies = kept
    budget = Budget()
    value = code(Frame(env, budget, secret))
    if lazy:
        value = settle(value, budget)
    if multiplies:
        check_size(value)
    return value


def _build(expr: Expr) -> tuple[Expr, Code, bool, bool]:
    builder = Builder()
    made = (expr, builder.build(expr), builder.lazy, builder.multiplies)
    if len(_kept) >= _MAX_KEPT:
        _kept.clear()
    # The tree is kept with its closure, so that its id stays its own.
    _kept[id(expr)] = made
    return made
