"""Cron expressions and time zones come in as they are written; texts, or expressions of them, go out."""

from flowc.diagnostic import Fix
from flowc.resolve.found import Found, excerpt, shape
from flowc.resolve.lift import lift
from flowc.resolve.places import at, read_data
from flowc.resolve.step_text import StepText
from flowc.tree import Node, Scalar
from flowrt.expr.tree import Const, Expr
from flowrt.schedule import BadSchedule, check_cron, check_zone

NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_LATE_DAYS = ("30", "31")
_ORDER = "minute, hour, day of the month, month, day of the week"


def static_text(found: Found, node: Node, key: str, example: str) -> str | None:
    """The text of a scalar that is not computed; None for anything else, which is reported."""
    if not isinstance(node, Scalar) or not node.text.strip():
        found.error("F0103", f"`{key}` takes text, not {shape(node)}", excerpt(node), help=f"write {example}")
        return None
    if "${{" in node.text:
        found.error(
            "F0123",
            f"`{key}` of a schedule cannot be computed",
            node.span,
            hint="a schedule is static",
            help=f"write the text itself, as in {example}",
        )
        return None
    return node.text.strip()


def read_cron(found: Found, node: Node) -> str | None:
    """A cron expression; None when it cannot be understood, which is reported."""
    text = static_text(found, node, "cron", '`cron: "0 9 * * *"`')
    if text is None:
        return None
    try:
        check_cron(text)
    except BadSchedule as wrong:
        _bad_cron(found, node, text, wrong)
        return None
    except ModuleNotFoundError:
        pass  # `flowc serve` needs the package, and reads the expression again.
    return " ".join(text.split())


def _bad_cron(found: Found, node: Node, text: str, wrong: BadSchedule) -> None:
    fields = text.split()
    named = NAMED.get(text.lower())
    hint = ""
    if named is not None:
        hint = f'write `"{named}"`'
    elif wrong.field in FIELDS and len(fields) == len(FIELDS):
        hint = f"`{fields[FIELDS.index(wrong.field)]}` does not fit the {wrong.field.replace('-', ' ')}"
        if wrong.field == "day-of-month" and fields[2] in _LATE_DAYS:
            hint = "no month that it names has such a day"
    elif len(fields) == len(FIELDS) + 1:
        hint = "a field for seconds? the shortest step is a minute; `every` takes seconds"
    found.error(
        "F0504",
        f"the cron expression `{text}` {wrong}",
        excerpt(node),
        hint=hint,
        help=f'its fields are {_ORDER}: `"0 9 * * MON-FRI"` is 9:00 on working days',
    )


def read_zone(found: Found, node: Node) -> str | None:
    """A time zone; None when there is none of that name, which is reported."""
    text = static_text(found, node, "tz", "`tz: Europe/Berlin`")
    if text is None:
        return None
    try:
        check_zone(text)
    except BadSchedule as wrong:
        meant = wrong.field
        found.error(
            "F0504",
            f"`{text}` is not a time zone",
            excerpt(node),
            hint=f"did you mean `{meant}`?" if meant else "",
            help="zones are named as in the IANA list: `UTC`, `Europe/Berlin`, `America/New_York`",
            fixes=(Fix(node.span, meant, f"write `{meant}`"),) if meant else (),
        )
        return None
    return text


def cron_part(step: StepText, key: str, node: Node) -> Expr | None:
    """`cron` or `tz` of a `sleep`: a text, checked unless it is computed; None when it cannot be used."""
    if isinstance(node, Scalar) and "${{" in node.text:
        return lift(read_data(step.found, node), step.where(key))
    text = read_cron(step.found, node) if key == "cron" else read_zone(step.found, node)
    return None if text is None else Const(text, at(node.span))
