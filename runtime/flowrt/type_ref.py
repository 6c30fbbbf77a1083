"""The types of the language, and the inputs of flows that have them. In: nothing; out: nouns."""

from flowrt.expr.tree import Expr
from flowrt.noun import noun


@noun
class TypeRef:
    """A type of the language.

    `name` is one of `None bool int float str bytes date datetime duration any list dict set tuple |`
    or the import path of a class, `package.module:Class`.
    """

    name: str
    args: tuple["TypeRef", ...] = ()


@noun
class Input:
    """An input of a flow. `default` is a constant expression; None means that it is required."""

    name: str
    type: TypeRef
    default: Expr | None = None
    doc: str = ""
    minimum: Expr | None = None
    maximum: Expr | None = None
    choices: Expr | None = None
