"""A fault comes in, the diagnostic that says it in the author's words goes out.

libyaml says where it stopped, which is often behind the slip: a missing quote is noticed lines later, and
"did not find expected key" is what it says of a wrong indentation, of a text after a closing quote, and of a
dash too many. Each rule looks for one slip that people make and knows the marks of it; the first rule that
recognises its slip speaks. The order matters: a tab explains everything on its line, an open quote
everything after it.
"""

from collections.abc import Callable

from flowc.diagnostic import Diagnostic
from flowc.read_yaml.faults.beginnings import wrong_beginning
from flowc.read_yaml.faults.brackets import bracket_left_open, cut_in_brackets
from flowc.read_yaml.faults.colons import colon_not_allowed, no_colon
from flowc.read_yaml.faults.fault import Fault
from flowc.read_yaml.faults.indentation import tab_in_indentation, wrong_level
from flowc.read_yaml.faults.quotes import bad_escape, goes_on_after, quote_left_open
from flowc.read_yaml.faults.rest import anything_else, outside_documents

_RULES: tuple[Callable[[Fault], Diagnostic | None], ...] = (
    tab_in_indentation,
    quote_left_open,
    bad_escape,
    goes_on_after,
    cut_in_brackets,
    bracket_left_open,
    wrong_beginning,
    colon_not_allowed,
    no_colon,
    wrong_level,
    outside_documents,
)


def explain(fault: Fault) -> Diagnostic:
    """The finding about a syntax error."""
    for rule in _RULES:
        diagnostic = rule(fault)
        if diagnostic is not None:
            return diagnostic
    return anything_else(fault)
