"""The rules about names and paths, F02xx: what is known where, and what waits for what."""

from flowc.codes import running
from flowc.codes.entry import Code

_HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: report\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0201",
        "A name is not defined",
        "A name in an expression is an input of the flow, the `id` of a step above, the variable of a "
        "loop around, `run`, or `event` in the `match` of a wait. A list runs from top to bottom, so "
        "a step cannot read what a later one assigns; in a `graph` the order does not matter. A text "
        "needs quotes inside the expression: `\"'paid'\"`.",
        bad=_HEAD
        + """\
steps:
  - id: total
    call: t.sum_up()
  - return: totl
""",
        good=_HEAD
        + """\
steps:
  - id: total
    call: t.sum_up()
  - return: total
""",
    ),
    Code(
        "F0202",
        "A name is not assigned on every path",
        "A step that may be skipped assigns nothing when it is. A name can be read where every path "
        "that gets there assigns it, so that nothing is missing at run time. Paths that leave "
        "(`return`, `raise`, `fail`) do not count. The finding names the path on which the name is "
        "missing: assign it there too, or give it a first value above.",
        bad=_HEAD
        + """\
inputs: {big: bool}
steps:
  - if: big
    then:
      - id: n
        value: 8
  - return: n
""",
        good=_HEAD
        + """\
inputs: {big: bool}
steps:
  - if: big
    then:
      - id: n
        value: 8
    else:
      - id: n
        value: 1
  - return: n
""",
    ),
    Code(
        "F0203",
        "A name is read outside of the block that it belongs to",
        "Names that the body of a loop introduces end with it, for the body may run many times or "
        "never; names inside a step of a graph belong to that step. Give the loop an `id` and "
        "`collect` what its bodies find, or give the name a value above the loop: then the loop "
        "carries it.",
        bad=_HEAD
        + """\
inputs: {files: 'list[str]'}
steps:
  - for: f in files
    do:
      - id: rows
        call: t.load(f)
  - return: rows
""",
        good=_HEAD
        + """\
inputs: {files: 'list[str]'}
steps:
  - id: tables
    for: f in files
    do:
      - id: rows
        call: t.load(f)
    collect: rows
  - return: tables
""",
    ),
    Code(
        "F0204",
        "A name of the outside is assigned where steps run at the same time",
        "The bodies of a parallel `for` and the steps of a graph run at the same time. If they "
        "assigned a name that exists outside, chance would say which value wins. Use a name of its "
        "own, and `collect` it; or leave out `parallel`, so that one body runs after another and "
        "hands the name on.",
        bad=_HEAD
        + """\
inputs: {files: 'list[str]'}
steps:
  - id: n
    value: 0
  - for: f in files
    parallel: 4
    do:
      - id: n
        value: n + 1
  - return: n
""",
        good=_HEAD
        + """\
inputs: {files: 'list[str]'}
steps:
  - id: n
    value: 0
  - for: f in files
    do:
      - id: n
        value: n + 1
  - return: n
""",
    ),
    Code(
        "F0205",
        "A value does not have this field",
        "The fields of some values are known beforehand: the names of a `graph` are the fields of its "
        "`id`; a loop with `errors: collect` has `.values` and `.errors` (any other loop gives a "
        "list); `run` has `id`, `flow`, `started_at` and `labels`.",
        bad=_HEAD
        + """\
steps:
  - id: g
    graph:
      rows: t.load()
  - return: g.row
""",
        good=_HEAD
        + """\
steps:
  - id: g
    graph:
      rows: t.load()
  - return: g.rows
""",
    ),
    Code(
        "F0206",
        "An id is given again before its value was read",
        "A step may assign a name again, and later steps read the newest value. When nothing has read "
        "the value before that, the two steps share the id by mistake, or the first needs none.",
        bad=_HEAD
        + """\
steps:
  - id: rows
    call: t.load(1)
  - id: rows
    call: t.load(2)
  - return: rows
""",
        good=_HEAD
        + """\
steps:
  - id: rows
    call: t.load(1)
  - id: more
    call: t.load(2)
  - return: rows + more
""",
    ),
    Code(
        "F0207",
        "A step reads its own id",
        "The `id` of a step is there when the step is done, so the step itself, and the steps inside "
        "it, cannot read it. To go on from an older value, assign the name in an earlier step.",
        bad=_HEAD
        + """\
steps:
  - id: n
    value: n + 1
  - return: n
""",
        good=_HEAD
        + """\
steps:
  - id: n
    value: 0
  - id: n
    value: n + 1
  - return: n
""",
    ),
    Code(
        "F0208",
        "Steps of a graph wait for each other",
        "A step of a graph runs when all that it reads, and all in its `after`, is there. Around a "
        "cycle no step can ever be the first. Take one of the references away; a loop is written with "
        "`while`, `until` or `for`.",
        bad=_HEAD
        + """\
graph:
  a: t.f(b)
  b: t.g(a)
result: a
""",
        good=_HEAD
        + """\
graph:
  a: t.f()
  b: t.g(a)
result: b
""",
    ),
    Code(
        "F0209",
        "`after` names something that is no step of the graph",
        "`after` puts steps of the same graph in order when no value goes from one to the other. What "
        "is assigned outside of the graph is there before it begins.",
        bad=_HEAD
        + """\
graph:
  clean: t.drop()
  load: {call: t.load(), after: [claen]}
""",
        good=_HEAD
        + """\
graph:
  clean: t.drop()
  load: {call: t.load(), after: [clean]}
""",
    ),
    Code(
        "F0219",
        "A loop variable has the name of something outside",
        "After the loop one could not tell whether the name means the last item or the value from before.",
        bad=_HEAD
        + """\
inputs: {day: str, days: 'list[str]'}
steps:
  - for: day in days
    do:
      - call: t.load(day)
  - return: day
""",
        good=_HEAD
        + """\
inputs: {day: str, days: 'list[str]'}
steps:
  - for: each in days
    do:
      - call: t.load(each)
  - return: day
""",
    ),
    *running.CODES,
)
