"""What is wrong with the shape of a flow: the code of each finding, where it stands, and what mends it."""

import pytest

from flowc.read_yaml.read import read
from flowc.resolve.file import resolve
from flowc.resolve.found import MOST
from flowc.resolve.pure import BUILTINS, METHODS
from flowc.span import Source
from flowrt.expr.builtins_table import BUILTINS as RUNTIME_BUILTINS
from flowrt.expr.methods import METHODS as RUNTIME_METHODS

HEAD = "flowc: 1\nuse: {t: shop.etl}\nevents: {ready: {}}\nflow: main\ninputs: {a: any, xs: list}\n"
OTHER = "---\nflow: other\ninputs: {a: any}\nresult: a\n"


def found_in(text):
    tree, unread = read(Source("main.flow.yaml", text))
    _, found = resolve(tree)
    return sorted([*unread, *found], key=lambda each: each.span.start)


def places(text):
    """The code of each finding and the text under its caret."""
    return [(each.code, text[each.span.start : each.span.end]) for each in found_in(text)]


def fixed(text, which=0):
    """The text after one of the fixes of its only finding."""
    (only,) = found_in(text)
    fix = only.fixes[which]
    return text[: fix.span.start] + fix.replacement + text[fix.span.end :]


STEPS = [
    # Keys
    ("{call: t.f(), timout: 5m}", [("F0101", "timout")]),
    ("{call: t.f(), args: {n: 1}}", [("F0101", "args")]),
    ("{call: t.f(), Retry: 3}", [("F0101", "Retry")]),
    ("{call: t.f(), colour: red}", [("F0101", "colour")]),
    ("{value: a, retry: 3}", [("F0114", "retry")]),
    ("{value: a, after: [b]}", [("F0114", "after")]),
    ("{return: a, id: b}", [("F0114", "id")]),
    ("{if: a, then: [], do: []}", [("F0114", "do")]),
    ("{if: a, do: []}", [("F0101", "do")]),
    ("{if: a}", [("F0102", "if")]),
    ("{for: x in xs}", [("F0102", "for")]),
    ("{for: x in xs, do: t.f(), graph: {b: t.f()}}", [("F0118", "graph")]),
    ("{wait: ready, else: [{fail: late}]}", [("F0102", "else")]),
    # Kinds
    ("{id: b}", [("F0106", "id")]),
    ("{cal: t.f()}", [("F0106", "cal")]),
    ("{fro: x in xs, do: t.f(x)}", [("F0106", "fro")]),
    ("{b: t.f()}", [("F0106", "b")]),
    ("t.f()", [("F0106", "t.f()")]),
    ("b = t.f()", [("F0106", "b = t.f()")]),
    ("[{call: t.f()}]", [("F0106", "[{call: t.f()}]")]),
    ("{call: t.f(), value: a}", [("F0107", "value")]),
    ("{if: a, then: [], call: t.f()}", [("F0107", "call")]),
    ("{for: x in xs, do: [{break: null}]}", [("F0106", "break")]),
    # What cannot run yet
    ("{try: [{call: t.f()}], catch: []}", [("F0103", "catch")]),
    ("{call: t.f(), cache: true, undo: t.g()}", [("F0128", "undo")]),
    ('{sleep: {cron: "0 9 * *", tz: UTC}}', [("F0504", '"0 9 * *"')]),
    ("{do: [{call: t.f()}], retry: never}", [("F0103", "never")]),
    ("{fail: null}", [("F0103", "null")]),
    ("{value: {1, 2}}", [("F0103", "{1, 2}")]),
    ("{value: {1: , b: 2}}", [("F0103", "")]),
    ("{call: other(a), heartbeat: 3s}", [("F0108", "heartbeat")]),
    ("{call: other(a), retry: never}", [("F0103", "never")]),
    ('{wait: "feeds.Price(a)"}', [("F0113", "feeds")]),
    ("{race: [{id: x, do: [], doc: {}}, {id: y, do: []}]}", [("F0103", "{}")]),
    # Lists and graphs
    ("{for: x in xs, do: {call: t.f(x)}}", [("F0105", "{call: t.f(x)}")]),
    ("{for: x in xs, do: {b: t.f(x)}}", [("F0105", "{b: t.f(x)}")]),
    ("{graph: [{id: b, call: t.f()}]}", [("F0104", "[{id: b, call: t.f()}]")]),
    ("{graph: t.f()}", [("F0103", "t.f()")]),
    ("{for: x in xs, do: }", [("F0103", "do")]),
    ("{graph: {b: , c: [1], d: null}}", [("F0106", "b"), ("F0106", "c")]),
    ("{graph: {d: {id: d, value: 1}}}", [("F0114", "id")]),
    # Expressions
    ('{value: "${{ a }} + 1"}', [("F0109", "${{ a }}")]),
    ('{value: "${{ a"}', [("F0110", "${{")]),
    ("{value: }", [("F0103", "")]),
    ('{call: t.f, with: {b: "x ${{ a"}}', [("F0110", "${{")]),
    ("{value: a b}", [("F0301", "a b")]),
    ("{for: xs, do: t.f()}", [("F0103", "xs")]),
    ('{for: "x, y in xs", do: t.f()}', [("F0111", "x, y")]),
    ('{value: "t.f() if a else 1"}', [("F0112", "t.f()")]),
    ('{value: "a and t.f()"}', [("F0112", "t.f()")]),
    ('{value: "a < 1 < t.f()"}', [("F0112", "t.f()")]),
    ('{value: "[t.f(x) for x in xs]"}', [("F0112", "t.f(x)")]),
    ('{value: "[x for x in xs if now() > x]"}', [("F0112", "now()")]),
    ('{value: "[x for x in xs for y in t.f(x)]"}', [("F0112", "t.f(x)")]),
    ("{wait: ready, match: t.f(event)}", [("F0112", "t.f(event)")]),
    # Names
    ("{id: my-rows, call: t.f()}", [("F0111", "my-rows")]),
    ("{id: class, call: t.f()}", [("F0111", "class")]),
    ("{id: __all__, call: t.f()}", [("F0111", "__all__")]),
    ("{id: t, call: t.f()}", [("F0111", "t")]),
    ("{id: run, call: t.f()}", [("F0111", "run")]),
    ("{id: 3, call: t.f()}", [("F0111", "3")]),
    ("{id: [b], call: t.f()}", [("F0103", "[b]")]),
    ('{id: "${{ a }}", call: t.f()}', [("F0123", '"${{ a }}"')]),
    # Callees and arguments
    ("{call: u.f()}", [("F0113", "u")]),
    ("{call: shop.etl.f()}", [("F0113", "shop.etl.f")]),
    ("{call: othr(a)}", [("F0113", "othr")]),
    ("{value: lenn(a) + 1}", [("F0113", "lenn")]),
    ("{call: len(a)}", [("F0116", "len(a)")]),
    ("{value: a.load(xs) + 1}", [("F0113", "load")]),
    ("{value: a.uper() + a.b.upper() + 'x'.uper()}", [("F0113", "uper"), ("F0113", "uper")]),
    ("{value: xs.append(a)}", [("F0113", "append")]),
    ("{call: [t.f]}", [("F0116", "[t.f]")]),
    ("{call: t.f(n=1), with: {n: 2}}", [("F0124", "n")]),
    ("{call: t.f(), with: [1]}", [("F0103", "[1]")]),
    ("{call: t.f(), with: {my-name: 1}}", [("F0111", "my-name")]),
    ("{value: now(1)}", [("F0116", "now")]),
    ("""{value: 'secret("A")'}""", [("F0117", 'secret("A")')]),
    ("""{call: 'other(secret("A"))'}""", [("F0117", 'secret("A")')]),
    ("{call: t.f(secret(a))}", [("F0117", "secret(a)")]),
    # Options, retry, exceptions, words
    ("{call: t.f(), options: {cpus: 2}}", [("F0125", "cpus")]),
    ("{call: t.f(), options: {max_retries: 2}}", [("F0125", "max_retries")]),
    ("{call: t.f(), options: 3}", [("F0103", "3")]),
    ("{call: t.f(), retry: -1}", [("F0103", "-1")]),
    ("{call: t.f(), retry: true}", [("F0103", "true")]),
    ("{call: t.f(), retry: {max: 1.5, factor: 0}}", [("F0103", "1.5"), ("F0103", "0")]),
    ("{call: t.f(), retry: {jitter: half}}", [("F0121", "half")]),
    (
        "{call: t.f(), retry: {catch: [OSEror, u.Busy, print]}}",
        [("F0115", "OSEror"), ("F0115", "u.Busy"), ("F0115", "print")],
    ),
    ("{for: x in xs, errors: ignore, do: t.f(x)}", [("F0121", "ignore")]),
    ("{raise: other(a)}", [("F0115", "other")]),
    ("{raise: Rejected(a)}", [("F0115", "Rejected")]),
    ("{fail: [a]}", [("F0103", "[a]")]),
    # Times and sizes
    ("{sleep: 30}", [("F0501", "30")]),
    ('{sleep: "30"}', [("F0501", '"30"')]),
    ("{sleep: soon}", [("F0502", "soon")]),
    ("{sleep: {until: 2026-01-31}}", [("F0502", "2026-01-31")]),
    ("{call: t.f(), timeout: [5m]}", [("F0502", "[5m]")]),
    ("{call: t.f(), retry: {delay: 3, within: 1 hour}}", [("F0501", "3"), ("F0502", "1 hour")]),
    ("{call: t.f(), options: {memory: much}}", [("F0503", "much")]),
    # Events
    ("{wait: ready(a)}", [("F0103", "ready(a)")]),
    ("{emit: [ready]}", [("F0103", "[ready]")]),
]


