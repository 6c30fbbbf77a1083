"""The rules about the shape of a flow, F01xx: keys, lists and graphs, kinds of steps, names, callees."""

from flowc.codes.entry import Code

_HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: report\n"
_STEPS = _HEAD + "steps:\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0101",
        "A key does not exist here",
        "A key that nobody reads is a wish that nobody hears: a misspelt `timeout` would be no timeout. "
        "So every key has to be one that the construct around it has.",
        bad=_STEPS + "  - call: t.load()\n    timout: 30s\n",
        good=_STEPS + "  - call: t.load()\n    timeout: 30s\n",
    ),
    Code(
        "F0102",
        "A key is missing",
        "Some constructs say nothing without a certain key: an `if` without `then`, a loop without a body, a "
        "flow without steps, an `else` of a wait that no timeout ever reaches.",
        bad=_STEPS + "  - if: 1 > 0\n    else:\n      - call: t.load()\n",
        good=_STEPS + "  - if: 1 > 0\n    then:\n      - call: t.load()\n",
    ),
    Code(
        "F0103",
        "Something of another shape is needed here",
        "Each key takes a text, a number, a list or a map, and says which. Most often the indentation put "
        "something one level too deep, or a value was forgotten after its colon.",
        bad=_HEAD + "inputs: [day]\nsteps:\n  - call: t.load()\n",
        good=_HEAD + "inputs: {day: date}\nsteps:\n  - call: t.load(day)\n",
    ),
    Code(
        "F0104",
        "A list stands where a graph is needed",
        "A list runs top to bottom; a graph runs as soon as its inputs are ready. The word and the shape "
        "have to agree, so that nobody takes one for the other: `graph` takes a map of names to steps.",
        bad=_HEAD + "graph:\n  - id: rows\n    call: t.load()\n",
        good=_HEAD + "graph:\n  rows: t.load()\n",
    ),
    Code(
        "F0105",
        "A map stands where a list of steps is needed",
        "`steps`, `do`, `then` and `else` take a list, in which each step has a dash. A map there is "
        "either a step that lost its dash, or a graph under the wrong word.",
        bad=_STEPS + "  id: rows\n  call: t.load()\n",
        good=_STEPS + "  - id: rows\n    call: t.load()\n",
    ),
    Code(
        "F0106",
        "A step does not say what it does",
        "A step is a map with exactly one key that names its kind, such as `call`, `value`, `if` or "
        "`for`. Only `break` and `continue` are written alone. In a list a name is given by `id`, in a "
        "graph it is the key.",
        bad=_STEPS + "  - rows: t.load()\n",
        good=_STEPS + "  - id: rows\n    call: t.load()\n",
    ),
    Code(
        "F0107",
        "A step has two kinds",
        "Each step does one thing. Where two kinds meet, a dash is missing between two steps, or the "
        "second one belongs into the block of the first.",
        bad=_STEPS + "  - call: t.load()\n    return: 1\n",
        good=_STEPS + "  - call: t.load()\n  - return: 1\n",
    ),
    Code(
        "F0108",
        "This has no meaning here",
        "What a call may carry is for calls of tasks. The steps of a flow that is called carry their own, a "
        "value that is taken at once cannot fail, and what a method of an actor gives depends on its state, "
        "so it is never cached. What cannot be heeded is not left out in silence.",
        bad=_STEPS + "  - id: at\n    call: now()\n    retry: 3\n",
        good=_STEPS + "  - id: at\n    call: now()\n",
    ),
    Code(
        "F0109",
        "Text stands around `${{ }}` in an expression",
        "Conditions, `value`, `call`, `return` and the steps of a graph are expressions already. `${{ }}` "
        "may stand around all of one, and does nothing there; it cannot be a part of one. A text with "
        'values in it is an f-string: `f"part {n}"`.',
        bad=_HEAD + "inputs: {n: int}\nresult: ${{ n }} + 1\n",
        good=_HEAD + "inputs: {n: int}\nresult: n + 1\n",
    ),
    Code(
        "F0110",
        "`${{` is not closed",
        "A `${{` begins an expression inside data, and `}}` ends it. A bracket or a quote that is open "
        "inside the expression hides the end.",
        bad=_HEAD + "inputs: {n: int}\nsteps:\n  - call: t.load\n    with:\n      part: part ${{ n }\n",
        good=_HEAD + "inputs: {n: int}\nsteps:\n  - call: t.load\n    with:\n      part: part ${{ n }}\n",
    ),
    Code(
        "F0111",
        "This cannot be a name",
        "Names are Python identifiers, because expressions read them: letters, digits and `_`, not "
        "starting with a digit, and no keyword. `run` and `event` have a meaning of their own, and a step "
        "with the name of an alias would make `t.load()` ambiguous.",
        bad=_STEPS + "  - id: all-rows\n    call: t.load()\n",
        good=_STEPS + "  - id: all_rows\n    call: t.load()\n",
    ),
    Code(
        "F0112",
        "A task is called where it might not run",
        "A call inside an expression becomes a step of its own, with a record and an identity, that runs "
        "before the expression is computed. In a branch of `x if c else y`, after `and` or `or`, or "
        "inside a comprehension it would run in cases in which the text says that it does not, or any "
        "number of times. Give it a step, inside an `if` or a `for` where needed.",
        bad=_HEAD + "inputs: {n: int}\nresult: t.load() if n > 0 else 0\n",
        good=_HEAD
        + "inputs: {n: int}\nsteps:\n  - if: n > 0\n    then:\n      - return: t.load()\n  - return: 0\n",
    ),
    Code(
        "F0113",
        "Nothing of this name can be called",
        "A call names a function through an alias of `use`, a flow of this file or of one that it uses, "
        "an import path `package.module:name`, or one of the functions that every expression has. The "
        "compiler has to see what is called, so nothing else can be.",
        bad=_STEPS + "  - call: etl.load()\n",
        good=_STEPS + "  - call: t.load()\n",
    ),
    Code(
        "F0114",
        "This key belongs to something else",
        "The key exists, but what it stands in has no use for it: a `retry` beside a `value` would never "
        "retry anything, and `after` orders the steps of a graph, not those of a list.",
        bad=_STEPS + "  - value: 1 + 1\n    retry: 3\n",
        good=_STEPS + "  - call: t.load()\n    retry: 3\n",
    ),
    Code(
        "F0115",
        "This is not an exception class",
        "`raise`, `catch` and `unless` name exception classes: builtins such as `OSError`, classes of a "
        "module through its alias, or import paths `package.module:Name`.",
        bad=_STEPS + "  - call: t.load()\n    retry: {max: 3, catch: [IOFailure]}\n",
        good=_STEPS + "  - call: t.load()\n    retry: {max: 3, catch: [OSError]}\n",
    ),
    Code(
        "F0116",
        "This is not a call of a task or a flow",
        "`call` takes one call, whose retries, options and timeout the step may set. An expression, also "
        "one with calls of tasks in it, is written under `value`.",
        bad=_HEAD + "inputs: {rows: list}\nsteps:\n  - id: n\n    call: len(rows)\n",
        good=_HEAD + "inputs: {rows: list}\nsteps:\n  - id: n\n    value: len(rows)\n",
    ),
    Code(
        "F0117",
        "A secret stands where it would be recorded",
        '`secret("NAME")` is read in the worker, when a task is called, and never written down. As the '
        "value of a step or the argument of a flow it would be recorded in clear.",
        bad=_STEPS + '  - id: key\n    value: secret("API_KEY")\n',
        good=_STEPS + '  - call: t.load(key=secret("API_KEY"))\n',
    ),
    Code(
        "F0118",
        "There are two bodies",
        "A flow has `steps` or a `graph`, a loop has `do` or a `graph`. With both nothing would say which "
        "of them runs first. A graph can be a step of a list.",
        bad=_STEPS + "  - call: t.load()\ngraph:\n  rows: t.load()\n",
        good=_STEPS + "  - call: t.load()\n  - graph:\n      rows: t.load()\n",
    ),
    Code(
        "F0119",
        "A constant does not fit its input",
        "The default of an input, its bounds and its choices are constants of the input's type, and agree "
        "with each other.",
        bad=_HEAD + "inputs: {n: {type: int, default: many}}\nresult: n\n",
        good=_HEAD + "inputs: {n: {type: int, default: 32}}\nresult: n\n",
    ),
    Code(
        "F0120",
        "The version of the language is missing or unknown",
        "A flow file says `flowc: 1`, so that a later flowc with another language still knows how to read "
        "it.",
        bad="use: {t: shop.etl}\nflow: report\nsteps:\n  - call: t.load()\n",
        good=_STEPS + "  - call: t.load()\n",
    ),
    Code(
        "F0121",
        "This word is not one of those allowed",
        "Some keys take one of a few words: `errors` of a `for`, `failure` of a graph, `jitter` of a retry.",
        bad=_HEAD
        + "inputs: {parts: list}\nsteps:\n  - for: p in parts\n    errors: ignore\n    do: t.load(p)\n",
        good=_HEAD
        + "inputs: {parts: list}\nsteps:\n  - for: p in parts\n    errors: drop\n    do: t.load(p)\n",
    ),
    Code(
        "F0122",
        "There is no flow in the file",
        "A flow file holds at least one flow. This one is empty, or has nothing but comments in it.",
        bad="# a flow will stand here\n",
        good=_STEPS + "  - call: t.load()\n",
    ),
    Code(
        "F0123",
        "A static text is computed",
        "Names, events, types and labels are read by the compiler, before anything runs. That is what "
        "lets it check the whole flow.",
        bad=_HEAD + "inputs: {team: str}\nlabels:\n  team: ${{ team }}\nsteps:\n  - call: t.load(team)\n",
        good=_HEAD + "inputs: {team: str}\nlabels:\n  team: data\nsteps:\n  - call: t.load(team)\n",
    ),
    Code(
        "F0124",
        "An argument is given twice",
        "The arguments of a call are those in its parentheses and those under `with`, together. Each may "
        "be given once.",
        bad=_STEPS + "  - call: t.load(limit=1)\n    with: {limit: 2}\n",
        good=_STEPS + "  - call: t.load(limit=1)\n    with: {offset: 2}\n",
    ),
    Code(
        "F0125",
        "This is not an option of a call",
        "`options` are those of a Ray task, by Ray's own names. Retries are flowc's own, and stand beside "
        "the call.",
        bad=_STEPS + "  - call: t.load()\n    options: {cpus: 2}\n",
        good=_STEPS + "  - call: t.load()\n    options: {num_cpus: 2}\n",
    ),
    Code(
        "F0126",
        "A key of the file stands in a later document",
        "`flowc`, `use` and `events` hold for all flows of a file, and stand at the top of its first "
        "document.",
        bad=_STEPS
        + "  - call: t.load()\n---\nuse: {o: shop.orders}\nflow: second\nsteps:\n  - call: t.load()\n",
        good=_STEPS + "  - call: t.load()\n---\nflow: second\nsteps:\n  - call: t.load()\n",
    ),
    Code(
        "F0127",
        "Two flows have the same name",
        "A flow is called, and started, by its name, so each flow of a file needs one of its own.",
        bad=_STEPS + "  - call: t.load()\n---\nflow: report\nsteps:\n  - call: t.load()\n",
        good=_STEPS + "  - call: t.load()\n---\nflow: second\nsteps:\n  - call: t.load()\n",
    ),
    Code(
        "F0128",
        "There is nothing to undo here",
        "In a saga the call of a task may carry an `undo`, the call of another task: when the saga does not "
        "end well, the undos of all completed steps run. Nothing would ever run one outside of a saga. A "
        "flow has a saga of its own inside.",
        bad=_STEPS + "  - id: hold\n    call: t.reserve()\n    undo: t.release(hold)\n",
        good=_STEPS
        + "  - saga:\n      - id: hold\n        call: t.reserve()\n        undo: t.release(hold)\n"
        + "      - call: t.charge(hold)\n",
    ),
    Code(
        "F0134",
        "A `catch` is never reached",
        "The catches of a `try` are looked at from top to bottom, and the first whose types name the failure "
        "deals with it. One whose types are all special cases of what stands above it would never run.",
        bad=_STEPS
        + "  - try:\n      - call: t.load()\n    catch:\n      - {type: OSError, do: [{call: t.wait()}]}\n"
        + "      - {type: TimeoutError, do: [{call: t.hurry()}]}\n",
        good=_STEPS
        + "  - try:\n      - call: t.load()\n    catch:\n"
        + "      - {type: TimeoutError, do: [{call: t.hurry()}]}\n"
        + "      - {type: OSError, do: [{call: t.wait()}]}\n",
    ),
    Code(
        "F0129",
        "A case or a branch is not written as one",
        "`cases` of a `switch` is a list of maps `{is: value, do: steps}`, and `else` stands beside it. "
        "`race` is a list of maps `{id: name, do: steps}`: each branch has a name of its own, which says in "
        "the history of a run where its steps belong. A list under `is` means any of its values.",
        bad=_STEPS + "  - race:\n      - t.ask_one()\n      - t.ask_two()\n",
        good=_STEPS + "  - race:\n      - {id: one, do: t.ask_one()}\n      - {id: two, do: t.ask_two()}\n",
    ),
)
