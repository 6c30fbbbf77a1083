"""The tree of an expression: what the compiler writes and the runtime evaluates.

The nodes mirror Python's own expression syntax, less what the language leaves out. The compiler builds
them from text (`flowc.expr.parse`); the runtime evaluates them (`flowrt.expr.evaluate`) and keeps them
inside programs. Positions (`at`) are offsets of characters in the author's file; they take no part in
equality and are not stored.

A call is pure here: `Call.func` is the `Name` of a builtin, or an `Attribute` that names a method of
the table for str, list, dict, date and datetime. Calls of tasks and flows have become steps of their
own before a tree reaches the runtime.
"""

from typing import Literal, TypeAlias

from flowrt.noun import field, noun

At: TypeAlias = tuple[int, int]
"""Start and end offset in the author's file, in characters; the end is exclusive."""

NOWHERE: At = (0, 0)

UnaryOp = Literal["+", "-", "not"]
BinaryOp = Literal["+", "-", "*", "/", "//", "%", "**"]
CompareOp = Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"]
Conversion = Literal["", "s", "r", "a"]
ComprehensionKind = Literal["list", "set", "dict", "generator"]


@noun
class Const:
    """A value written in the text, or bound into a hand-written graph."""

    value: object
    at: At = field(default=NOWHERE, compare=False)


@noun
class Name:
    """A name of the environment."""

    id: str
    at: At = field(default=NOWHERE, compare=False)


@noun
class Attribute:
    """`value.name`: a data attribute, or the method that a `Call` calls."""

    value: "Expr"
    name: str
    at: At = field(default=NOWHERE, compare=False)


@noun
class Slice:
    """`lower:upper:step` inside an `Index`."""

    lower: "Expr | None"
    upper: "Expr | None"
    step: "Expr | None"
    at: At = field(default=NOWHERE, compare=False)


@noun
class Index:
    """`value[index]`."""

    value: "Expr"
    index: "Expr"
    at: At = field(default=NOWHERE, compare=False)


@noun
class Unary:
    """`+x`, `-x`, `not x`."""

    op: UnaryOp
    operand: "Expr"
    at: At = field(default=NOWHERE, compare=False)


@noun
class Binary:
    """An arithmetic operator between two operands."""

    op: BinaryOp
    left: "Expr"
    right: "Expr"
    at: At = field(default=NOWHERE, compare=False)


@noun
class Compare:
    """A chain of comparisons: `first op0 rest0 op1 rest1 …`."""

    first: "Expr"
    rest: tuple[tuple[CompareOp, "Expr"], ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class Logic:
    """`a and b and …` or `a or b or …`, evaluated from the left, as far as needed."""

    op: Literal["and", "or"]
    parts: tuple["Expr", ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class IfElse:
    """`then if test else orelse`."""

    test: "Expr"
    then: "Expr"
    orelse: "Expr"
    at: At = field(default=NOWHERE, compare=False)


@noun
class ListOf:
    """`[a, b]`."""

    parts: tuple["Expr", ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class TupleOf:
    """`(a, b)`."""

    parts: tuple["Expr", ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class SetOf:
    """`{a, b}`."""

    parts: tuple["Expr", ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class DictOf:
    """`{k: v}`; a key of None is `**v`, which the language does not have, so keys are always there."""

    items: tuple[tuple["Expr", "Expr"], ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class Field:
    """One `{value!conversion:format}` of an f-string."""

    value: "Expr"
    conversion: Conversion
    format: "FString | None"
    at: At = field(default=NOWHERE, compare=False)


@noun
class FString:
    """An f-string, or a text with `${{ }}` in it: texts and fields in order."""

    parts: tuple["str | Field", ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class Clause:
    """One `for target in items if …` of a comprehension; several targets unpack."""

    targets: "Target"
    items: "Expr"
    conditions: tuple["Expr", ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class Comprehension:
    """A list, set, dict or generator comprehension; `key` is there for a dict only."""

    kind: ComprehensionKind
    key: "Expr | None"
    element: "Expr"
    clauses: tuple[Clause, ...]
    at: At = field(default=NOWHERE, compare=False)


@noun
class Keyword:
    """One `name=value` of a call; `at` is the place of the name."""

    name: str
    value: "Expr"
    at: At = field(default=NOWHERE, compare=False)


@noun
class Call:
    """A call; see the head of this file for what `func` may be at run time."""

    func: "Expr"
    args: tuple["Expr", ...]
    kwargs: tuple[Keyword, ...]
    at: At = field(default=NOWHERE, compare=False)


Target: TypeAlias = "str | tuple[Target, ...]"
"""A name that a clause assigns, or a tuple of targets."""

Expr: TypeAlias = (
    Const
    | Name
    | Attribute
    | Index
    | Slice
    | Unary
    | Binary
    | Compare
    | Logic
    | IfElse
    | ListOf
    | TupleOf
    | SetOf
    | DictOf
    | FString
    | Comprehension
    | Call
)