@pytest.mark.parametrize(("step", "expected"), STEPS, ids=[step for step, _ in STEPS])
def test_findings_of_a_step(step, expected):
    assert places(f"{HEAD}steps:\n  - {step}\n{OTHER}") == expected


FILES = [
    ("flowc: 1\nuse: {etl: a}\nflow: a\nresult: elt.load() + 1\n", [("F0113", "elt")]),
    ("", [("F0122", "")]),
    ("# nothing\n---\n", [("F0122", "")]),
    ("- a\n", [("F0103", "-")]),
    ("flow: main\nsteps: []\n", [("F0120", "")]),
    ("flowc: 2\nflow: main\nsteps: []\n", [("F0120", "2")]),
    ("flowc: 1\nsteps: []\n", [("F0102", "flowc")]),
    ("flowc: 1\nflow: main\n", [("F0102", "flow")]),
    ("flowc: 1\nflow: main\nsteps: []\ngraph: {}\n", [("F0118", "graph")]),
    ("flowc: 1\nflow: len\nsteps: []\n", [("F0111", "len")]),
    ("flowc: 1\nflow: a\nsteps: []\n---\nflow: a\nsteps: []\n", [("F0127", "a")]),
    ("flowc: 1\nflow: a\nsteps: []\n---\nuse: {}\nflow: b\nsteps: []\n", [("F0126", "use")]),
    ("flowc: 1\nflow: a\ndo: []\n", [("F0101", "do")]),
    ("flowc: 1\nflow: a\nschedule: {evry: 1h}\nsteps: []\n", [("F0101", "evry")]),
    ("flowc: 1\nflow: a\ntimeout: 3\nsteps: []\n", [("F0501", "3")]),
    ('flowc: 1\nflow: a\nlabels: {a: "${{ b }}"}\nsteps: []\n', [("F0123", '"${{ b }}"')]),
    ("flowc: 1\nuse: t\nflow: a\nsteps: [{call: t.f()}]\n", [("F0103", "t")]),
    ("flowc: 1\nuse: {t: a/b.py}\nflow: a\nsteps: [{call: t.f()}]\n", [("F0103", "a/b.py")]),
    ("flowc: 1\nuse: {c: ./c.flow.yaml}\nflow: a\nsteps: [{call: c.f()}]\n", []),
    ("flowc: 1\nactors: {c: t.C}\nflow: a\nsteps: [{call: c(1).f()}]\n", [("F0113", "t.C")]),
    ("flowc: 1\nactors: [c]\nflow: a\nsteps: [{call: c(1).f()}]\n", [("F0103", "[c]")]),
    ("flowc: 1\nactors: {c: 3}\nflow: a\nsteps: [{call: c(1).f()}]\n", [("F0103", "3")]),
    ("flowc: 1\nactors: {len: t:C}\nflow: a\nsteps: [{call: len(1).f()}]\n", [("F0111", "len")]),
    ("flowc: 1\nactors: {a: t:C}\nflow: a\nsteps: [{value: 1}]\n", [("F0111", "a")]),
    ("flowc: 1\nactors: {c: t:C}\nflow: a\nsteps: [{call: c().f()}]\n", [("F0116", "c()")]),
    ("flowc: 1\nactors: {c: t:C}\nflow: a\nsteps: [{call: c(1).f, with: {a: 1}}]\n", []),
    ("flowc: 1\nevents: {e: str}\nflow: a\nsteps: []\n", [("F0103", "str")]),
    ("flowc: 1\nevents: {e: {tpe: str}}\nflow: a\nsteps: []\n", [("F0101", "tpe")]),
]


