"""Keys that other languages have where this one has something else, and what to do instead. Tables only."""

from collections.abc import Mapping

ADVICE: Mapping[tuple[str, str], str] = {
    ("an input", "required"): "an input without a `default` is required: leave this out",
    ("an input", "optional"): "an input with a `default` may be left out: write `default: null`",
    ("a `for` step", "in"): "the items stand beside the name: `for: x in items`",
    ("a `for` step", "as"): "the name stands before the items: `for: x in items`",
    ("a `lock` step", "timeout"): "put the lock under `do:`, which may have a `timeout`",
    ("a `try` step", "do"): "what is done about a failure stands in the `catch`: `{type: OSError, do: […]}`",
    ("a `try` step", "else"): "put what follows a success at the end of `try`, or behind this step",
    ("a `while` step", "else"): "put it behind the loop",
    ("a `for` step", "else"): "put it behind the loop",
}
"""By the title of a construct, and the key that it does not have."""

STEP_ADVICE: Mapping[str, str] = {
    "parallel": "steps that run at the same time stand in `graph:`, each under a name; for many items there "
    "is `for: x in items` with `parallel: 8`",
    "sequence": "a list runs from top to bottom; a list inside of a step stands under `do:`",
    "steps": "steps inside of a step stand under `do:`",
    "output": "the value of a flow is what it returns: `return: …`",
    "outputs": "the value of a flow is what it returns: `return: …`",
    "print": "a flow prints nothing itself: print in a task",
    "log": "a flow prints nothing itself: print in a task",
    "echo": "a flow prints nothing itself: print in a task",
    "script": "a step calls a function of Python, which may start a process: `call: t.run(…)`",
    "shell": "a step calls a function of Python, which may start a process: `call: t.run(…)`",
    "command": "a step calls a function of Python, which may start a process: `call: t.run(…)`",
    "pass": "a step that does nothing is left out; a block without steps is `[]`",
}
"""By the key of what is no step."""
