"""What stands under `schedule` comes in; the text of a schedule of the runtime goes out.

Cron expressions are read by the package that also finds their slots. Who only checks files may not have
it: then they are taken as they are, and `flowc validate` says that they were not checked.
"""

from flowc.diagnostic import Fix
from flowc.ir import Ident
from flowc.resolve.cron import FIELDS, NAMED, read_cron, read_zone, static_text
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.found import Found, excerpt, listing, shape
from flowc.resolve.keys import SCHEDULE
from flowc.span import Span
from flowc.suggest import closest
from flowc.tree import Entry, Mapping, Node, Scalar
from flowrt.expr.durations import parse_duration
from flowrt.pattern import pattern
from flowrt.schedule import (
    CATCHUPS,
    SECOND_US,
    Catchup,
    Cron,
    Every,
    Schedule,
    schedule_json,
)

_EVERY = pattern(r"every\s+(\d*)\s*([smhd])(?:ec(?:ond)?|in(?:ute)?|our|ay)?s?\Z")


def read_schedule(found: Found, entry: Entry) -> Ident | None:
    """The schedule as text, with its place; None when it cannot be understood, which is reported."""
    node = entry.value
    if not isinstance(node, Mapping):
        _not_a_map(found, node)
        return None
    fields = read_fields(found, node, SCHEDULE)
    catchup = _catchup(found, fields["catchup"].value) if "catchup" in fields else "none"
    when = _when(found, fields, entry.key.span)
    if when is None or catchup is None:
        return None
    return Ident(schedule_json(Schedule(when, catchup)), entry.key.span)


def _not_a_map(found: Found, node: Node) -> None:
    better = '{cron: "0 9 * * *", tz: Europe/Berlin}` or `schedule: {every: 1h}'
    if isinstance(node, Scalar):
        text = node.text.strip()
        if text.lower() in NAMED or len(text.split()) == len(FIELDS):
            better = f'{{cron: "{NAMED.get(text.lower(), text)}"}}'
        elif parse_duration(text) is not None:
            better = f"{{every: {text}}}"
        elif (said := _EVERY.match(text)) is not None:
            better = f"{{every: {said[1] or 1}{said[2]}}}"
    found.error(
        "F0103",
        f"`schedule` takes a map, not {shape(node)}",
        excerpt(node),
        help=f"write `schedule: {better}`",
    )


def _when(found: Found, fields: Fields, key: Span) -> Cron | Every | None:
    cron, every, tz = fields.get("cron"), fields.get("every"), fields.get("tz")
    if cron is not None and every is not None:
        found.error(
            "F0504", "a schedule has `cron` or `every`, not both", every.key.span, help="leave one out"
        )
        return None
    if every is not None:
        if tz is not None:
            found.error(
                "F0504",
                "`tz` is the time zone of `cron`, and `every` counts real time",
                tz.key.span,
                help="leave it out",
            )
        return _every(found, every.value)
    if cron is not None:
        zone = read_zone(found, tz.value) if tz is not None else "UTC"
        expr = read_cron(found, cron.value)
        return Cron(expr, zone) if expr is not None and zone is not None else None
    if not fields.keys() - {"tz", "catchup"}:
        found.error(
            "F0102",
            "`schedule` does not say when",
            key,
            help=found.source.either(
                'write `schedule: {cron: "0 9 * * *"}` or `schedule: {every: 1h}`',
                'write `schedule cron "0 9 * * *"` or `schedule every 1h`',
            ),
        )
    return None


def _every(found: Found, node: Node) -> Every | None:
    text = static_text(found, node, "every", "`every: 1h`")
    if text is None:
        return None
    if text.replace(".", "", 1).isdecimal():
        found.error(
            "F0501",
            "`every` has no unit",
            excerpt(node),
            hint=f"seconds? write `{text}s`",
            fixes=(Fix(node.span, f"{text}s", f"write `{text}s`"),),
        )
        return None
    duration = parse_duration(text)
    if duration is None:
        found.error(
            "F0502",
            f"`{text}` is not a duration",
            excerpt(node),
            help="durations look like `30s`, `5m`, `1h30m`, `2d`",
        )
        return None
    whole, rest = divmod(round(duration.total_seconds() * SECOND_US), SECOND_US)
    if whole < 1 or rest:
        found.error(
            "F0504",
            f"a schedule cannot come every {text}",
            excerpt(node),
            help="its slots are whole seconds: `every` is at least `1s`, without a fraction of a second",
        )
        return None
    return Every(whole)


def _catchup(found: Found, node: Node) -> Catchup | None:
    text = node.text if isinstance(node, Scalar) else ""
    for known in CATCHUPS:
        if text == known:
            return known
    near = closest(text, CATCHUPS)
    found.error(
        "F0504",
        f"`catchup` takes {listing(CATCHUPS)}, not {f'`{text}`' if text else shape(node)}",
        excerpt(node),
        hint=f"did you mean `{near}`?" if near else "",
        help="none: missed slots are left out; one: the newest of them runs; all: each of them runs",
        fixes=(Fix(node.span, near, f"write `{near}`"),) if near else (),
    )
    return None