@pytest.mark.parametrize(("text", "expected"), FILES, ids=[text for text, _ in FILES])
def test_findings_of_a_file(text, expected):
    assert places(text) == expected


INPUTS = [
    ("{type: int, default: 3.5}", [("F0119", "3.5")]),
    ("{type: int, default: true}", [("F0119", "true")]),
    ("{type: str, default: 3}", [("F0119", "3")]),
    ("{type: bool, default: 'yes'}", [("F0119", "'yes'")]),
    ("{type: int, default: null}", [("F0119", "null")]),
    ("{type: int | None, default: null}", []),
    ("{type: int | str, default: x}", []),
    ("{type: date, default: 2026-13-01}", [("F0119", "2026-13-01")]),
    ("{type: duration, default: 5}", [("F0119", "5")]),
    ("{type: 'list[int]', default: [1, x]}", [("F0119", "[1, x]")]),
    ("{type: 'dict[str, int]', default: {b: x}}", [("F0119", "{b: x}")]),
    ("{type: t.Order, default: {b: x}}", []),
    ("{type: int, default: 1, min: 2}", [("F0119", "1")]),
    ("{type: int, default: 3, max: 2}", [("F0119", "3")]),
    ("{type: int, min: 3, max: 2}", [("F0119", "2")]),
    ("{type: str, default: c, choices: [a, b]}", [("F0119", "c")]),
    ("{type: int, default: '${{ b }}'}", [("F0119", "'${{ b }}'")]),
    ("{type: int, default: '${{ t.f() }}'}", [("F0112", "t.f()")]),
    ("{type: int, defalt: 3}", [("F0101", "defalt")]),
    ("{doc: text}", [("F0102", "n")]),
    ("[int]", [("F0103", "[int]")]),
    ("strng", [("F0312", "strng")]),
]


