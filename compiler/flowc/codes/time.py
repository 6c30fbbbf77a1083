"""The rules about durations, sizes and schedules, F05xx."""

from flowc.codes.entry import Code

_HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: report\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0501",
        "A duration has no unit",
        "A bare number could be seconds, milliseconds or minutes, and tools differ in what they take it for. "
        "A duration is written with its unit: `250ms`, `30s`, `5m`, `1h30m`, `2d`.",
        bad=_HEAD + "steps:\n  - call: t.load()\n    timeout: 30\n",
        good=_HEAD + "steps:\n  - call: t.load()\n    timeout: 30s\n",
    ),
    Code(
        "F0502",
        "This is not a duration",
        "A duration is a number with a unit, or several of them from the largest to the smallest: "
        "`250ms`, `30s`, `5m`, `1h30m`, `2d`, or ISO 8601, `PT5M`. A computed duration is an expression "
        'in `${{ }}`, such as `${{ duration("30s") * 2 }}`. The instant of `sleep: {until: …}` is an '
        'expression: `datetime("2026-01-31T09:00:00Z")`.',
        bad=_HEAD + "steps:\n  - sleep: half an hour\n",
        good=_HEAD + "steps:\n  - sleep: 30m\n",
    ),
    Code(
        "F0503",
        "This is not a size",
        "Memory is a number of bytes, or a number with a unit: `512MiB` and `4GiB` are powers of 1024, `2GB` "
        "is a power of 1000.",
        bad=_HEAD + "steps:\n  - call: t.load()\n    options: {memory: plenty}\n",
        good=_HEAD + "steps:\n  - call: t.load()\n    options: {memory: 4GiB}\n",
    ),
    Code(
        "F0504",
        "This schedule cannot be understood",
        "A schedule is `{cron: …, tz: …}` or `{every: …}`. A cron expression has five fields: minute, hour, "
        "day of the month, month and day of the week; it is local time of the zone `tz`, which is UTC when "
        "nothing is said. `catchup` says what becomes of slots that came while nobody served the flow: "
        "`none`, `one`, `all`.",
        bad=_HEAD + 'schedule: {cron: "0 25 * * *"}\nsteps:\n  - call: t.load()\n',
        good=_HEAD + 'schedule: {cron: "0 9 * * *", tz: Europe/Berlin}\nsteps:\n  - call: t.load()\n',
    ),
    Code(
        "F0505",
        "A scheduled flow has an input without a default",
        "When a flow runs by itself nobody is there to give it inputs, so each of them needs a default. What "
        "differs from one run to the next, such as the day, is computed in the flow: `today()` is recorded "
        "once for each run, and stays the same however often the run is resumed.",
        bad=_HEAD + "schedule: {every: 1h}\ninputs: {table: str}\nsteps:\n  - call: t.load(table)\n",
        good=_HEAD
        + "schedule: {every: 1h}\ninputs: {table: {type: str, default: sales}}\n"
        + "steps:\n  - call: t.load(table)\n",
    ),
    Code(
        "F0506",
        "The first pause of a retry is longer than its longest one",
        "`delay` is the pause before the first retry and `cap` the longest of all, so a `delay` above the "
        "`cap` is never waited for. Without a `cap` pauses grow to a minute, or stay at `delay` when that is "
        "longer.",
        bad=_HEAD + "steps:\n  - call: t.load()\n    retry: {max: 3, delay: 5h, cap: 1m}\n",
        good=_HEAD + "steps:\n  - call: t.load()\n    retry: {max: 3, delay: 5h}\n",
    ),
)
