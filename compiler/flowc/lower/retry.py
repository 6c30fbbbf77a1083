"""Lower a retry policy: the IR's comes in, the program's goes out."""

from flowc.ir import Retry as RetrySaid
from flowrt.expr.tree import Expr
from flowrt.program import Retry


def lower_retry(said: RetrySaid) -> Retry:
    """The policy with its classes by import path."""
    return Retry(
        max=said.max,
        delay=said.delay,
        factor=said.factor,
        cap=said.cap,
        jitter=said.jitter,
        catch=tuple(each.path for each in said.catch),
        unless=tuple(each.path for each in said.unless),
        within=said.within,
    )


def read_by(retry: Retry | None) -> tuple[Expr | None, ...]:
    """The expressions of a policy."""
    return () if retry is None else (retry.max, retry.delay, retry.factor, retry.cap, retry.within)
