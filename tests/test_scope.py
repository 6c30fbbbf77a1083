"""Which names hold where: tables of small flows, each with the findings it has as `CODE:line:word`."""

import pytest

from flowc.checks.check import check
from flowc.lower.file import lower
from flowc.read_yaml.read import read_bytes
from flowc.resolve.file import resolve

HEAD = """\
flowc: 1
use: {t: m}
events: {e: {}}
flow: f
inputs: {c: bool, n: int, xs: 'list[int]'}
"""
HEAD_LINES = HEAD.count("\n")


def found(body: str) -> str:
    """The findings; lines are counted from the first of the body."""
    text = HEAD + body
    tree, reading = read_bytes("f.flow.yaml", text.encode())
    file, resolving = resolve(tree)
    assert not reading
    assert not resolving, resolving
    assert file is not None
    shown = []
    for each in check(file):
        line, _ = each.source.position(each.span.start)
        word = text[each.span.start : each.span.end].partition("\n")[0]
        shown.append(f"{each.code}:{line - HEAD_LINES}:{word}")
    return " ".join(shown)


def cases(text: str) -> list[tuple[str, str, str]]:
    """Chunks of `== title => findings` and the body that has them."""
    made = []
    for chunk in text.split("\n== ")[1:]:
        head, _, body = chunk.partition("\n")
        title, _, expected = head.partition(" =>")
        made.append((title, body + "\n", expected.strip()))
    return made


BRANCHES = """
== assigned in both arms =>
steps:
  - if: c
    then: [{id: a, value: 1}]
    else: [{id: a, value: 2}]
  - return: a
== assigned in one arm => F0202:4:a
steps:
  - if: c
    then: [{id: a, value: 1}]
  - return: a
== assigned before and in one arm =>
steps:
  - {id: a, value: 0}
  - if: c
    then: [{id: a, value: a + 1}]
  - return: a
== the other arm returns =>
steps:
  - if: c
    then: [{id: a, value: 1}]
    else: [{return: 0}]
  - return: a
== the other arm fails =>
steps:
  - if: c
    then: [{fail: no}]
    else: [{id: a, value: 1}]
  - return: a
== the other arm raises in an inner branch => F0202:8:a
steps:
  - if: c
    then: [{id: a, value: 1}]
    else:
      - if: n > 1
        then: [{raise: ValueError(n)}]
  - {id: b, value: 1}
  - return: a + b
== read twice, reported once => F0202:4:a
steps:
  - if: c
    then: [{id: a, value: 1}]
  - return: a + a
== read in the other arm => F0201:4:a
steps:
  - if: c
    then: [{id: a, value: 1}]
    else: [{return: a}]
== missing, then assigned on every path =>
steps:
  - if: c
    then: [{id: a, value: 1}, {call: t.f(a)}]
  - {id: a, value: 2}
  - return: a
== arms within arms =>
steps:
  - if: c
    then:
      - if: n > 1
        then: [{id: a, value: 1}]
        else: [{id: a, value: 2}]
    else:
      - do: [{id: a, value: 3}]
  - return: a
== the id of a branch =>
steps:
  - id: a
    if: c
    then: [{value: 1}]
  - return: a
== both arms leave => F0211:5:call: t.f()
steps:
  - if: c
    then: [{return: 1}]
    else: [{fail: no}]
  - call: t.f()
  - call: t.f()
== what is missing in dead code is no finding => F0211:5:if: c
steps:
  - if: c
    then: [{return: 1}]
    else: [{return: 2}]
  - if: c
    then: [{id: a, value: 1}]
  - return: a
== two names missing => F0202:4:a F0202:4:b
steps:
  - if: c
    then: [{id: a, value: 1}, {id: b, value: 1}]
  - return: a + b
"""

