"""Which case of a `switch` is the one: its subject and the values of its cases in, a number out."""

from collections.abc import Callable, Iterable, Sequence

from flowrt.expr.evaluate import evaluate, truth
from flowrt.expr.tree import Compare, Expr, Name

NONE_FITS = -1

_EQUAL = Compare(Name("$subject"), (("==", Name("$value")),))


def choose(subject: Expr, cases: Iterable[Sequence[Expr]], value_of: Callable[[Expr], object]) -> int:
    """The number of the first case with a value that equals the subject, as `==` has it; -1 for none.

    Raises:
        Exception: What an expression raises. Values behind the first that is equal are not evaluated.
    """
    asked = value_of(subject)
    for index, values in enumerate(cases):
        for value in values:
            if truth(evaluate(_EQUAL, {"$subject": asked, "$value": value_of(value)})):
                return index
    return NONE_FITS