@pytest.mark.parametrize(("text", "expected"), INPUTS, ids=[text for text, _ in INPUTS])
def test_findings_of_an_input(text, expected):
    assert (
        places(f"flowc: 1\nuse: {{t: shop.etl}}\nflow: main\ninputs: {{n: {text}}}\nsteps: []\n") == expected
    )


FIXES = [
    ("steps:\n  - call: t.f()\n    timout: 5m\n", "steps:\n  - call: t.f()\n    timeout: 5m\n"),
    ("steps:\n  - cal: t.f()\n", "steps:\n  - call: t.f()\n"),
    ("steps:\n  - t.f()\n", "steps:\n  - call: t.f()\n"),
    ("steps:\n  - b: t.f()\n", "steps:\n  - id: b\n    call: t.f()\n"),
    ("steps:\n  - sleep: 5\n", "steps:\n  - sleep: 5s\n"),
    ("steps:\n  - sleep: pause\n", 'steps:\n  - sleep: "${{ pause }}"\n'),
    ("steps:\n  - sleep: {until: 2026-01-31}\n", 'steps:\n  - sleep: {until: datetime("2026-01-31")}\n'),
    ("steps:\n  - id: b\n    call: len(xs)\n", "steps:\n  - id: b\n    value: len(xs)\n"),
    ("steps:\n  - value: ${{ a }} + 1\n", "steps:\n  - value: a + 1\n"),
    ("steps:\n  - value: part ${{ a }}\n", 'steps:\n  - value: f"part {a}"\n'),
    ("steps:\n  - id: my-rows\n    call: t.f()\n", "steps:\n  - id: my_rows\n    call: t.f()\n"),
    ("steps:\n  - call: shop.etl.f()\n", "steps:\n  - call: t.f()\n"),
    (
        "steps:\n  id: b\n  call: t.f\n  with:\n    n: |\n      text\n",
        "steps:\n  - id: b\n    call: t.f\n    with:\n      n: |\n        text\n",
    ),
    (
        "steps:\n  - for: x in xs\n    do:\n      call: t.f(x)\n      retry: 3\n",
        "steps:\n  - for: x in xs\n    do:\n      - call: t.f(x)\n        retry: 3\n",
    ),
    (
        "steps:\n  - for: x in xs\n    do: {call: t.f(x)}\n",
        "steps:\n  - for: x in xs\n    do: [{call: t.f(x)}]\n",
    ),
    ("steps:\n  b: t.f()\n  c: t.g(b)\n", "graph:\n  b: t.f()\n  c: t.g(b)\n"),
    (
        "graph:\n  - id: b\n    call: t.f()\n  - id: c\n    call: t.g(b)\n    with:\n      n: 1\n",
        "graph:\n  b: t.f()\n  c:\n    call: t.g(b)\n    with:\n      n: 1\n",
    ),
    ("graph:\n  - call: t.f()\n", "steps:\n  - call: t.f()\n"),
    ("steps:\n  - graph:\n      - call: t.f()\n", "steps:\n  - do:\n      - call: t.f()\n"),
    ("steps:\n  - for: xs\n    do: t.f()\n", "steps:\n  - for: item in xs\n    do: t.f()\n"),
]