LOOPS = """
== carried by a sequential loop =>
steps:
  - {id: a, value: 0}
  - for: x in xs
    do: [{id: a, value: a + x}]
  - return: a
== new in a body => F0203:4:a
steps:
  - for: x in xs
    do: [{id: a, value: x}]
  - return: a
== the variable after the loop => F0203:4:x
steps:
  - for: x in xs
    do: [{call: t.f(x)}]
  - return: x
== missing before the loop, assigned in it => F0202:6:a
steps:
  - if: c
    then: [{id: a, value: 1}]
  - for: x in xs
    do: [{id: a, value: x}]
  - return: a
== the variable may be used again =>
steps:
  - for: x in xs
    do: [{call: t.f(x)}]
  - for: x in xs
    do: [{id: x, value: x + 1}, {call: t.f(x)}]
== the variable hides an input => F0219:2:n
steps:
  - for: n in xs
    do: [{call: t.f(n)}]
== the variable hides that of the loop around => F0219:4:x
steps:
  - for: x in xs
    do:
      - for: x in xs
        do: [{call: t.f(x)}]
== until reads what its body assigns =>
steps:
  - until: a
    do: [{id: a, call: t.f()}]
== until after continue => F0202:2:a
steps:
  - until: a
    do:
      - if: c
        then: [continue]
      - {id: a, call: t.f()}
== until with the name before continue =>
steps:
  - until: a
    do:
      - {id: a, call: t.f()}
      - if: c
        then: [continue]
      - call: t.g()
== until whose body always goes on => F0211:6:call: t.f()
steps:
  - until: a
    do:
      - {id: a, call: t.f()}
      - continue
      - call: t.f()
== until with a continue of an inner loop =>
steps:
  - until: a
    do:
      - for: x in xs
        do: [continue]
      - {id: a, call: t.f()}
== a break does not reach the condition =>
steps:
  - until: a
    do:
      - if: c
        then: [break]
      - {id: a, call: t.f()}
== while reads only what is there before => F0201:2:a
steps:
  - while: a
    do: [{id: a, call: t.f()}]
== a call in the condition =>
steps:
  - {id: a, value: 0}
  - while: t.more(a)
    do: [{id: a, value: a + 1}]
  - until: t.done(b)
    do: [{id: b, value: 1}]
== after a loop without an end that returns => F0211:6:return: 1
steps:
  - while: true
    do:
      - if: c
        then: [{return: 0}]
  - return: 1
== a loop without an end that breaks =>
steps:
  - while: true
    do:
      - if: c
        then: [break]
      - call: t.f()
  - return: 1
== until with a body that always returns => F0211:4:return: 1
steps:
  - until: c
    do: [{return: 0}]
  - return: 1
== a while may run no body =>
steps:
  - while: c
    do: [{return: 0}]
  - return: 1
== collect reads the names of the body =>
steps:
  - id: all
    for: x in xs
    do: [{id: a, value: x}]
    collect: t.g(a) + x
  - return: all
== collect reads what may be missing => F0202:5:a
steps:
  - for: x in xs
    do:
      - {if: c, then: [{id: a, value: x}]}
    collect: a
== the id of a loop in its body => F0207:4:all
steps:
  - id: all
    for: x in xs
    do: [{call: "t.f(all)"}]
== an older value of the id in its body =>
steps:
  - {id: all, value: 1}
  - id: all
    for: x in xs
    do: [{call: t.f(all)}]
  - return: all
== batch and range =>
steps:
  - for: group in range(n)
    batch: 3
    do: [{if: len(group) > n, then: [break]}]
"""

