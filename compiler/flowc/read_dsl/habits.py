"""A line comes in that is no statement; if another language has it so, what to write here goes out.

Each habit is a pattern of the whole line and the sentences about it. In `message`, `help` and `better` the
groups of the pattern stand in braces. `better` is the line as it should be, where that is certain.
"""

import re

from flowc.diagnostic import Diagnostic, Fix
from flowc.span import Source, Span
from flowrt.noun import noun
from flowrt.pattern import pattern

_PYTHON = "F0032"
_YAML = "F0033"
_PLACE = "F0034"
_N = r"[^\W\d]\w*"
_D = rf"{_N}(?:\.{_N})*"


@noun
class Habit:
    """A pattern, the code of the finding, its sentence, and the way out; `better` replaces the line."""

    form: re.Pattern[str]
    code: str
    message: str
    help: str
    better: str = ""


def _habit(form: str, code: str, message: str, help_: str, better: str = "") -> Habit:
    return Habit(pattern(form, re.DOTALL), code, message, help_, better)


STUCK = (
    _habit(
        rf"import\s+(?P<m>{_D})\s+as\s+(?P<a>{_N})\Z",
        _PYTHON,
        "modules are imported by `use`",
        "write `use {m} as {a}`; nothing is imported before the flow runs",
        "use {m} as {a}",
    ),
    _habit(
        rf"import\s+(?P<m>(?:{_N}\.)*(?P<a>{_N}))\Z",
        _PYTHON,
        "modules are imported by `use`",
        "write `use {m} as {a}`, and call its functions as `{a}.name(…)`",
        "use {m} as {a}",
    ),
    _habit(
        rf"from\s+(?P<m>(?:{_N}\.)*(?P<a>{_N}))\s+import\b.*",
        _PYTHON,
        "modules are imported by `use`, as a whole",
        "write `use {m} as {a}`, and call its functions as `{a}.name(…)`",
        "use {m} as {a}",
    ),
    _habit(
        r"(?:import|from)\b.*",
        _PYTHON,
        "modules are imported by `use`",
        "write `use package.module as alias`",
    ),
    _habit(
        rf"use\s+(?P<m>(?:{_N}\.)*(?P<a>{_N}))\Z",
        "F0030",
        "a module is used under an alias",
        "write `use {m} as {a}`",
        "use {m} as {a}",
    ),
    _habit(
        r"use\s.*,.*",
        "F0030",
        "each `use` names one module",
        "write a line for each: `use package.module as alias`",
    ),
    _habit(
        r"(?:async\s+)?def\s+(?P<rest>.*)",
        _PYTHON,
        "a flow begins with `flow`, not with `def`",
        "write `flow {rest}`; a function of Python stays in its module and is called from here",
        "flow {rest}",
    ),
    _habit(
        r"class\b.*",
        _PYTHON,
        "classes are not defined in a flow",
        "define it in a Python module, and name it through `use package.module as alias`",
    ),
    _habit(
        rf"flow\s+(?P<n>{_N})\s*:?\Z",
        "F0030",
        "the inputs of a flow are missing",
        "write `flow {n}():`, or `flow {n}(day: date):`",
        "flow {n}():",
    ),
    _habit(
        rf"(?P<v>{_N}\s*=\s*)?(?:await)\s+(?P<rest>.*)",
        _PYTHON,
        "`await` is not needed: a step is waited for",
        "leave it out, also before a call of an `async def`",
        "{v}{rest}",
    ),
    _habit(
        r"async\s+(?P<rest>.*)",
        _PYTHON,
        "`async` is not needed: every step may wait",
        "leave it out; what shall run at the same time stands in `graph:` or in `for … parallel n:`",
        "{rest}",
    ),
    _habit(
        r"with\b.*",
        _PYTHON,
        "`with` is not in the language",
        "open and close within one task; steps that are to be taken back stand in `saga:`, and what must run "
        "at the end in the `finally:` of a `try:`",
    ),
    _habit(
        rf"(?:{_N}\s*=\s*)?yield\b.*",
        _PYTHON,
        "`yield` is not in the language",
        "a `for` gives the list of its values; a task that yields returns a list instead",
    ),
    _habit(
        r"assert\s+(?P<c>.*)",
        _PYTHON,
        "`assert` is not in the language",
        'write `if not (…):` and below it `fail "what is wrong"`',
    ),
    _habit(
        r"(?:del|global|nonlocal)\b.*",
        _PYTHON,
        "names are not declared or removed",
        "a name is assigned by `name = …`, and can be assigned again",
    ),
    _habit(
        r"except\b(?P<rest>.*)",
        _PYTHON,
        "errors are caught by `catch`, not by `except`",
        "write `catch{rest}`",
        "catch{rest}",
    ),
    _habit(
        r"catch\s*\((?P<c>[^()]*)\)(?P<rest>.*)",
        "F0030",
        "the classes of a `catch` stand without brackets",
        "write `catch {c}{rest}`",
        "catch {c}{rest}",
    ),
    _habit(
        r"match\s+(?P<e>.*):\Z",
        _PYTHON,
        "a choice among values is `switch`, not `match`",
        "write `switch {e}:`, with `case value:` and `else:` below it",
        "switch {e}:",
    ),
    _habit(
        r"default\s*:\Z",
        "F0030",
        "the case of every other value is `else:`",
        "write `else:`, in the column of the `case` lines",
        "else:",
    ),
    _habit(
        r"(?:else\s+if|elseif|elsif)\b\s*(?P<e>.*)",
        "F0030",
        "another condition is `elif`",
        "write `elif {e}`",
        "elif {e}",
    ),
    _habit(
        r"elif\b.*",
        _PLACE,
        "this `elif` has no `if`",
        "it stands in the column of its `if`, behind the steps of that, and `else:` comes last",
    ),
    _habit(
        r"else\s*:.*",
        _PLACE,
        "this `else` has no `if`",
        "it stands in the column of its `if`, or of the `case` lines of a `switch`; a loop has none",
    ),
    _habit(r"case\b.*", _PLACE, "this `case` has no `switch`", "it stands below `switch value:`, indented"),
    _habit(
        r"(?P<w>catch|finally)\b.*",
        _PLACE,
        "this `{w}` has no `try`",
        "it stands in the column of its `try`, behind the steps of that; `finally:` comes last",
    ),
    _habit(
        r"until\b.*",
        _PLACE,
        "this `until` has no `repeat`",
        "it stands in the column of its `repeat:`, behind the steps that are repeated",
    ),
    _habit(
        r"(?P<h>raise\b.*\S)\s+from\s.*",
        _PYTHON,
        "an error is raised without `from`",
        "write `{h}`; what was caught is in the history of the run",
        "{h}",
    ),
    _habit(
        rf"(?!emit\b)(?:{_N}\s*=\s*)?{_D}\(.*\)\s+with\s+{_N}\s*=.*",
        "F0030",
        "`with` is not in the DSL: all arguments stand in the brackets of the call",
        "write `t.f(a, n=1)`",
    ),
    _habit(
        r"raise\Z",
        _PYTHON,
        "`raise` needs the error",
        "name it: `catch Exception as e:` and `raise e`",
    ),
    _habit(
        r"-{3,}\Z",
        "F0030",
        "flows stand one after another here, without `---` between them",
        "leave the line out; `---` is for `….flow.yaml` files",
    ),
    _habit(
        r"flowc\b\s*:?\s*\d+\Z",
        "F0030",
        "the version of the language is not written here",
        "leave the line out; `flowc: 1` stands in `….flow.yaml` files",
    ),
    _habit(
        r"(?P<k>steps|graph|inputs|use|events|actors|do|then|else|call|labels|defaults)\s*:\s*[^\s:].*",
        _YAML,
        "this is the YAML of a flow",
        "here a step is a statement, such as `x = t.f(a)`; YAML is kept in a file named `….flow.yaml`",
    ),
    _habit(
        r"(?:return|raise|if|for|while)\s*:\s.*",
        _YAML,
        "this is the YAML of a flow",
        "here a step is a statement, such as `x = t.f(a)`; YAML is kept in a file named `….flow.yaml`",
    ),
    _habit(
        r"(?P<k>steps|inputs|use|events|actors|then|labels|defaults)\s*:\Z",
        _YAML,
        "this is the YAML of a flow",
        "here a step is a statement, such as `x = t.f(a)`; YAML is kept in a file named `….flow.yaml`",
    ),
    _habit(
        r"return\s+(?P<w>start|wait|emit|sleep|race|switch|lock)\s+(?P<e>.*[^:])\Z",
        "F0030",
        "`{w}` is a step of its own",
        "write `x = {w} {e}`, and below it `return x`",
    ),
    _habit(
        rf"(?P<n>{_N})\s*:\s+(?P<e>[^\s#].*[^:])\Z",
        "F0030",
        "a step gets its name by `=`",
        "write `{n} = {e}`; a branch of a race has its steps below `{n}:`, indented",
    ),
    _habit(
        r"(?:if|elif|for|while|switch|case|repeat|try|saga|graph|race|do|lock|catch)\b"
        r"(?:[^()\[\]{}:]|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\})*:[ \t]+[^\s#].*",
        "F0030",
        "the steps of a block stand on lines of their own",
        "write them below this line, indented",
    ),
)
"""Lines that the grammar does not take."""