@pytest.mark.parametrize(("text", "expected"), FIXES, ids=[text for text, _ in FIXES])
def test_a_fix_mends_its_finding(text, expected):
    mended = fixed(HEAD + text)
    assert mended == HEAD + expected
    assert places(mended) == []


@pytest.mark.parametrize(
    "body",
    [
        "  - id: b\n    unheard: [{id: c, do: t.f()}]\n  - call: t.g(b, c)\n",
        "  - cal: t.f()\n    id: b\n  - call: t.g(b)\n",
        "  - b: t.f()\n  - call: t.g(b)\n",
        "  - b = t.f()\n  - call: t.g(b)\n",
        "  - id: b\n    call: u.f()\n  - call: t.g(b)\n",
        "  - id: b\n    value: a +\n  - call: t.g(b)\n",
        "  - for: xs\n    do: t.g(x)\n",
    ],
)
def test_what_is_reported_still_assigns_its_names(body):
    text = f"{HEAD}steps:\n{body}"
    tree, _ = read(Source("main.flow.yaml", text))
    file, found = resolve(tree)
    assert len(found) == 1
    names = {step.meta.id.text for step in file.flows[0].body.steps if step.meta.id}
    assert names >= {name for name in "bc" if f"({name}" in text or f", {name})" in text}


def test_what_is_missing_is_not_missed_in_a_file_that_could_not_be_read():
    text = f"{HEAD}steps:\n  - call: later(a)\n---\nflow: later\nsteps: [\n"
    assert {code[:3] for code, _ in places(text)} == {"F00"}


def test_all_documents_and_their_findings_are_there():
    text = f"{HEAD}steps:\n  - sleep: 3\n---\nflow: second\nsteps:\n  - sleep: 4\n"
    tree, _ = read(Source("main.flow.yaml", text))
    file, found = resolve(tree)
    assert [flow.name.text for flow in file.flows] == ["main", "second"]
    assert [each.code for each in found] == ["F0501", "F0501"]


def test_the_functions_and_methods_are_those_of_the_runtime():
    assert set(RUNTIME_BUILTINS) == BUILTINS
    assert {name for _, names in RUNTIME_METHODS for name in names} == METHODS


def test_a_file_that_is_something_else_is_given_up_soon():
    text = HEAD + "".join(f"k{n}: 1\n" for n in range(5_000))
    file, found = resolve(read(Source("main.flow.yaml", text))[0])
    assert file is None
    assert [each.severity for each in found[MOST:]] == ["info"]
    assert found[-1].message == "the file has 500 findings; what follows was not looked at"


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("${{ a }}${{ a }}", 'f"{a}{a}"'),
        ("item_${{ a }}", 'f"item_{a}"'),
        ("${{ a }}x", 'f"{a}x"'),
        ("${{ a }} + 1", "a + 1"),
        ("xs[${{ a }}]", "xs[a]"),
    ],
)
def test_values_beside_words_are_meant_as_a_text(text, better):
    found = found_in(f"flowc: 1\nflow: f\ninputs: {{a: int, xs: list}}\nsteps:\n  - value: {text}\n")
    assert [each.help for each in found] == [f"write `{better}`"]
