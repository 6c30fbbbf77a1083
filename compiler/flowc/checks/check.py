"""A resolved file comes in; out come the findings about its names and paths, in the order of the text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from flowc.checks.arguments import flow_arguments, unknown_flows
from flowc.checks.assignments import outer_assignments, shadowing_variables, unread_values
from flowc.checks.cascades import unexplained
from flowc.checks.choices import race_needs, unreached_cases
from flowc.checks.conditions import conditions
from flowc.checks.endless import endless_loops, endless_recursion
from flowc.checks.events import emitted_inside, missing_payloads, undeclared_events
from flowc.checks.graphs import cycles, orders
from flowc.checks.leaving import misplaced_leaves, unreached_steps
from flowc.checks.names import hidden_names, own_names, undefined_names, unknown_fields
from flowc.checks.paths import missing_paths
from flowc.checks.schedules import scheduled_inputs
from flowc.checks.vain import vain_values
from flowc.diagnostic import Diagnostic
from flowc.ir import File, Flow
from flowc.scope.facts import FlowFacts
from flowc.scope.trace import trace

RULES: tuple[Callable[[FlowFacts], Iterator[Diagnostic]], ...] = (
    undefined_names,
    own_names,
    hidden_names,
    unknown_fields,
    missing_paths,
    outer_assignments,
    shadowing_variables,
    unread_values,
    vain_values,
    cycles,
    orders,
    conditions,
    misplaced_leaves,
    unreached_steps,
    endless_loops,
    endless_recursion,
    unreached_cases,
    race_needs,
    undeclared_events,
    emitted_inside,
    missing_payloads,
    unknown_flows,
    flow_arguments,
    scheduled_inputs,
)
"""Every rule: a function from the facts of a flow to findings. One file a family."""

_NO_FLOWS: Mapping[str, Flow] = MappingProxyType({})


def check(
    file: File, earlier: Sequence[Diagnostic] = (), used: Mapping[str, Flow] = _NO_FLOWS
) -> list[Diagnostic]:
    """Check a resolved file.

    Args:
        file: The file, as far as it was understood.
        earlier: What reading and resolving it have found; findings that these explain are left out.
        used: The flows of the files that it uses, under the names by which it calls them. What is called
            through an alias without any flow here is not looked at.

    Returns:
        The findings of all rules for all flows, sorted by position, each place and code once.
    """
    found: dict[tuple[int, str], Diagnostic] = {}
    flows = {**{flow.name.text: flow for flow in file.flows}, **used}
    for flow in file.flows:
        facts = trace(flow, file, flows)
        for rule in RULES:
            for finding in rule(facts):
                found.setdefault((finding.span.start, finding.code), finding)
    own = unexplained(tuple(found.values()), earlier)
    return sorted(own, key=lambda each: (each.span.start, each.span.end, each.code))
