"""What may stand under each key of the language: its place (as in the three kinds of places), with examples.

The list of keys is in `flowc.resolve.keys`; this one says of the same keys what the published schema needs
beyond their meaning. A key means the same kind of place wherever it stands, with the few exceptions of
`ELSEWHERE`. It is apart because `flowc validate`, which is started often, has no need of it.
"""

from collections.abc import Mapping
from typing import Literal

from flowc.resolve.keys import Construct
from flowrt.noun import noun

Place = Literal[
    "version",
    "text",
    "name",
    "names",
    "type",
    "exceptions",
    "expression",
    "binder",
    "callee",
    "waited",
    "call",
    "class",
    "data",
    "arguments",
    "message",
    "duration",
    "pause",
    "count",
    "factor",
    "word",
    "flag",
    "list",
    "retry",
    "options",
    "labels",
    "modules",
    "events",
    "inputs",
    "defaults",
    "schedule",
    "steps",
    "block",
    "graph",
    "cases",
    "branches",
    "catches",
]


@noun
class Holding:
    """What stands under a key. `words` are all that is allowed when the place is `word`.

    `default` is the text of what holds when the key is left out; empty when there is no such thing.
    """

    place: Place
    examples: tuple[str | int | bool, ...] = ()
    words: tuple[str, ...] = ()
    default: str | int = ""


_CONDITION = Holding("expression", ("score < target", "len(errors) > 0"))
_DURATION = Holding("duration", ("30s", "1h30m", "PT5M"))
_BLOCK = Holding("block")

HOLDINGS: Mapping[str, Holding] = {
    "flowc": Holding("version", (1,)),
    "use": Holding("modules"),
    "events": Holding("events"),
    "actors": Holding("modules"),
    "flow": Holding("name", ("daily_etl",)),
    "doc": Holding("text"),
    "inputs": Holding("inputs"),
    "returns": Holding("type", ("int", "list[str]", "t.Report")),
    "defaults": Holding("defaults"),
    "timeout": _DURATION,
    "schedule": Holding("schedule"),
    "labels": Holding("labels"),
    "steps": Holding("steps"),
    "graph": Holding("graph"),
    "result": Holding("expression", ("sum(loads)",)),
    "cron": Holding("text", ("0 9 * * MON-FRI",)),
    "tz": Holding("text", ("UTC", "Europe/Berlin"), default="UTC"),
    "every": _DURATION,
    "catchup": Holding("word", words=("none", "one", "all"), default="none"),
    "type": Holding("type", ("int", "date | None", "list[str]", "t.Order")),
    "default": Holding("data"),
    "min": Holding("data"),
    "max": Holding("count", (3,)),
    "choices": Holding("list"),
    "external": Holding("flag"),
    "retry": Holding("retry", (3,)),
    "heartbeat": Holding("duration", ("5m",)),
    "options": Holding("options"),
    "delay": Holding("duration", ("1s",), default="1s"),
    "factor": Holding("factor", (2,), default=2),
    "cap": Holding("duration", ("60s",), default="60s"),
    "jitter": Holding("word", words=("full", "none"), default="full"),
    "catch": Holding("exceptions", ("OSError", "t.Busy")),
    "unless": Holding("exceptions", ("ValueError",)),
    "within": Holding("duration", ("1h",)),
    "id": Holding("name", ("parts",)),
    "after": Holding("names", ("raw",)),
    "call": Holding("callee", ("t.extract(part, day=day)", "t.load", "package.module:name(a)")),
    "with": Holding("arguments"),
    "undo": Holding("call", ("t.cancel(booking)",)),
    "value": Holding("expression", ("a + 1", "[x for x in xs if x > 0]")),
    "if": _CONDITION,
    "then": _BLOCK,
    "else": _BLOCK,
    "switch": Holding("expression", ("kind", "order.state")),
    "cases": Holding("cases"),
    "is": Holding("data", ("book",)),
    "for": Holding("binder", ("part in parts",)),
    "do": _BLOCK,
    "parallel": Holding("expression", (8, "fanout")),
    "errors": Holding("word", words=("fail", "collect", "drop"), default="fail"),
    "collect": Holding("expression", ("rows",)),
    "batch": Holding("expression", (100,)),
    "need": Holding("expression", (1,)),
    "while": _CONDITION,
    "until": _CONDITION,
    "sleep": Holding("pause", ("10m", "${{ duration(text) * 2 }}")),
    "wait": Holding("waited", ("approval", "feeds.Price(symbol)")),
    "emit": Holding("name", ("shipped",)),
    "key": Holding("expression", ("order.id",)),
    "match": Holding("expression", ("event.ok",)),
    "failure": Holding("word", words=("cancel", "finish"), default="cancel"),
    "saga": _BLOCK,
    "race": Holding("branches"),
    "lock": Holding("name", ("gpu",)),
    "limit": Holding("expression", (2,), default=1),
    "cache": Holding("expression", (True,)),
    "ttl": Holding("duration", ("7d",)),
    "start": Holding("callee", ("other(a)", "other")),
    "try": _BLOCK,
    "finally": _BLOCK,
    "as": Holding("name", ("e",)),
    "return": Holding("expression", ("t.report(day, total)",)),
    "raise": Holding("callee", ("t.Rejected(order.id)", "ValueError(text)")),
    "fail": Holding("message", ("order ${{ id }} was declined",)),
}
"""What stands under a key, wherever it is written."""

ELSEWHERE: Mapping[tuple[str, str], Holding] = {
    ("an input", "max"): Holding("data"),
    ("an event", "key"): Holding("type", ("str",)),
    ("a `race` step", "errors"): Holding("word", words=("fail", "drop"), default="fail"),
    ("a `try` step", "catch"): Holding("catches"),
    ("a `catch`", "type"): Holding("exceptions", ("OSError", "t.Busy")),
    ("an `emit` step", "with"): Holding("data"),
    ("`sleep`", "until"): Holding("expression", ('datetime("2026-01-01T09:00:00Z")',)),
    ("a `while` step", "max"): Holding("expression", (1000,)),
    ("an `until` step", "max"): Holding("expression", (1000,)),
}
"""What stands under a key of one construct (by its title) when it is something else there."""

OPTION_MEANINGS: Mapping[str, str] = {
    "accelerator_type": "the kind of accelerator that the node must have",
    "enable_task_events": "whether Ray reports events of the task",
    "fallback_strategy": "where to run when no node fits",
    "isolated": "the step never shares a Ray task with others",
    "label_selector": "the labels that the node must have",
    "max_calls": "how many tasks a worker process runs before it ends",
    "memory": "the memory that is reserved: a size, or a number of bytes",
    "name": "the name under which Ray shows the task",
    "num_cpus": "how many CPUs are reserved",
    "num_gpus": "how many GPUs are reserved; may be a fraction",
    "placement_group": "the placement group to run in",
    "placement_group_bundle_index": "the bundle of the placement group",
    "placement_group_capture_child_tasks": "whether tasks of the task run in the group as well",
    "resources": "amounts of custom resources, by name",
    "runtime_env": "the environment of the worker",
    "scheduling_strategy": "`DEFAULT`, `SPREAD`, or a strategy of Ray",
}
"""What the options of a call mean."""


def holding(construct: Construct, key: str) -> Holding:
    """What stands under a key of a construct.

    Raises:
        KeyError: The key is in no table here: add it to `HOLDINGS`.
    """
    return ELSEWHERE.get((construct.title, key)) or HOLDINGS[key]
