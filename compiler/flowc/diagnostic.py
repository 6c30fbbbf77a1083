"""A diagnostic: one finding in the author's text, as data. Stages return them; nobody raises them."""

from typing import Literal

from flowc.span import Source, Span
from flowrt.noun import noun

Severity = Literal["error", "warning", "info"]


@noun
class Label:
    """A second place that the finding speaks of, such as the first definition."""

    span: Span
    text: str


@noun
class Fix:
    """A change of the text that mends the finding.

    `safe`: it is what the author meant beyond doubt, so `flowc validate --fix` makes it unasked. A guess,
    such as another name that is spelt alike, is not.
    """

    span: Span
    replacement: str
    title: str
    safe: bool = False


@noun
class Diagnostic:
    """A finding. `message` is one sentence; `hint` stands behind the caret; `help` is the way out.

    `code` is a key of `flowc.codes.CODES`, such as `F0201`.
    """

    code: str
    message: str
    source: Source
    span: Span
    hint: str = ""
    help: str = ""
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] = ()
    severity: Severity = "error"
