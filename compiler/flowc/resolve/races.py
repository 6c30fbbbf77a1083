"""The text of a `race` comes in; a `Race` goes out, and for a wrong shape what to write in its place."""

from flowc.diagnostic import Fix
from flowc.ir import Block, Ident, Race, RaceBranch, Step, Steps
from flowc.resolve.arms import arm_body, line_of, loose_body
from flowc.resolve.corrected import as_arms, column, dashed, shown
from flowc.resolve.fields import read_fields
from flowc.resolve.found import excerpt, shape
from flowc.resolve.keys import RACE_BRANCH
from flowc.resolve.mismatch import is_step
from flowc.resolve.names import read_name
from flowc.resolve.step_text import StepText, read_word
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import Const
from flowrt.program import RaceErrors

_TITLE = "a branch of a race"
_OWN = frozenset({"do", "graph"})


def resolve_race(step: StepText) -> Step:
    """`race`, `need`, `errors`."""
    branches: list[RaceBranch] = []
    match step.main.value:
        case Sequence(items=items) if items:
            for item in items:
                _read_branch(step, item, branches)
        case Mapping(entries=entries) as mapping if entries:
            _map_for_branches(step, mapping, branches)
        case node:
            step.found.error(
                "F0129",
                "this race has no branches"
                if isinstance(node, Sequence | Mapping)
                else f"`race` takes a list of branches, not {shape(node)}",
                step.main.key.span,
                help=step.found.source.either(
                    "write each branch with a dash: `- id: name` and, below it, `do:` with its steps",
                    "write `name:` for each branch, and its steps below that, indented",
                ),
            )
    need = step.expr("need")
    if isinstance(need, Const) and type(need.value) is int and need.value == 1:
        need = None
    return Race(step.meta(), tuple(branches), need, _errors(step))


def _errors(step: StepText) -> RaceErrors:
    node = step.node("errors")
    word = "fail" if node is None else read_word(step.found, node, "errors", ("fail", "drop"))
    return "drop" if word == "drop" else "fail"


def _read_branch(step: StepText, item: Node, branches: list[RaceBranch]) -> None:
    if not isinstance(item, Mapping):
        text = line_of(step.found, item, "…") if isinstance(item, Scalar) else "…"
        number = len(branches) + 1
        step.found.error(
            "F0129",
            f"{_TITLE} is a map with `id` and `do`, and this is {shape(item)}",
            excerpt(item) if not isinstance(item, Scalar) or item.text else step.main.key.span,
            help=f"write `- id: name` and, below it, `do: {text}`",
        )
        body = loose_body(step, step.main.key, item) if isinstance(item, Sequence) else Steps((), item.span)
        branches.append(RaceBranch(Ident(f"branch{number}", item.span), body))
        return
    if is_step(item) and not any(entry.key.text in _OWN for entry in item.entries):
        _step_for_branch(step, item, branches)
        return
    fields = read_fields(step.found, item, RACE_BRANCH)
    _add(step, fields.get("id"), arm_body(step, fields, _TITLE, excerpt(item)), item, branches)


def _add(step: StepText, entry: Entry | None, body: Block, item: Mapping, branches: list[RaceBranch]) -> None:
    name = None if entry is None else read_name(step.found, entry.value, _TITLE)
    if name is None:
        name = Ident(f"branch{len(branches) + 1}", item.span)
    before = next((branch.name for branch in branches if branch.name.text == name.text), None)
    if before is not None:
        step.found.error(
            "F0129",
            f"two branches of this race have the name `{name.text}`",
            name.span,
            help=f"give one of them another {step.found.source.either('`id`', 'name')}: "
            "it says where the steps of a branch belong",
        )
        return
    branches.append(RaceBranch(name, body))


def _step_for_branch(step: StepText, item: Mapping, branches: list[RaceBranch]) -> None:
    """A step in the place of a branch: it lacks `do`, and perhaps a name."""
    first = next(entry for entry in item.entries if entry.key.text not in ("id", "doc"))
    inner = f"{first.key.text}: {line_of(step.found, first.value, '…')}"
    named = next((entry for entry in item.entries if entry.key.text == "id"), None)
    name = line_of(step.found, named.value, "name") if named is not None else "name"
    call = first.key.text == "call" and len(item.entries) == (2 if named is not None else 1)
    steps = inner.removeprefix("call: ") if call else f"[{{{inner}}}]" if "…" not in inner else "…"
    step.found.error(
        "F0129",
        f"{_TITLE} is a map with `id` and `do`, and this is a step",
        first.key.span,
        help=f"write `- id: {name}` and, below it, `do: {steps}`",
    )
    _add(step, named, loose_body(step, step.main.key, item), item, branches)


def _map_for_branches(step: StepText, mapping: Mapping, branches: list[RaceBranch]) -> None:
    """A map where the list of branches should be: one branch or step without its dash, or named branches."""
    found = step.found
    at = column(found, mapping.span)
    one = is_step(mapping) or any(entry.key.text == "id" for entry in mapping.entries)
    better = dashed(found, mapping) if one else as_arms(found, mapping.entries, at, "id")
    found.error(
        "F0129",
        "`race` takes a list of branches, and this is a map",
        excerpt(mapping),
        hint="this looks like a single branch without its dash" if one else "",
        help=f"write each branch with a dash:\n{shown(at, better)}",
        fixes=(Fix(mapping.span, better, "add the dashes", safe=True),) if one or not mapping.flow else (),
    )
    if one:
        _read_branch(step, mapping, branches)
        return
    for entry in mapping.entries:
        key = Entry(entry.key, entry.key)
        _add(step, key, loose_body(step, entry.key, entry.value), mapping, branches)
