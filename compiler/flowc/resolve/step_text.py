"""One step as it is written: its kind, its entries by key, and the ways to read what stands under a key."""

from collections.abc import Callable, Mapping

from flowc.diagnostic import Fix
from flowc.ir import Block, Call, Ident, Meta
from flowc.resolve.durations import read_duration
from flowc.resolve.found import Found, excerpt, listing, shape
from flowc.resolve.lift import Barrier, Place, Where, lift
from flowc.resolve.places import read_data, read_expression
from flowc.resolve.setting import Setting
from flowc.span import Span
from flowc.suggest import closest
from flowc.tree import Entry, Node, Scalar
from flowrt.expr.tree import Expr
from flowrt.noun import field, noun, replace

BlockReader = Callable[[Setting, Entry], Block]


@noun
class StepText:
    """A step whose keys are in order. `read_block` reads the steps that stand under one of them.

    With a `barrier` no call of a task may stand in its expressions, and that says why.
    """

    setting: Setting
    kind: str
    fields: Mapping[str, Entry]
    span: Span
    path: str
    id: Ident | None
    after: tuple[Ident, ...]
    read_block: BlockReader
    prelude: list[Call] = field(default_factory=list[Call])
    barrier: Barrier | None = None

    @property
    def found(self) -> Found:
        """Where findings go."""
        return self.setting.found

    @property
    def main(self) -> Entry:
        """The entry of the kind key."""
        return self.fields[self.kind]

    def node(self, key: str) -> Node | None:
        """What stands under a key; None when the key is absent."""
        entry = self.fields.get(key)
        return None if entry is None else entry.value

    def meta(self) -> Meta:
        """What every step has. To be asked for last: until then the prelude grows."""
        doc = self.node("doc")
        text = read_text(self.found, doc, "doc") if doc is not None else ""
        return Meta(self.span, self.path, self.id, text, tuple(self.prelude), self.after)

    def where(self, key: str) -> Where:
        """The surroundings of an expression under a key of this step."""
        prelude = self.prelude if self.barrier is None else None
        return Where(self.setting, Place(f"{self.path}/{key}"), prelude, self.barrier)

    def expr(self, key: str, prelude: list[Call] | None = None) -> Expr | None:
        """The expression under a key; its calls go to the step's prelude or to the given one."""
        node = self.node(key)
        if node is None:
            return None
        where = self.where(key)
        if prelude is not None:
            where = replace(where, prelude=prelude)
        return lift(read_expression(self.found, node), where)

    def data(self, key: str) -> Expr | None:
        """The data under a key."""
        node = self.node(key)
        return None if node is None else lift(read_data(self.found, node), self.where(key))

    def duration(self, key: str) -> Expr | None:
        """The duration under a key."""
        node = self.node(key)
        return None if node is None else lift(read_duration(self.found, node, key), self.where(key))

    def block(self, key: str) -> Block | None:
        """The steps under a key."""
        entry = self.fields.get(key)
        return None if entry is None else self.read_block(self.setting, entry)


def read_text(found: Found, node: Node, key: str) -> str:
    """The text under a key that holds static text."""
    if isinstance(node, Scalar) and node.value is not None:
        return node.text
    found.error("F0103", f"`{key}` takes a text, not {shape(node)}", excerpt(node))
    return ""


def read_word(found: Found, node: Node, key: str, words: tuple[str, ...]) -> str:
    """One of the words that a key allows; the first of them when another stands there."""
    if isinstance(node, Scalar) and node.text in words:
        return node.text
    meant = closest(node.text, words) if isinstance(node, Scalar) else None
    written = f"`{node.text}`" if isinstance(node, Scalar) and node.text else shape(node)
    found.error(
        "F0121",
        f"`{key}` cannot be {written}",
        excerpt(node),
        hint=f"did you mean `{meant}`?" if meant else "",
        help=f"it is one of {listing(words)}",
        fixes=(Fix(node.span, meant, f"write `{meant}`"),) if meant else (),
    )
    return words[0]
