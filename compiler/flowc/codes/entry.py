"""The noun of a rule: its code, what it says, why it is there, and an example on either side of it."""

from typing import Literal

from flowrt.noun import noun


@noun
class Code:
    """One rule.

    Attributes:
        code: `F` and four digits; the first two name the family (`F00` reading, `F01` shape, …).
        title: One line, without a full stop.
        why: A few sentences: what goes wrong without the rule, and what to write instead.
        bad: A flow file for which the rule gives a finding.
        good: A flow file without any finding.
        syntax: In which of the two syntaxes both are written.
    """

    code: str
    title: str
    why: str
    bad: str
    good: str
    syntax: Literal["yaml", "dsl"] = "yaml"
