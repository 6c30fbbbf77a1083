"""The text of a `switch` comes in; a `Switch` goes out.

What people write who know another language's switch is told what to write here: a map of values to steps,
`else` or `default` as the last case, `case`, `when` and `then` as keys.
"""

from flowc.diagnostic import Fix
from flowc.ir import Block, Case, Step, Switch
from flowc.resolve.arms import arm_body, line_of, loose_body
from flowc.resolve.corrected import as_arms, column, dashed, shown
from flowc.resolve.fields import read_fields
from flowc.resolve.found import excerpt, shape
from flowc.resolve.keys import CASE
from flowc.resolve.lift import lift
from flowc.resolve.places import read_data
from flowc.resolve.step_text import StepText
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import Expr

_ELSE = frozenset({"else", "default", "otherwise", "_"})
_CASE_KEYS = frozenset({"is", "do", "case", "when", "then"})


def resolve_switch(step: StepText) -> Step:
    """`switch`, `cases`, `else`."""
    subject = step.expr("switch")
    assert subject is not None
    entry = step.fields.get("cases")
    cases: list[Case] = []
    strays: list[Block] = []
    if entry is not None:
        _read_cases(step, entry, cases, strays)
    orelse = step.block("else")
    if orelse is None and strays:
        orelse = strays[0]
    return Switch(step.meta(), subject, tuple(cases), orelse)


def _read_cases(step: StepText, entry: Entry, cases: list[Case], strays: list[Block]) -> None:
    match entry.value:
        case Sequence(items=()):
            _report_empty(step, entry)
        case Sequence(items=items):
            for item in items:
                _read_case(step, item, cases, strays)
        case Mapping(entries=entries) as mapping if entries:
            _map_for_cases(step, mapping, cases, strays)
        case Mapping():
            _report_empty(step, entry)
        case Scalar() as node:
            step.found.error(
                "F0129",
                f"`cases` takes a list of cases, not {shape(node)}",
                node.span if node.text else entry.key.span,
                help="write each case with a dash: `- is: value` and, below it, `do:` with its steps",
            )


def _report_empty(step: StepText, entry: Entry) -> None:
    step.found.error(
        "F0129",
        "this `switch` has no cases",
        entry.key.span.to(entry.value.span),
        help=step.found.source.either(
            "add a case, `- is: value` and, below it, `do:` with its steps, or leave the `switch` out",
            "add a case, `case value:` and its steps below it, or leave the `switch` out",
        ),
    )


def _read_case(step: StepText, item: Node, cases: list[Case], strays: list[Block]) -> None:
    if not isinstance(item, Mapping):
        text = line_of(step.found, item, "…") if isinstance(item, Scalar) else "…"
        step.found.error(
            "F0129",
            f"a case is a map with `is` and `do`, and this is {shape(item)}",
            excerpt(item) if not isinstance(item, Scalar) or item.text else step.fields["cases"].key.span,
            help=f"write `- is: value` and, below it, `do: {text}`",
        )
        return
    stray = next((entry for entry in item.entries if entry.key.text in _ELSE), None)
    if stray is not None and not any(entry.key.text == "is" for entry in item.entries):
        _report_else(step, stray.key)
        strays.append(loose_body(step, stray.key, stray.value))
        return
    fields = read_fields(step.found, item, CASE)
    if "is" not in fields:
        # Whatever it was to be for, its steps are looked at.
        arm_body(step, fields, "a case", excerpt(item))
        return
    node = fields["is"].value
    values = _values(step, fields["is"], len(cases) + 1)
    cases.append(Case(values, arm_body(step, fields, "a case", fields["is"].key.span), node.span))


def _report_else(step: StepText, key: Scalar) -> None:
    step.found.error(
        "F0129",
        f"`{key.text}` is no case",
        key.span,
        hint="it stands in the list of the cases",
        help="write `else:` beside `cases:`, with the steps that run when no case fits",
    )


def _values(step: StepText, entry: Entry, number: int) -> tuple[Expr, ...]:
    node = entry.value
    where = step.where(f"case#{number}")
    if isinstance(node, Scalar) and node.value is None and not node.text:
        step.found.error(
            "F0103",
            "`is` needs a value",
            entry.key.span,
            help="write the value, or a list of values; nothing at all is `null`",
        )
        return ()
    if not isinstance(node, Sequence):
        return (lift(read_data(step.found, node), where),)
    if not node.items:
        step.found.error(
            "F0129",
            "this case is for no value",
            node.span,
            hint="a list under `is` means any of its values",
            help="write the values, or leave the case out; an empty list as a value is `is: [[]]`",
        )
    return tuple(lift(read_data(step.found, item), where) for item in node.items)


def _map_for_cases(step: StepText, mapping: Mapping, cases: list[Case], strays: list[Block]) -> None:
    """A map where the list of cases should be: one case without its dash, or values with their steps."""
    found = step.found
    at = column(found, mapping.span)
    one = any(each.key.text in _CASE_KEYS for each in mapping.entries)
    named = [each for each in mapping.entries if each.key.text not in _ELSE]
    better = dashed(found, mapping) if one else as_arms(found, named, at, "is")
    rest = (
        ""
        if one or len(named) == len(mapping.entries)
        else "\nand what runs otherwise under `else:`, beside `cases:`"
    )
    whole = one or not (rest or mapping.flow)
    found.error(
        "F0129",
        "`cases` takes a list of cases, and this is a map",
        excerpt(mapping),
        hint="this looks like a single case without its dash" if one else "",
        help=f"write each case with a dash:\n{shown(at, better)}{rest}",
        fixes=(Fix(mapping.span, better, "add the dashes", safe=True),) if whole else (),
    )
    if one:
        _read_case(step, mapping, cases, strays)
        return
    for each in mapping.entries:
        body_ = loose_body(step, each.key, each.value)
        if each.key.text in _ELSE:
            strays.append(body_)
        else:
            value = lift(read_data(found, each.key), step.where(f"case#{len(cases) + 1}"))
            cases.append(Case((value,), body_, each.key.span))
