"""Keys that are written out: an expression comes in; what can never be a key is reported.

Only what stands there is looked at. What a name comes to is seen when the step runs.
"""

from flowc.resolve.found import Found
from flowc.span import Span
from flowrt.expr.tree import Comprehension, Const, DictOf, Expr, ListOf, SetOf, TupleOf


def checked_key(found: Found, key: Expr | None, whose: str) -> Expr | None:
    """The key of an actor, a lock or an event; reports one that is no text, whole number or truth value."""
    match key:
        case Const(value=str() | int()):
            return key
        case Const() | TupleOf() | ListOf() | SetOf() | DictOf() | Comprehension():
            parts = key.parts if isinstance(key, TupleOf | ListOf) else ()
            texts = [found.text(Span(*part.at)) for part in parts]
            span = Span(*key.at)
            if isinstance(key, TupleOf) and parts:
                span = Span(parts[0].at[0], parts[-1].at[1])  # Its brackets may be those of the call.
            simple = len(texts) > 1 and not any(set(text) & set("\"'{}\\") for text in texts)
            joined = "/".join(f"{{{text}}}" for text in texts)
            found.error(
                "F0103",
                f"the key of {whose} is a text or a whole number, not `{found.text(span)}`",
                span,
                help=f'make one text of several: `f"{joined}"`' if simple else "",
            )
        case _:
            pass
    return key
