"""The keys of the language: for each construct, which there are and what each holds.

This is the only list of keys. Messages, did-you-mean, the published schema and the manual are made from
it. `later` keys are those of the language that this version of flowc recognises and does not run yet;
the text of each is the beginning of the sentence that says so.
"""

from collections.abc import Mapping

from flowrt.noun import field, noun, replace


@noun
class Construct:
    """A map with a fixed set of keys: `title` names it in messages, `keys` maps each key to its meaning."""

    title: str
    keys: Mapping[str, str]
    required: tuple[str, ...] = ()
    later: Mapping[str, str] = field(default_factory=dict[str, str])


FILE_KEYS = {
    "flowc": "the version of the language; 1",
    "use": "alias → Python module, or the path of a flow file",
    "events": "event name → {type, key, external}",
    "actors": "actor name → class of its objects, which keep their state",
}
FILE_LATER: Mapping[str, str] = {}

FLOW = Construct(
    "a flow",
    {
        "flow": "the name of the flow",
        "doc": "a text for readers",
        "inputs": "name → type, or {type, default, doc, min, max, choices}",
        "returns": "the type of the result",
        "defaults": "{retry, timeout, heartbeat, options} for every call that does not say otherwise",
        "timeout": "a bound on the whole run",
        "schedule": "when the flow runs by itself: {cron, tz, catchup} or {every, catchup}",
        "labels": "text → text",
        "steps": "the body, a list that runs from top to bottom",
        "graph": "the body, a map of names to steps that run when their inputs are ready",
        "result": "the value of the flow when its body ends without `return`",
    },
    required=("flow",),
)
FIRST_FLOW = replace(FLOW, keys=FILE_KEYS | dict(FLOW.keys))

SCHEDULE = Construct(
    "`schedule`",
    {
        "cron": "five fields: minute, hour, day of the month, month, day of the week",
        "tz": "the time zone of `cron`; UTC",
        "every": "a duration, in the place of `cron`",
        "catchup": "what becomes of slots that were missed: `none`, `one` or `all`",
    },
)

INPUT = Construct(
    "an input",
    {
        "type": "the type of the input",
        "default": "its value when none is given",
        "doc": "a text for readers",
        "min": "the least value",
        "max": "the greatest value",
        "choices": "the list of allowed values",
    },
)

EVENT = Construct(
    "an event",
    {
        "type": "the type of the payload",
        "key": "the type of the key",
        "external": "true when only the outside emits it",
    },
)

DEFAULTS = Construct(
    "`defaults`",
    {
        "retry": "the retry policy of every call",
        "timeout": "the bound on each attempt of every call",
        "heartbeat": "how long an attempt of any call may be silent",
        "options": "Ray's options of every call",
    },
)

RETRY = Construct(
    "`retry`",
    {
        "max": "most retries after the first attempt",
        "delay": "the pause before the first retry; 1s",
        "factor": "what each pause is multiplied by; 2",
        "cap": "the longest pause; 60s",
        "jitter": "`full` or `none`",
        "catch": "exception types that are retried; every Exception",
        "unless": "exception types that are not",
        "within": "a bound over all attempts",
    },
)

_CALLED = {
    "call": "the callee, with or without its arguments",
    "with": "named arguments, as data",
    "options": "Ray's own options",
    "retry": "a number of retries, or a policy",
    "timeout": "a bound on each attempt",
    "heartbeat": "how long an attempt may go on without calling `flowrt.heartbeat()`",
}

UNDO = Construct("`undo`", _CALLED, required=("call",))

_BLOCKS = {
    "do": "a list that runs from top to bottom",
    "graph": "a map of names to steps that run when their inputs are ready",
}

CASE = Construct(
    "a case",
    {
        "is": "the value for which it runs, or a list of such values",
        **_BLOCKS,
        "doc": "a text for readers",
    },
    required=("is",),
)

RACE_BRANCH = Construct(
    "a branch of a race",
    {
        "id": "its name",
        **_BLOCKS,
        "doc": "a text for readers",
    },
    required=("id",),
)

CATCH = Construct(
    "a `catch`",
    {
        "type": "exception classes; every Exception",
        "as": "a name for the error: its `type`, `message`, `step`, `traceback`",
        "do": "the steps",
    },
    required=("do",),
)

CACHE = Construct(
    "`cache`",
    {
        "key": "what tells calls apart; the callable's source and arguments",
        "ttl": "how old a value may be; for ever",
    },
)

SLEEP = Construct(
    "`sleep`",
    {
        "until": "the instant at which it ends",
        "cron": "five fields: minute, hour, day of the month, month, day of the week",
        "tz": "the time zone of `cron`; UTC",
    },
)

_COMMON = {"id": "the name of the step's value", "doc": "a text for readers"}


def _step(keys: Mapping[str, str], *required: str, later: Mapping[str, str] | None = None) -> Construct:
    kind = next(iter(keys))
    article = "an" if kind[0] in "aeiou" else "a"
    return Construct(f"{article} `{kind}` step", _COMMON | dict(keys), required, later or {})