AT_THE_SAME_TIME = """
== a parallel body assigns its own names =>
steps:
  - for: x in xs
    parallel: 3
    do: [{id: a, value: x}, {id: a, value: a + 1}, {call: t.f(a)}]
== a parallel body assigns an outer name => F0204:5:a
steps:
  - {id: a, value: 0}
  - for: x in xs
    parallel: 3
    do: [{id: a, value: a + x}]
  - return: a
== a sequential loop in a parallel one => F0204:9:a
steps:
  - {id: a, value: 0}
  - for: x in xs
    parallel: 3
    do:
      - {id: b, value: 0}
      - for: y in xs
        do: [{id: b, value: b + y}]
      - {id: a, value: b}
  - return: a
== a name that a loop has kept to itself is no outer name =>
steps:
  - for: x in xs
    do: [{id: a, value: x}, {call: t.f(a)}]
  - for: x in xs
    parallel: 2
    do: [{id: a, value: x}, {call: t.f(a)}]
== continue in a parallel body =>
steps:
  - for: x in xs
    parallel: 2
    do: [{if: x > n, then: [continue]}, {call: t.f(x)}]
== break in a sequential loop in a parallel one =>
steps:
  - for: x in xs
    parallel: 2
    do:
      - for: y in xs
        do: [{if: y > x, then: [break]}, {call: t.f(y)}]
== return from a sequential loop in a parallel one => F0213:6:{return: y}
steps:
  - for: x in xs
    parallel: 2
    do:
      - for: y in xs
        do: [{return: y}]
== a graph in any order =>
steps:
  - graph: {b: t.g(a), a: t.f(n)}
  - return: a + b
== a graph assigns an outer name => F0204:3:a
steps:
  - {id: a, value: 0}
  - graph: {a: t.f(), b: t.g(a)}
  - call: t.h(a, b)
== a step in a graph assigns the name of another => F0204:5:a
steps:
  - graph:
      a: t.f()
      b:
        do: [{id: a, value: 1}, {value: a}]
== the names inside a step of a graph => F0203:5:z
steps:
  - graph:
      a:
        do: [{id: z, value: 1}, {value: z}]
      b: t.g(z)
== the names inside a step after the graph => F0203:5:z
steps:
  - graph:
      a:
        do: [{id: z, value: 1}, {value: z}]
  - return: z
== the names of a graph in a graph => F0203:4:z
steps:
  - graph:
      a: {graph: {z: t.f()}}
      b: t.g(z, a.z)
== the same name inside two steps of a graph =>
steps:
  - graph:
      a: {do: [{id: z, value: 1}, {value: z}]}
      b: {do: [{id: z, value: 2}, {value: z}]}
== a graph in a parallel body =>
steps:
  - for: x in xs
    parallel: 2
    graph: {a: t.f(x), b: t.g(a)}
    collect: a + b
== a graph in a parallel body assigns an outer name => F0204:5:a
steps:
  - {id: a, value: 0}
  - for: x in xs
    parallel: 2
    graph: {a: t.f(x), b: t.g(a)}
  - return: a
== a break in a loop in a graph =>
steps:
  - graph:
      a: {for: x in xs, do: [{if: x > n, then: [break]}, {call: t.f(x)}]}
== a step that waits for itself => F0207:2:a
steps:
  - graph: {a: t.f(a)}
== a step that waits for itself inside => F0207:4:a
steps:
  - graph:
      a:
        do: [{call: t.f(a)}]
== a cycle through a block => F0208:3:b
steps:
  - graph:
      a: {if: c, then: [{call: t.f(b)}]}
      b: t.g(a)
== a cycle and a tail => F0208:2:b
steps:
  - graph: {a: t.f(b), b: t.f(c2), c2: t.f(a), d: t.f(a), e: t.f(d)}
== two cycles that share a step => F0208:2:b
steps:
  - graph: {a: t.f(b), b: "t.f(a, d)", d: t.f(b)}
== a cycle through a field => F0208:3:b
steps:
  - graph:
      a: {graph: {z: t.f(b)}}
      b: t.g(a.z)
"""

WAITS = """
== else that leaves =>
steps:
  - {id: d, wait: e, timeout: 1h, else: [{return: 0}]}
  - return: d
== else that assigns another name => F0202:3:z
steps:
  - {id: d, wait: e, timeout: 1h, else: [{id: z, value: 1}]}
  - return: [d, z]
== else that assigns the id =>
steps:
  - {id: d, wait: e, timeout: 1h, else: [{id: d, value: 1}]}
  - return: d
== the id in its own else => F0207:2:d
steps:
  - {id: d, wait: e, timeout: 1h, else: [{call: t.f(d)}]}
== event in match only => F0201:3:event
steps:
  - {wait: e, match: event.ok}
  - return: event
== the older value of an id in match =>
steps:
  - {id: d, value: 1}
  - {id: d, wait: e, match: event.n > d}
  - return: d
"""

