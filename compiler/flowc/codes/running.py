"""The rules about how a flow runs, the rest of F02xx: conditions, what is reached, events, calls of flows."""

from flowc.codes.entry import Code

_HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: report\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0210",
        "A condition is not true or false",
        "A condition is a bool. Whether an empty list, a zero or a missing value counts as false is "
        "said by the flow, not left to a rule that one has to know: `len(items) > 0`, `count != 0`, "
        '`x is not None`, `name != ""`.',
        bad=_HEAD
        + """\
inputs: {items: 'list[str]'}
steps:
  - if: items
    then:
      - call: t.load(items)
""",
        good=_HEAD
        + """\
inputs: {items: 'list[str]'}
steps:
  - if: len(items) > 0
    then:
      - call: t.load(items)
""",
    ),
    Code(
        "F0211",
        "A step is never reached",
        "It stands after a step that always leaves: `return`, `raise`, `fail`, `break`, `continue`, a "
        "branch all of whose arms leave, or a loop without an end. It looks as if it ran, and does "
        "not.",
        bad=_HEAD
        + """\
steps:
  - return: 1
  - call: t.load()
""",
        good=_HEAD
        + """\
steps:
  - call: t.load()
  - return: 1
""",
    ),
    Code(
        "F0212",
        "`break` or `continue` outside of a loop",
        "`break` ends the nearest `for`, `while` or `until` around it, and `continue` its present "
        "iteration. `return` ends the flow.",
        bad=_HEAD
        + """\
inputs: {n: int}
steps:
  - if: n > 3
    then:
      - break
  - call: t.load(n)
""",
        good=_HEAD
        + """\
inputs: {n: int}
steps:
  - if: n > 3
    then:
      - return: null
  - call: t.load(n)
""",
    ),
    Code(
        "F0213",
        "A step leaves a graph or a parallel loop",
        "The steps of a graph and the bodies of a parallel `for` run at the same time, so there is no "
        "rest that `return` or `break` could pass over: others are running already. Collect what the "
        "bodies find, use `need`, or run one after another.",
        bad=_HEAD
        + """\
inputs: {files: 'list[str]'}
steps:
  - for: f in files
    parallel: 4
    do:
      - id: ok
        call: t.try_one(f)
      - if: ok is not None
        then:
          - return: f
""",
        good=_HEAD
        + """\
inputs: {files: 'list[str]'}
steps:
  - for: f in files
    do:
      - id: ok
        call: t.try_one(f)
      - if: ok is not None
        then:
          - return: f
""",
    ),
    Code(
        "F0214",
        "An event is not declared",
        "The events that a file waits for or emits are declared under `events` at its head, with the "
        "type of their payload and key where there is one. A misspelt event would be waited for "
        "without an end.",
        bad=_HEAD
        + """\
steps:
  - wait: approval
""",
        good="""\
flowc: 1
events: {approval: {}}
flow: report
steps:
  - wait: approval
""",
    ),
    Code(
        "F0215",
        "Nothing ends a loop",
        "A `while: true` without `break`, `return`, `raise`, `fail` or `max` goes on until it fails "
        "or is cancelled. A loop that is meant to do so pauses: with `every`, `sleep` or `wait`.",
        bad=_HEAD
        + """\
steps:
  - while: true
    do:
      - call: t.poll()
""",
        good=_HEAD
        + """\
steps:
  - while: true
    every: 30s
    do:
      - call: t.poll()
""",
    ),
    Code(
        "F0216",
        "A flow calls itself every time it runs",
        "A flow may call itself, but on some path it has to end. Here every run reaches the call, so "
        "the first one never ends.",
        bad=_HEAD
        + """\
inputs: {n: int}
steps:
  - call: t.work(n)
  - return: report(n + 1)
""",
        good=_HEAD
        + """\
inputs: {n: int}
steps:
  - call: t.work(n)
  - if: n < 10
    then:
      - return: report(n + 1)
""",
    ),
    Code(
        "F0217",
        "A call gives a flow what it does not take",
        "The arguments of a call are matched with the inputs of the flow as in Python: those without "
        "a name in their order, the others by name, each input once.",
        bad=_HEAD
        + """\
inputs: {day: str}
steps:
  - call: part(dya=day)
---
flow: part
inputs: {day: str}
steps:
  - call: t.load(day)
""",
        good=_HEAD
        + """\
inputs: {day: str}
steps:
  - call: part(day=day)
---
flow: part
inputs: {day: str}
steps:
  - call: t.load(day)
""",
    ),
    Code(
        "F0218",
        "A call leaves out an input that has no default",
        "An input without a `default` is required: each call of the flow gives it.",
        bad=_HEAD
        + """\
steps:
  - call: part()
---
flow: part
inputs: {day: str}
steps:
  - call: t.load(day)
""",
        good=_HEAD
        + """\
steps:
  - call: part('monday')
---
flow: part
inputs: {day: str}
steps:
  - call: t.load(day)
""",
    ),
    Code(
        "F0220",
        "A case is never chosen",
        "The first case of a `switch` that has a value equal to the subject is chosen, as `==` has it. A "
        "value that an earlier case has, or that is of another type than the subject, never gets its turn: "
        '`"5"` is not `5`.',
        bad=_HEAD
        + """\
inputs: {kind: str}
steps:
  - switch: kind
    cases:
      - {is: book, do: t.pack()}
      - {is: [dvd, book], do: t.wrap()}
""",
        good=_HEAD
        + """\
inputs: {kind: str}
steps:
  - switch: kind
    cases:
      - {is: book, do: t.pack()}
      - {is: [dvd, cd], do: t.wrap()}
""",
    ),
    Code(
        "F0221",
        "A race needs what it cannot have",
        "`need` says how many branches have to end before the others are stopped: at least one, and not more "
        "than there are.",
        bad=_HEAD
        + """\
steps:
  - race:
      - {id: one, do: t.ask(1)}
      - {id: two, do: t.ask(2)}
    need: 3
""",
        good=_HEAD
        + """\
steps:
  - race:
      - {id: one, do: t.ask(1)}
      - {id: two, do: t.ask(2)}
    need: 2
""",
    ),
    Code(
        "F0222",
        "A flow emits an event that only the outside emits",
        "`external: true` tells readers that no flow emits the event: it comes from people or other systems, "
        "by `flowc send`, over HTTP or from Python. Who reads it looks for its sender there. An event that "
        "comes from flows and from the outside is declared without it.",
        bad=_HEAD.replace("flow:", "events: {stop: {external: true}}\nflow:")
        + """\
steps:
  - emit: stop
""",
        good=_HEAD.replace("flow:", "events: {stop: {}}\nflow:")
        + """\
steps:
  - emit: stop
""",
    ),
    Code(
        "F0225",
        "An event is emitted without its payload",
        "An event that is declared with a type is sent with a value of that type: who waits for it counts on "
        "that, and a step `emit` of anything else fails.",
        bad=_HEAD.replace("flow:", "events: {counted: {type: int}}\nflow:")
        + """\
steps:
  - emit: counted
""",
        good=_HEAD.replace("flow:", "events: {counted: {type: int}}\nflow:")
        + """\
steps:
  - emit: counted
    with: 3
""",
    ),
    Code(
        "F0224",
        "A value that nothing can read",
        "A step without a name has a value for its block only, and only if it is the last one: that is the "
        "value of the block. Anywhere else it computes something for nobody. Who writes `x == 1` for `x = 1` "
        "in the DSL has assigned nothing.",
        bad=_HEAD
        + """\
inputs: {n: int}
steps:
  - value: n == 1
  - call: t.load(n)
""",
        good=_HEAD
        + """\
inputs: {n: int}
steps:
  - id: n
    value: 1
  - call: t.load(n)
""",
    ),
)