TAKEN = (
    _habit(
        rf"(?P<n>{_N})\s*(?P<o>\+|-|\*\*|\*|//|/|%)=(?!=)\s*(?P<e>.*)",
        _PYTHON,
        "`{o}=` is not in the language",
        "write `{n} = {n} {o} {e}`",
        "{n} = {n} {o} {e}",
    ),
    _habit(
        rf"(?P<n>{_N})\s*:=\s*(?P<e>.*)",
        _PYTHON,
        "`:=` is not in the language",
        "write `{n} = {e}`",
        "{n} = {e}",
    ),
    _habit(
        r"(?:-\s+)?(?:flowc|flow|id|call|value|if|for|while|until|do|then|steps|graph|with|retry|timeout|wait|emit|"
        r"return|raise|fail|sleep|switch|race|try|saga|lock|start|use|inputs|returns|doc|key|match|undo|options|"
        r"parallel|errors|collect|result|catch|cases)\s*:\s.*",
        _YAML,
        "this is the YAML of a flow",
        "here a step is a statement, such as `x = t.f(a)`; YAML is kept in a file named `….flow.yaml`",
    ),
    _habit(
        rf"(?P<n>{_N})\s*:\s*{_D}[^=:]*?=(?!=)\s*(?P<e>.*)",
        _PYTHON,
        "the type of a step is not declared",
        "write `{n} = {e}`; types stand at the inputs and the result of a flow",
        "{n} = {e}",
    ),
    _habit(
        rf"(?P<n>{_N})\s*:\s+(?P<e>[^\s#].*[^:])\Z",
        "F0030",
        "a step gets its name by `=`",
        "write `{n} = {e}`",
        "{n} = {e}",
    ),
    _habit(
        rf"\(?{_N}\s*(?:,\s*{_N}\s*)+\)?=(?!=).*",
        _PYTHON,
        "a step assigns one name",
        "name the whole, such as `pair = …`, and read its parts by `pair[0]`, `pair[1]`",
    ),
    _habit(
        rf"{_D}(?:\[[^\]]*\]|\.{_N})+\s*=(?!=).*",
        _PYTHON,
        "a part of a value cannot be assigned",
        "assign a new value to a name: values are recorded and do not change afterwards",
    ),
    _habit(
        r"@.*",
        _PYTHON,
        "decorators are not in the language",
        "what they say stands behind the call: `x = t.f(a) retry 3 options num_cpus=2`",
    ),
    _habit(
        r"print\s*\(.*",
        _PYTHON,
        "a flow prints nothing itself",
        "print in a task, whose output is shown by `flowc run`; the value of a run is its `return`",
    ),
    _habit(
        r"(?P<w>sleep|wait|emit|start|switch|retry|timeout|lock)\s*\((?P<e>.*)\)\Z",
        "F0030",
        "`{w}` is a statement, not a function",
        "write `{w} {e}`, without brackets",
        "{w} {e}",
    ),
)
"""Lines that are expressions to the grammar, and were meant as something else."""


def find_habit(source: Source, span: Span, habits: tuple[Habit, ...]) -> Diagnostic | None:
    """The finding about a line, when it is one of some habits."""
    text = source.text[span.start : span.end]
    for habit in habits:
        found = habit.form.match(text)
        if found is not None:
            words = {name: group or "" for name, group in found.groupdict().items()}
            shown = {name: word if len(word) <= _SHOWN else "…" for name, word in words.items()}
            better = habit.better.format(**words)
            title = f"write `{habit.better.format(**shown)}`"
            fixes = (Fix(span, better, title, safe=True),) if better else ()
            return Diagnostic(
                habit.code,
                habit.message.format(**shown),
                source,
                span,
                help=habit.help.format(**shown),
                fixes=fixes,
            )
    return None


_SHOWN = 60