VALUES = """
== assigned again without a reader => F0206:3:a
steps:
  - {id: a, value: 1}
  - {id: a, value: 2}
  - return: a
== assigned again from itself =>
steps:
  - {id: a, value: 1}
  - {id: a, value: a + 1}
  - return: a
== assigned again after a reader in a block =>
steps:
  - {id: a, value: 1}
  - if: c
    then: [{call: t.f(a)}]
  - {id: a, value: 2}
  - return: a
== assigned again after a break =>
steps:
  - {id: a, value: 0}
  - for: x in xs
    do:
      - {id: a, value: x}
      - {if: x > n, then: [break]}
      - {id: a, value: 0}
  - return: a
== an input assigned anew =>
steps:
  - {id: n, value: n + 1}
  - return: n
== fields after a branch =>
steps:
  - {id: g, graph: {a: t.f()}}
  - {if: c, then: [{id: g, call: t.g(g)}]}
  - return: g.other
== fields of a graph as methods =>
steps:
  - {id: g, graph: {a: t.f()}}
  - return: g.get('a')
== a comprehension hides a name =>
steps:
  - {id: a, value: "[n for n in xs if n > 1]"}
  - return: "[q + z for q in xs for z in a]"
== a comprehension reads its own later target => F0201:2:z
steps:
  - return: "[q for q in z for z in xs]"
"""

TYPES = """
== an input => F0210:2:n
steps:
  - {if: n, then: [{call: t.f()}]}
== not, and, comparisons =>
steps:
  - {if: not n, then: [{call: t.f()}]}
  - {if: n > 1 and c, then: [{call: t.f()}]}
  - {if: n in xs, then: [{call: t.f()}]}
== what a task gives may be anything =>
steps:
  - {id: a, call: t.f()}
  - {if: a, then: [{call: t.f()}]}
== a value => F0210:3:a
steps:
  - {id: a, value: len(xs)}
  - {if: a, then: [{call: t.f()}]}
== a value that is another type on one path =>
steps:
  - {id: a, value: 1}
  - {if: c, then: [{id: a, value: true}]}
  - {if: a, then: [{call: t.f()}]}
== the type at the head of a loop is not known =>
steps:
  - {id: a, value: 1}
  - while: n > 1
    do:
      - {if: a, then: [{call: t.f()}]}
      - {id: a, call: t.g()}
== the item of a list => F0210:3:x
steps:
  - for: x in xs
    do: [{if: x, then: [{call: t.f()}]}]
== a batch of items => F0210:4:x
steps:
  - for: x in xs
    batch: 3
    do: [{if: x, then: [{call: t.f()}]}]
== the recorded functions => F0210:2:now()
steps:
  - {if: now(), then: [{call: t.f()}]}
== a list of what a loop gives => F0210:3:a
steps:
  - {id: a, for: x in xs, do: t.f(x)}
  - {if: a, then: [{call: t.f()}]}
"""

ALL = [
    (f"{table}: {title}", body, expected)
    for table, text in {
        "branches": BRANCHES,
        "loops": LOOPS,
        "at the same time": AT_THE_SAME_TIME,
        "waits": WAITS,
        "values": VALUES,
        "types": TYPES,
    }.items()
    for title, body, expected in cases(text)
]


@pytest.mark.parametrize(("body", "expected"), [each[1:] for each in ALL], ids=[each[0] for each in ALL])
def test_scope(body, expected):
    assert found(body) == expected


@pytest.mark.parametrize(
    "body", [each[1] for each in ALL if not each[2]], ids=[each[0] for each in ALL if not each[2]]
)
def test_what_has_no_findings_can_be_lowered(body):
    tree, _ = read_bytes("f.flow.yaml", (HEAD + body).encode())
    file, _ = resolve(tree)
    assert lower(file, "f").main == "f"


def test_a_wide_flow_takes_no_more_than_linear_time():
    arms = "".join(
        f"  - if: c\n    then: [{{id: a{k}, value: 1}}]\n    else: [{{id: a{k}, value: 2}}]\n"
        for k in range(4000)
    )
    assert found("steps:\n" + arms + "  - return: a0 + a3999\n") == ""


def test_a_long_graph_is_no_matter_of_recursion():
    chain = "".join(f"  s{k}: s{k + 1} + 1\n" for k in range(5000))
    assert found("graph:\n" + chain + "  s5000: 1\nresult: s0\n") == ""
    ring = found("graph:\n" + chain + "  s5000: s0\nresult: s0\n")
    assert ring == "F0208:2:s1"
