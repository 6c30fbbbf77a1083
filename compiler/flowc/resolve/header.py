"""The version and the events of the first document come in; findings and events go out."""

from flowc.diagnostic import Fix
from flowc.ir import Event
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.found import Found, excerpt, shape
from flowc.resolve.inputs import ANY, read_type
from flowc.resolve.keys import EVENT
from flowc.resolve.names import read_name
from flowc.resolve.setting import Names
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar

_VERSION = 1


def check_version(found: Found, fields: Fields, start: Span) -> None:
    """Reports a first document that does not say `flowc: 1`."""
    entry = fields.get("flowc")
    if entry is None:
        found.error(
            "F0120",
            "the file does not say which version of the language it is written in",
            start,
            help="write `flowc: 1` as its first line",
            fixes=(Fix(Span(start.start, start.start), "flowc: 1\n", "write `flowc: 1`", safe=True),),
        )
        return
    value = entry.value
    if not isinstance(value, Scalar) or value.value is not _VERSION:
        written = f"`{value.text}`" if isinstance(value, Scalar) and value.text else shape(value)
        found.error(
            "F0120",
            f"{written} is not a version of the language",
            excerpt(value) if value.span.end > value.span.start else entry.key.span,
            help="this flowc reads version 1: write `flowc: 1`",
        )


def read_events(found: Found, node: Node, names: Names) -> dict[str, Event]:
    """The declared events."""
    events: dict[str, Event] = {}
    if isinstance(node, Scalar) and node.value is None:
        return events
    if not isinstance(node, Mapping):
        found.error(
            "F0103",
            f"`events` takes a map of names, not {shape(node)}",
            excerpt(node),
            help="write `events: {approval: {key: str, type: o.Decision}}`",
        )
        return events
    for entry in node.entries:
        name = read_name(found, entry.key, "an event")
        if name is None:
            continue
        fields = _event_fields(found, entry)
        payload = read_type(found, fields["type"].value, "the payload", names) if "type" in fields else ANY
        key = read_type(found, fields["key"].value, "the key", names) if "key" in fields else None
        external = _external(found, fields["external"]) if "external" in fields else False
        events[name.text] = Event(name, payload, key, external)
    return events


def _event_fields(found: Found, entry: Entry) -> Fields:
    node = entry.value
    match node:
        case Mapping():
            return read_fields(found, node, EVENT)
        case Scalar(value=None):
            return {}
        case _:
            better = f"{{type: {node.text}}}" if isinstance(node, Scalar) else "{type: o.Decision}"
            found.error(
                "F0103",
                f"the event `{entry.key.text}` takes a map, not {shape(node)}",
                excerpt(node),
                help=f"write `{entry.key.text}: {better}`",
                fixes=(Fix(node.span, better, f"write `{better}`", safe=True),)
                if isinstance(node, Scalar)
                else (),
            )
            return {}


def _external(found: Found, entry: Entry) -> bool:
    node = entry.value
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    found.error(
        "F0103",
        f"`external` is `true` or `false`, not {shape(node)}",
        excerpt(node),
        help="write `external: true`",
    )
    return False
