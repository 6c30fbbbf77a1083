"""The rules of reading YAML, F00xx: bytes, YAML's own syntax, and where YAML cuts expressions."""

from flowc.codes.entry import Code

_HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: report\n"

CODES: tuple[Code, ...] = (
    Code(
        "F0001",
        "The file holds something that is not text",
        "A flow file is UTF-8 text. Other encodings, control characters, and characters that look like a "
        "space or a line end but are not, make a file that people and programs read differently. Save the "
        "file as UTF-8; inside double quotes an unusual character can be written as an escape, such as "
        '"\\u2028".',
        bad=_HEAD + "result: 1\N{LINE SEPARATOR}\n",
        good=_HEAD + "result: 1\n",
    ),
    Code(
        "F0002",
        "The file is beyond a limit of the reader",
        "A file may have 4 MiB, 100 levels, 200,000 nodes (each alias counts as the nodes it stands for), "
        "numbers of 1,000 digits, and 500 findings about its keys and shapes. No flow that a person wrote "
        "comes near; the limits keep a broken or hostile file from taking all memory or time. Move data out "
        "of the flow and load it in a task.",
        bad=_HEAD + "result: " + "[" * 101 + "]" * 101 + "\n",
        good=_HEAD + "result: [[[]]]\n",
    ),
    Code(
        "F0003",
        "A tab stands in the indentation",
        "YAML is indented with spaces only: a tab has a different width in every editor, so the depth of a "
        "line would depend on who looks at it. Use two spaces for a level.",
        bad=_HEAD + "steps:\n\t- call: t.load()\n",
        good=_HEAD + "steps:\n  - call: t.load()\n",
    ),
    Code(
        "F0004",
        "A line does not fit the indentation around it",
        "In YAML the indentation says what belongs to what. The keys of one map start in the same column, "
        "and so do the items of one list.",
        bad=_HEAD + "steps:\n  - id: rows\n   call: t.load()\n",
        good=_HEAD + "steps:\n  - id: rows\n    call: t.load()\n",
    ),
    Code(
        "F0005",
        "A quote or bracket is not closed",
        "What opens a text in quotes, a list in `[ ]` or a map in `{ }` has to be closed, or YAML reads the "
        "following lines as a part of it. A quote inside a quoted text must be doubled ('it''s') or the "
        'other kind used ("it\'s").',
        bad=_HEAD + 'doc: "the daily report\nresult: 1\n',
        good=_HEAD + 'doc: "the daily report"\nresult: 1\n',
    ),
    Code(
        "F0006",
        "A key stands twice in one map",
        "YAML would keep one of the two and drop the other silently. Remove one, or rename it.",
        bad=_HEAD + "result: 1\nresult: 2\n",
        good=_HEAD + "result: 2\n",
    ),
    Code(
        "F0007",
        "A YAML tag is used",
        "A tag (`!name`) tells a YAML reader to build an object. A flow is plain data: what a value is "
        "follows from where it stands. A text that begins with `!` is written in quotes.",
        bad=_HEAD + "result: !int 3\n",
        good=_HEAD + "result: 3\n",
    ),
    Code(
        "F0008",
        "A YAML merge key is used",
        "`<<: *name` copies keys from elsewhere, so that a step no longer shows what it does, and readers of "
        "YAML disagree about what wins. Use `defaults` of the flow for what many calls share.",
        bad=_HEAD + "steps:\n  - &base\n    call: t.load()\n  - <<: *base\n    id: rows\n",
        good=_HEAD
        + "defaults: {timeout: 5m}\nsteps:\n  - call: t.load()\n  - id: rows\n    call: t.load()\n",
    ),
    Code(
        "F0009",
        "A key is a list or a map",
        "The keys of a flow are names. `{{ x }}` is a map in a map to YAML; a template is `${{ x }}`, and "
        "inside `{ }` it stands in quotes.",
        bad=_HEAD + "inputs: {day: date}\nsteps:\n  - call: t.load\n    with: {day: {{ day }}}\n",
        good=_HEAD + 'inputs: {day: date}\nsteps:\n  - call: t.load\n    with: {day: "${{ day }}"}\n',
    ),
    Code(
        "F0010",
        "An alias names no anchor",
        "`*name` repeats what was marked with `&name` earlier in the same document. A text that begins with "
        "`*` is written in quotes.",
        bad=_HEAD + "steps:\n  - call: t.load()\n    retry: *often\n",
        good=_HEAD + "steps:\n  - call: t.load()\n    retry: 3\n",
    ),
    Code(
        "F0011",
        "An alias stands inside what it repeats",
        "A value that contains itself has no end.",
        bad=_HEAD + "result: &loop [1, *loop]\n",
        good=_HEAD + "result: [1, [1]]\n",
    ),
    Code(
        "F0012",
        "A comment cuts off the rest of an expression",
        "To YAML, ` #` begins a comment, wherever it stands in a text without quotes. What follows never "
        "reaches the flow. Put the whole expression in quotes.",
        bad=_HEAD + 'result: len("a #1")\n',
        good=_HEAD + "result: 'len(\"a #1\")'\n",
    ),
    Code(
        "F0013",
        "A colon makes YAML take a part of a text for a key",
        "To YAML, a colon and a space end a key, wherever they stand in a text without quotes. Put the "
        "whole expression in quotes, or write the colon without the space.",
        bad=_HEAD + "inputs: {xs: 'list[int]'}\nresult: len(xs[1: 2])\n",
        good=_HEAD + "inputs: {xs: 'list[int]'}\nresult: len(xs[1:2])\n",
    ),
    Code(
        "F0014",
        "A comma or bracket cuts an expression inside YAML's own brackets",
        "Inside `[ ]` and `{ }` YAML ends a text without quotes at the next comma or bracket. Put the "
        "expression in quotes, or write the list or map over several lines.",
        bad=_HEAD + "result: [max(1, 2), 3]\n",
        good=_HEAD + 'result: ["max(1, 2)", 3]\n',
    ),
    Code(
        "F0015",
        "Text goes on after a closing quote or bracket",
        "A value that begins with a quote or a bracket is to YAML a text in quotes, a list or a map, "
        "which ends where the quote or bracket closes. An expression that begins so needs quotes around the "
        "whole of it.",
        bad=_HEAD + "result: 'a' + 'b'\n",
        good=_HEAD + "result: \"'a' + 'b'\"\n",
    ),
    Code(
        "F0016",
        "A text begins with a character that YAML keeps for itself",
        "A text without quotes cannot begin with one of ` @ % & * ! or with a dash or question mark and a "
        "space, and what begins with `[` or `{` is a list or a map. Put the text in quotes.",
        bad=_HEAD + "doc: @daily\nresult: 1\n",
        good=_HEAD + 'doc: "@daily"\nresult: 1\n',
    ),
    Code(
        "F0017",
        "An escape in double quotes is not one of YAML's",
        "In double quotes a backslash begins an escape, such as \\n or \\u00e9. Use single quotes, where a "
        "backslash is only a backslash, or double it.",
        bad=_HEAD + 'doc: "from C:\\data"\nresult: 1\n',
        good=_HEAD + "doc: 'from C:\\data'\nresult: 1\n",
    ),
    Code(
        "F0018",
        "A line is neither a key nor a list item",
        "Each line of a map is `key: value`, with a space after the colon; each item of a list begins with a "
        "dash and a space.",
        bad=_HEAD + "steps:\n  - id: rows\n    call: t.load()\n    retry 3\n    timeout: 5m\n",
        good=_HEAD + "steps:\n  - id: rows\n    call: t.load()\n    retry: 3\n    timeout: 5m\n",
    ),
    Code(
        "F0019",
        "The line belongs to no document",
        "A file is a row of documents divided by lines of `---`, one flow in each. Directives such as "
        "`%YAML` are not needed: a flow file is always YAML 1.2.",
        bad="%YAML 1.1\n---\n" + _HEAD + "result: 1\n",
        good=_HEAD + "result: 1\n",
    ),
    Code(
        "F0020",
        "YAML cannot read this",
        "The text breaks a rule of YAML's own syntax.",
        bad=_HEAD + "result: [1, , 2]\n",
        good=_HEAD + "result: [1, 2]\n",
    ),
    Code(
        "F0021",
        "A block text has a wrong first line",
        "`|` and `>` begin a block text: nothing may follow them on their line but `+`, `-`, a digit or a "
        "comment. A value that begins with `|` or `>` otherwise is written in quotes.",
        bad=_HEAD + "doc: > the daily report\nresult: 1\n",
        good=_HEAD + "doc: >\n  the daily report\nresult: 1\n",
    ),
)
