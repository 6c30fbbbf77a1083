"""The rules of expressions and types, F03xx."""

from flowc.codes.entry import Code

_HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: report\ninputs: {n: int}\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0301",
        "An expression cannot be read",
        "An expression has Python's own syntax: what flowc accepts, Python accepts. Something is missing "
        "here, or stands where it cannot. A text stands in quotes inside an expression, also where YAML "
        "itself needs none.",
        bad=_HEAD + "result: n +\n",
        good=_HEAD + "result: n + 1\n",
    ),
    Code(
        "F0302",
        "An expression is missing",
        'A value is expected here. An empty text is written `""` inside the expression, so in YAML '
        "`'\"\"'`; no value is `None`.",
        bad=_HEAD + 'result: ""\n',
        good=_HEAD + "result: None\n",
    ),
    Code(
        "F0303",
        "A bracket or quote is not closed, or closes nothing",
        "Brackets and quotes come in pairs of the same kind.",
        bad=_HEAD + "result: (n + 1) * (n - 1\n",
        good=_HEAD + "result: (n + 1) * (n - 1)\n",
    ),
    Code(
        "F0304",
        "A part of Python that the language leaves out",
        "An expression of a flow computes a small value from values: it names nothing, runs no code of "
        "others and can neither hang nor fill the memory. So there is no `lambda`, no assignment, no `await` "
        "or `yield`, no unpacking with `*` and `**`, no bitwise operators, and no bytes, complex numbers or "
        "`...`. What needs them is a task.",
        bad=_HEAD + "result: n << 2\n",
        good=_HEAD + "result: n * 2 ** 2\n",
    ),
    Code(
        "F0305",
        "An expression is written as in another language",
        "Expressions are Python's: `and`, `or`, `not`, `==`, `None`, `True`, `False`, `a if c else b`.",
        bad=_HEAD + "result: n > 0 && n < 9\n",
        good=_HEAD + "result: n > 0 and n < 9\n",
    ),
    Code(
        "F0306",
        "A comparison is written with `=` or `is`",
        "`=` compares nothing; a value gets a name by the `id` of a step. `is` asks whether two values are "
        "the same object, which has a meaning for `None` only. Values are compared with `==`.",
        bad=_HEAD + "result: n = 1\n",
        good=_HEAD + "result: n == 1\n",
    ),
    Code(
        "F0307",
        "`${{ }}` stands inside an expression",
        "`${{ }}` puts a value into plain text. In a place for expressions everything is an expression "
        "already: names stand as they are, and a text with values in it is an f-string.",
        bad=_HEAD + 'steps:\n  - call: t.load\n    with: {size: "${{ n + ${{ n }} }}"}\n',
        good=_HEAD + 'steps:\n  - call: t.load\n    with: {size: "${{ n + n }}"}\n',
    ),
    Code(
        "F0308",
        "A name begins with two underscores",
        "Such names are the insides of Python. They lead to code and to the interpreter, and an expression "
        "reads data only.",
        bad=_HEAD + "result: n.__class__\n",
        good=_HEAD + "result: n\n",
    ),
    Code(
        "F0309",
        "An expression is beyond a limit",
        "An expression may have 10,000 characters and 100 levels (a bracket, an operator and a dot are a "
        "level each), so that none can exhaust who reads it. Give parts of it to steps of their own; move "
        "data into a task.",
        bad=_HEAD + "result: " + "(" * 101 + "n" + ")" * 101 + "\n",
        good=_HEAD + "result: ((n))\n",
    ),
    Code(
        "F0310",
        "A number, text or character is not written as it should be",
        'Numbers and texts are written as in Python. A duration is `duration("30s")` in an expression, for '
        "`30s` alone is neither a number nor a name. A backslash in a text is written twice, or the text "
        "begins with `r`.",
        bad=_HEAD + "result: 30s\n",
        good=_HEAD + 'result: duration("30s")\n',
    ),
    Code(
        "F0311",
        "A call is not well formed",
        "What is called has a name: a task (`alias.name`), a flow, a builtin function, a method of a value, "
        "or at `call` a full import path `package.module:name`. Each named argument is given once.",
        bad=_HEAD + "steps:\n  - call: t.load(size=n, size=1)\n",
        good=_HEAD + "steps:\n  - call: t.load(size=n)\n",
    ),
    Code(
        "F0312",
        "A type is not known",
        "The types are `None bool int float str bytes date datetime duration any`, `list[T]`, `dict[str, "
        "T]`, `set[T]`, `tuple[T, …]`, alternatives `A | B`, and Python classes by an alias of `use` "
        "(`t.Report`) or by import path (`shop.etl:Report`).",
        bad="flowc: 1\nflow: report\ninputs: {n: integer}\nresult: n\n",
        good="flowc: 1\nflow: report\ninputs: {n: int}\nresult: n\n",
    ),
    Code(
        "F0313",
        "A type is not well formed",
        "`list` and `set` take one type in square brackets, `dict` takes `str` and the type of its values, "
        "`tuple` the type of each part, or one type and `...`.",
        bad='flowc: 1\nflow: report\ninputs: {n: "list[int, str]"}\nresult: n\n',
        good='flowc: 1\nflow: report\ninputs: {n: "list[int | str]"}\nresult: n\n',
    ),
)