STEPS: Mapping[str, Construct] = {
    "call": _step(
        {
            **_CALLED,
            "undo": "in a saga: the call that takes this one back",
            "cache": "`true`, a key, or {key, ttl}: take the value over from a run that made the same call",
        },
    ),
    "value": _step({"value": "an expression"}),
    "if": _step(
        {"if": "a condition", "then": "the steps when it holds", "else": "the steps when it does not"}, "then"
    ),
    "switch": _step(
        {
            "switch": "an expression",
            "cases": "a list of cases, each `{is: value, do: steps}`",
            "else": "the steps when no case fits",
        },
        "cases",
    ),
    "for": _step(
        {
            "for": "`name in items`",
            **_BLOCKS,
            "parallel": "how many bodies run at once",
            "errors": "`fail`, `collect` or `drop`",
            "collect": "what each body contributes",
            "batch": "how many items a body gets at once",
            "need": "how many bodies have to succeed",
        }
    ),
    "while": _step(
        {"while": "a condition", **_BLOCKS, "max": "most iterations", "every": "a pause between iterations"}
    ),
    "until": _step(
        {"until": "a condition", **_BLOCKS, "max": "most iterations", "every": "a pause between iterations"}
    ),
    "sleep": _step({"sleep": "a duration, {until: instant}, or {cron, tz}"}),
    "wait": _step(
        {
            "wait": "the name of an event, or a call of a listener",
            "key": "the key that the event must have",
            "match": "a condition on the payload `event`",
            "timeout": "how long to wait",
            "else": "the steps when that time is over",
        }
    ),
    "emit": _step(
        {"emit": "the name of an event", "key": "its key", "with": "its payload, as data"},
    ),
    "graph": _step(
        {"graph": "a map of names to steps", "failure": "`cancel` or `finish`"},
    ),
    "do": _step(
        {
            "do": "a list that runs from top to bottom",
            "timeout": "a bound on each attempt of the block",
            "retry": "a number of retries of the whole block, or a policy",
        },
    ),
    "try": _step(
        {
            "try": "a list of steps whose failure is dealt with",
            "catch": "what is done about it: {type, as, do}, or a list of these",
            "finally": "the steps that run in any case, and are not stopped",
        }
    ),
    "saga": _step({"saga": "a list of steps that are taken back when one of them fails"}),
    "race": _step(
        {
            "race": "a list of branches, each `{id: name, do: steps}`, that run at the same time",
            "need": "how many branches have to end; 1",
            "errors": "`fail` or `drop`",
        }
    ),
    "lock": _step(
        {
            "lock": "the name of the lock, which all runs of the store share",
            "key": "an expression: there is a lock of that name for each key",
            "limit": "how many may hold it at once; 1",
            **_BLOCKS,
        }
    ),
    "start": _step({"start": "a flow, with or without its arguments", "with": "named arguments, as data"}),
    "return": _step({"return": "the value of the flow"}),
    "raise": _step({"raise": "a call of an exception class, or the name of a caught error"}),
    "fail": _step({"fail": "the message"}),
}

LATER_STEPS: Mapping[str, str] = {}

NAMELESS = frozenset({"return", "raise", "fail"})
"""Kinds of steps that have no value to name."""

ENCLOSED = ("do", "graph")
"""Kinds that are blocks of other kinds as well: they are the kind of a step when nothing else is."""

AFTER = "names of steps of the graph that this one runs after"

INSTEAD: Mapping[str, tuple[str, ...]] = {
    "name": ("id", "flow"),
    "as": ("id",),
    "args": ("with",),
    "arguments": ("with",),
    "params": ("with", "inputs"),
    "parameters": ("inputs", "with"),
    "input": ("inputs", "with"),
    "payload": ("with",),
    "data": ("with",),
    "kwargs": ("with",),
    "needs": ("after",),
    "depends_on": ("after",),
    "requires": ("after",),
    "description": ("doc",),
    "desc": ("doc",),
    "comment": ("doc",),
    "run": ("call",),
    "task": ("call",),
    "uses": ("use", "call"),
    "set": ("value",),
    "expr": ("value",),
    "when": ("if", "is"),
    "case": ("switch", "cases", "is"),
    "value": ("is",),
    "equals": ("is",),
    "default": ("else",),
    "select": ("switch", "race"),
    "branches": ("cases", "race"),
    "any_of": ("race",),
    "count": ("need",),
    "foreach": ("for",),
    "for_each": ("for",),
    "loop": ("for",),
    "repeat": ("until",),
    "retries": ("retry", "max"),
    "imports": ("use",),
    "import": ("use",),
    "version": ("flowc",),
    "output": ("result", "returns"),
    "outputs": ("returns", "result"),
    "body": ("do", "steps"),
    "tasks": ("steps",),
    "jobs": ("graph",),
    "dag": ("graph",),
    "concurrency": ("parallel",),
    "max_parallel": ("parallel",),
    "on_error": ("errors",),
    "otherwise": ("else",),
    "except": ("catch",),
    "rescue": ("catch",),
    "ensure": ("finally",),
    "always": ("finally",),
    "resources": ("options",),
    "attempts": ("max",),
    "backoff": ("factor",),
    "max_delay": ("cap",),
    "required": ("default",),
    "enum": ("choices",),
    "minimum": ("min",),
    "maximum": ("max",),
    "message": ("fail",),
    "error": ("fail",),
    "seconds": ("sleep",),
    "then": ("do",),
    "do": ("then", "steps"),
    "steps": ("do", "then"),
}
"""What people of other workflow languages write, and what may have been meant here."""

OPTIONS = frozenset(
    {
        "accelerator_type",
        "enable_task_events",
        "fallback_strategy",
        "isolated",
        "label_selector",
        "max_calls",
        "memory",
        "name",
        "num_cpus",
        "num_gpus",
        "placement_group",
        "placement_group_bundle_index",
        "placement_group_capture_child_tasks",
        "resources",
        "runtime_env",
        "scheduling_strategy",
    }
)
"""Ray's options of a task (2.48 and later), and `isolated`: the step never shares a Ray task."""

SIZES = frozenset({"memory"})
"""Options that hold a size in bytes."""
