"""The steps that wait, or make others go on, come in as text; `Sleep`, `Wait` and `Emit` go out."""

from flowc.diagnostic import Fix
from flowc.ir import Block, Emit, Sleep, Step, Wait
from flowc.resolve.cron import cron_part
from flowc.resolve.fields import read_fields
from flowc.resolve.keyed import read_keyed_name
from flowc.resolve.keys import SLEEP
from flowc.resolve.lift import Barrier, lift
from flowc.resolve.listen import resolve_listen
from flowc.resolve.literal_keys import checked_key
from flowc.resolve.places import read_expression
from flowc.resolve.step_text import StepText
from flowc.tree import Mapping, Node, Scalar
from flowrt.expr.tree import Expr
from flowrt.noun import replace
from flowrt.pattern import pattern

_INSTANT = pattern(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?\Z")


def resolve_sleep(step: StepText) -> Step | None:
    """`sleep` for a duration, or until an instant."""
    node = step.main.value
    if not isinstance(node, Mapping):
        duration = step.duration("sleep")
        return Sleep(step.meta(), duration)
    fields = read_fields(step.found, node, SLEEP)
    if "until" in fields:
        for other in ("cron", "tz"):
            if other in fields:
                _until_and(step, other, fields[other].key)
        until = _instant(step, fields["until"].value)
        return None if until is None else Sleep(step.meta(), until=until)
    if "cron" in fields:
        cron = cron_part(step, "cron", fields["cron"].value)
        tz = cron_part(step, "tz", fields["tz"].value) if "tz" in fields else None
        return None if cron is None else Sleep(step.meta(), cron=cron, tz=tz)
    if not node.entries:
        step.found.error(
            "F0502",
            "`sleep` needs a duration or an instant",
            node.span,
            help='write `sleep: 10m`, `sleep: {until: t}`, or `sleep: {cron: "0 9 * * *"}`',
        )
    elif "tz" in fields:
        step.found.error(
            "F0502",
            "`tz` is the time zone of `cron`, and this `sleep` has none",
            fields["tz"].key.span,
            help='write `sleep: {cron: "0 9 * * *", tz: Europe/Berlin}`, or leave `tz` out',
        )
    return None


def _until_and(step: StepText, other: str, key: Scalar) -> None:
    what = "an instant or a slot of `cron`" if other == "cron" else "an instant, which needs no time zone"
    step.found.error("F0502", f"`sleep` waits for {what}", key.span, help=f"leave out `until` or `{other}`")


def _instant(step: StepText, node: Node) -> Expr | None:
    if isinstance(node, Scalar) and _INSTANT.match(node.text.strip()):
        better = f'datetime("{node.text.strip()}")'
        step.found.error(
            "F0502",
            "`until` takes an expression, and an instant is not one by itself",
            node.span,
            help=f"write `{better}`",
            fixes=(Fix(node.span, better, f"write `{better}`", safe=True),),
        )
        return None
    return lift(read_expression(step.found, node), step.where("until"))


def resolve_wait(step: StepText) -> Step | None:
    """`wait` for an event or a listener, with what happens when it does not come."""
    if _is_listener(step):
        timeout, orelse = _limits(step)
        return resolve_listen(step, timeout, orelse)
    event = read_keyed_name(step, "an event")
    key = checked_key(step.found, step.expr("key"), "an event")
    match = _match(step)
    timeout, orelse = _limits(step)
    if event is None:
        return None
    declared = step.setting.names.payloads.get(event.text)
    return Wait(step.meta(), event, key, match, timeout, orelse, declared)


def _limits(step: StepText) -> tuple[Expr | None, Block | None]:
    """How long a wait lasts, and what comes then."""
    timeout = step.duration("timeout")
    orelse = step.block("else")
    if orelse is not None and timeout is None:
        step.found.error(
            "F0102",
            "the `else` of a wait runs when its `timeout` is over, and this wait has none",
            step.fields["else"].key.span,
            help=step.found.source.either(
                "add `timeout: 48h`, or leave `else` out", "add `timeout 48h`, or leave `else` out"
            ),
        )
    return timeout, orelse


def _is_listener(step: StepText) -> bool:
    """Whether what is waited for is a class, by an alias or an import path."""
    node = step.main.value
    name = node.text.partition("(")[0] if isinstance(node, Scalar) else ""
    return ("." in name or ":" in name) and "${{" not in name


def _match(step: StepText) -> Expr | None:
    node = step.node("match")
    if node is None:
        return None
    barrier = Barrier(
        "`match` is computed for each event that comes",
        "call it in a step before the wait, or test the event in a step after it",
    )
    where = replace(step.where("match"), prelude=None, barrier=barrier)
    return lift(read_expression(step.found, node), where)


def resolve_emit(step: StepText) -> Step | None:
    """`emit` of an event."""
    event = read_keyed_name(step, "an event")
    key, payload = checked_key(step.found, step.expr("key"), "an event"), step.data("with")
    if event is None:
        return None
    return Emit(step.meta(), event, key, payload, step.setting.names.payloads.get(event.text))
