"""The rules of reading the DSL, F003x: lines, indentation, and what is written in the habits of elsewhere."""

from flowc.codes.entry import Code

_HEAD = "use shop.etl as t\n\nflow report(day: date):\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0030",
        "A line is no statement of the language",
        "In a `.flow` file each line is one statement: a step, or the first line of a block, which ends with "
        "a colon. The finding says which word does not fit, and what could stand there.",
        bad=_HEAD + "    rows = t.load(day) rety 3\n    return rows\n",
        good=_HEAD + "    rows = t.load(day) retry 3\n    return rows\n",
        syntax="dsl",
    ),
    Code(
        "F0031",
        "A line stands in a column of no block",
        "The indentation says what belongs to what: below a line that ends with a colon stand its steps, "
        "indented, and all in one column. A block without steps is `pass`.",
        bad=_HEAD + "    rows = t.load(day)\n      return rows\n",
        good=_HEAD + "    rows = t.load(day)\n    return rows\n",
        syntax="dsl",
    ),
    Code(
        "F0032",
        "This is Python, and not in the language",
        "A flow looks like Python and is less than Python: every step is recorded, so that a run can go on "
        "from there, and everything that a step does is done in a task. Imports, definitions, changes of "
        "values and the like stay in the modules that a flow calls.",
        bad="import shop.etl\n\nflow report(day: date):\n    return day\n",
        good=_HEAD + "    return t.load(day)\n",
        syntax="dsl",
    ),
    Code(
        "F0033",
        "A file holds the other syntax",
        "The name of a file tells its syntax: `NAME.flow.yaml` is YAML, `NAME.flow` is the DSL.",
        bad="flowc: 1\nflow: report\nresult: 1\n",
        good="flow report():\n    result 1\n",
        syntax="dsl",
    ),
    Code(
        "F0034",
        "A line stands where it means nothing",
        "Some lines belong to others: `else` to an `if`, `catch` to a `try`, `collect` to a `for`. Others "
        "stand in the body of the flow itself: `timeout`, `schedule`, `label`, `defaults`, `result`.",
        bad=_HEAD + "    rows = t.load(day)\n    collect rows\n",
        good=_HEAD + "    rows = for each in t.days(day):\n        row = t.load(each)\n        collect row\n",
        syntax="dsl",
    ),
)
