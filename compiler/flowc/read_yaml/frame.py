"""The nouns of composing: a list or map that is being read, and what an anchor marks."""

from typing import Literal

from flowc.tree import Entry, Node, Scalar, Style
from flowrt.noun import noun

LastKind = Style | Literal["brackets", "alias", "nothing"]
"""What was read last: a scalar of some style, a list or map in brackets, an alias, or nothing yet."""


@noun
class Anchored:
    """A node with an anchor, and what each alias of it counts for against the limits."""

    node: Node
    nodes: int
    chars: int
    height: int


@noun(frozen=False)
class Frame:
    """A list or map whose end has not come yet.

    Attributes:
        is_list: Whether it is a list.
        flow: Whether it is written in brackets.
        start: Where it begins, in the text.
        column: The column in which it begins, from 0.
        anchor: Its anchor, if it has one.
        nodes: How many nodes had been read before it.
        chars: How many characters of scalars had been read before it.
        items: What a list has so far.
        entries: What a map has so far.
        key: The key whose value comes next; None too when the key was refused.
        at_value: Whether a map's key has come and its value has not.
        height: The levels of the highest of its children.
        suspect: Whether an expression in it looks cut.
    """

    is_list: bool
    flow: bool
    start: int
    column: int
    anchor: str | None
    nodes: int
    chars: int
    items: list[Node]
    entries: list[Entry]
    key: Scalar | None = None
    at_value: bool = False
    height: int = 0
    suspect: bool = False
