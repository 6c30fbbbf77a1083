"""A tree comes in; the flow file as IR and the findings about its shape go out.

The order of the work follows what each part needs. First the file-wide keys, for a callee is an alias and a
name, and the names of all flows, for a flow may call one that stands below it. Then each document becomes a
flow: its inputs, its defaults, then its body step by step. Nothing here looks up the name of a value; that is
a matter of paths through the flow and is checked afterwards.

A part that cannot be understood is reported once and replaced by something that says nothing (a value of
unknown type under the same name, an empty block), so that the checks that follow can look at the rest.
"""

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.ir import File, Flow
from flowc.resolve.actors import with_actors
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.fixes import fitting_the_dsl
from flowc.resolve.flow import read_flow
from flowc.resolve.found import MOST, Enough, Found, excerpt, shape
from flowc.resolve.header import check_version, read_events
from flowc.resolve.inputs import ANY
from flowc.resolve.keys import FILE_KEYS, FIRST_FLOW, FLOW
from flowc.resolve.setting import Names
from flowc.resolve.use import Uses, read_use
from flowc.span import Span
from flowc.tree import Document, Entry, Mapping, Scalar, Tree
from flowrt.noun import noun, replace


@noun
class _Part:
    """A document that holds a flow, and its entries by key."""

    mapping: Mapping
    fields: Fields


def resolve(tree: Tree) -> tuple[File | None, list[Diagnostic]]:
    """The IR of a file and what is wrong with its shape.

    Returns:
        The file, without the parts that could not be understood; None when there is no flow in it, or
        hardly anything of it was understood.
    """
    found = Found(tree.source)
    try:
        file = _resolve(found, tree)
    except Enough:
        file = None
        found.diagnostics.append(_enough(found))
    diagnostics = found.diagnostics
    if not tree.whole:
        diagnostics = [each for each in diagnostics if each.code not in _ABSENT]
    if tree.source.name.endswith(".flow"):
        diagnostics = fitting_the_dsl(diagnostics)
    return file, diagnostics


def _enough(found: Found) -> Diagnostic:
    return Diagnostic(
        "F0002",
        f"the file has {MOST} findings; what follows was not looked at",
        found.source,
        max((each.span for each in found.diagnostics), key=lambda span: span.start),
        help="mend these first",
        severity="info",
    )


_ABSENT = frozenset({"F0102", "F0113", "F0120", "F0122"})
"""Findings that something is not there. It may stand in the part of the file that could not be read."""


def _resolve(found: Found, tree: Tree) -> File | None:
    parts: list[_Part] = []
    filled = [document for document in tree.documents if document.root is not None]
    for document in filled:
        part = _part(found, document, first=document is filled[0])
        if part is not None:
            parts.append(part)
    if not parts:
        if not filled:
            found.error(
                "F0122",
                "there is no flow in this file",
                Span(0, 0),
                help="begin with `flowc: 1`, `flow: name` and `steps:`",
            )
        return None
    head = parts[0].fields
    check_version(found, head, Span(parts[0].mapping.span.start, parts[0].mapping.span.start))
    names, uses = _names(found, parts, tree)
    events = read_events(found, head["events"].value, names) if "events" in head else {}
    typed = {name: event.type for name, event in events.items() if event.type != ANY}
    names = replace(names, payloads=typed)
    flows = _distinct(found, [read_flow(found, names, part.fields, part.mapping.span) for part in parts])
    return File(tree.source, flows, uses.aliases, events, uses.files, names.actors)


def _part(found: Found, document: Document, *, first: bool) -> _Part | None:
    root = document.root
    if isinstance(root, Mapping):
        if not first:
            root = _without_file_keys(found, root)
        return _Part(root, read_fields(found, root, FIRST_FLOW if first else FLOW))
    assert root is not None
    found.error(
        "F0103",
        f"a flow is a map, and this is {shape(root)}",
        excerpt(root),
        help="begin with `flowc: 1`, `flow: name` and `steps:`",
    )
    return None


def _without_file_keys(found: Found, root: Mapping) -> Mapping:
    """The map of a later document without the keys that stand in the first one only."""
    kept: list[Entry] = []
    for entry in root.entries:
        if entry.key.text in FILE_KEYS:
            again = entry.key.text == "flowc"
            found.error(
                "F0126",
                f"`{entry.key.text}` holds for the whole file and stands in its first document only",
                entry.key.span,
                help="remove this line"
                if again
                else f"move it to `{entry.key.text}:` at the top of the file",
                fixes=(Fix(entry.key.span.to(entry.value.span), "", "remove it", safe=True),)
                if again
                else (),
            )
        else:
            kept.append(entry)
    return Mapping(root.span, tuple(kept), root.flow)


def _names(found: Found, parts: list[_Part], tree: Tree) -> tuple[Names, Uses]:
    head = parts[0].fields
    uses = read_use(found, head["use"].value) if "use" in head else Uses()
    flows = {
        part.fields["flow"].value.text
        for part in parts
        if "flow" in part.fields and isinstance(part.fields["flow"].value, Scalar)
    }
    root = tree.documents[0].root
    for entry in root.entries if isinstance(root, Mapping) else ():
        if entry.key.text == "use" and "use" not in head:
            uses.all_lost = True
    files = {alias: path.text for alias, path in uses.files.items()}
    names = Names(uses.aliases, frozenset(flows), frozenset(uses.lost), uses.all_lost, files)
    if "actors" in head:
        names = with_actors(found, head["actors"].value, names)
    return names, uses


def _distinct(found: Found, flows: list[Flow]) -> tuple[Flow, ...]:
    seen: dict[str, Flow] = {}
    for flow in flows:
        first = seen.setdefault(flow.name.text, flow)
        if first is not flow and flow.name.text:
            found.error(
                "F0127",
                f"there are two flows with the name `{flow.name.text}`",
                flow.name.span,
                labels=(Label(first.name.span, "the first one"),),
                help="give each flow of a file a name of its own",
            )
    return tuple(flow for flow in flows if not flow.name.text or seen[flow.name.text] is flow)
