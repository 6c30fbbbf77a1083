"""What cases of a `switch` and branches of a `race` share: their bodies. In: their keys; out: a block."""

from collections.abc import Mapping as Table

from flowc.ir import Block, Steps
from flowc.resolve.found import Found
from flowc.resolve.step_text import StepText, read_text
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.noun import replace


def arm_body(step: StepText, fields: Table[str, Entry], title: str, span: Span) -> Block:
    """The body of a case or branch: `do` or `graph`, and not both. Its `doc` is text, for readers."""
    if "doc" in fields:
        read_text(step.found, fields["doc"].value, "doc")
    do, graph = fields.get("do"), fields.get("graph")
    if do is not None and graph is not None:
        step.found.error(
            "F0118",
            f"{title} has one body, `do` or `graph`, and this one has both",
            graph.key.span,
            help="leave one out; a `graph` can also be a step inside `do`",
        )
    body = do or graph
    if body is None:
        step.found.error(
            "F0102",
            f"{title} needs a body",
            span,
            help="add `do:` with a list of steps or a single call; nothing to do is `do: []`",
        )
        return Steps((), span)
    return step.read_block(step.setting, body)


def loose_body(step: StepText, key: Scalar, node: Node) -> Block:
    """The steps that stand where a case or branch should; what is wrong with that has been reported."""
    word = replace(key, text="do", value="do")
    if isinstance(node, Mapping):
        node = Sequence(node.span, (node,), flow=False)
    return step.read_block(step.setting, Entry(word, node))


def line_of(found: Found, node: Node, otherwise: str) -> str:
    """The text of a node for a message, if it stands on one line."""
    text = found.text(node.span).strip()
    return text if text and "\n" not in text else otherwise
