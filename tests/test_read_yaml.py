"""Reading YAML: values, places, limits, and what is said of each slip."""

import gc
import math
import random
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from flowc.codes.reading import CODES
from flowc.read_yaml.read import cut_by_comment, read, read_bytes
from flowc.render.render import MOST, render_text
from flowc.span import Source
from flowc.tree import Mapping, Sequence

CORPUS = runpy.run_path(str(Path(__file__).parent / "corpus" / "broken.py"))


def read_text(text):
    return read(Source("f.flow.yaml", text))


def root(text):
    tree, findings = read_text(text)
    assert not findings, render_text(findings)
    assert tree.whole
    return tree.documents[0].root


def value(text):
    """The only value of a map `v: …`."""
    return root(f"v: {text}\n").entries[0].value


def plain(node):
    """A node as Python's own data."""
    if isinstance(node, Mapping):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def codes(text):
    return [finding.code for finding in read_text(text)[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nUll", "nUll"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("012", 12),
        ("0o17", 15),
        ("0o18", "0o18"),
        ("0x1f", 31),
        ("0b1", "0b1"),
        ("-0x1f", "-0x1f"),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5E-3", -0.0015),
        ("1.2.3", "1.2.3"),
        ("e3", "e3"),
        (".", "."),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("inf", "inf"),
        ("9" * 999, int("9" * 999)),
        ("'1'", "1"),
        ('"true"', "true"),
        ("٣", "٣"),
        ("=", "="),
    ],
)
def test_core_schema(text, expected):
    found = value(text).value
    assert (found, type(found)) == (expected, type(expected))


def test_not_a_number():
    assert math.isnan(value(".nan").value)


def test_shapes_and_documents():
    tree, findings = read_text("a: [1, {b: c}]\n---\n- x\n- - y\n---\n# nothing\n---\n...\n")
    assert not findings
    assert [document.root and plain(document.root) for document in tree.documents] == [
        {"a": [1, {"b": "c"}]},
        ["x", ["y"]],
        None,
        None,
    ]
    assert read_text("")[0].documents == ()
    assert read_text("# only a comment\n")[0].documents == ()


def test_json_is_yaml():
    assert plain(root('{"a": [1, 2.5, null, true], "b":{"c":"\\u00e9\\/"}}')) == {
        "a": [1, 2.5, None, True],
        "b": {"c": "é/"},
    }


def test_aliases_repeat_the_node():
    node = root("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n")
    assert plain(node)["d"] == [{"b": 1}, {"b": 1}]
    assert node.entries[1].value is node.entries[0].value


SPANS = """\
a: plain  # comment
b:
  - 'single'
  - &x  "double"
  - [1, {c: 2}]
d: |  # note
  text

e: &y
  f: 1
g: >-
  folded
"""


def test_spans():
    found = []

    def walk(node):
        found.append(SPANS[node.span.start : node.span.end])
        for child in node.items if isinstance(node, Sequence) else ():
            walk(child)
        for entry in node.entries if isinstance(node, Mapping) else ():
            walk(entry.key)
            walk(entry.value)

    for entry in root(SPANS).entries:
        walk(entry.value)
    assert found == [
        "plain",
        "- 'single'\n  - &x  \"double\"\n  - [1, {c: 2}]",
        "'single'",
        '"double"',
        "[1, {c: 2}]",
        "1",
        "{c: 2}",
        "c",
        "2",
        "|  # note\n  text",
        "f: 1",
        "f",
        "1",
        ">-\n  folded",
    ]


@pytest.mark.parametrize(
    ("text", "decoded", "places"),
    [
        ("v: abc", "abc", [3, 4, 5]),
        ("v: 'abc'", "abc", [4, 5, 6]),
        ('v: "abc"', "abc", [4, 5, 6]),
        ("v: 'a''b'", "a'b", [4, 5, 7]),
        ('v: "a\\tb"', "a\tb", [4, 5, 7]),
        ('v: "\\x41\\u0042\\U00000043d"', "ABCd", [4, 8, 14, 24]),
        ('v: "a\\\n  b"', "ab", [4, 9]),
        ('v: "a\n\n  b"', "a\nb", [4, 6, 9]),
        ("v: a\n  b", "a b", [3, 4, 7]),
        ("v: a\r\n  b", "a b", [3, 4, 8]),
        ("v: a\n\n\n  b", "a\n\nb", [3, 5, 6, 9]),
        ("v: a  b \n  c", "a  b c", [3, 4, 5, 6, 8, 11]),
        ("v: |\n  ab\n   c\n", "ab\n c\n", [7, 8, 9, 12, 13, 14]),
        ("v: |-\n  ab\n\n", "ab", [8, 9]),
        ("v: |+\n  a\n\n", "a\n\n", [8, 9, 10]),
        ("v: |2\n   a\n", " a\n", [8, 9, 10]),
        ("v: >\n  a\n  b\n\n  c\n", "a b\nc\n", [7, 8, 11, 13, 16, 17]),
        ("v: >\n  a\n   b\n  c\n", "a\n b\nc\n", [7, 8, 11, 12, 13, 16, 17]),
        ("v: |\r\n  a\r\n  b\r\n", "a\nb\n", [8, 9, 13, 14]),
        ("- &n\n  |\n  a\n", "a\n", [11, 12]),
    ],
)
def test_origin_of_every_character(text, decoded, places):
    node = root(text)
    scalar = node.entries[0].value if isinstance(node, Mapping) else node.items[0]
    assert scalar.text == decoded
    assert [scalar.at(index) for index in range(len(decoded))] == places


def test_a_scalar_as_it_stands_needs_one_number():
    for text in ("v: abc", "v: 'abc'", 'v: "abc"', "v: é日😀"):
        assert isinstance(root(text).entries[0].value.origin, int)


def random_scalar(lot):
    kind = lot.choice("psdbbf")
    blanks = ["b", " ", "\n ", "\n \n  ", "  c", "é", "😀", "\t", "\r\n "]
    if kind == "p":
        return "k: a" + "".join(lot.choice([*blanks, "\\", "''"]) for _ in range(8)) + "\nz: 1\n"
    if kind == "s":
        return "k: '" + "".join(lot.choice([*blanks, "\\", "''"]) for _ in range(8)) + "'\n"
    if kind == "d":
        escapes = ["\\\\", "\\n", '\\"', "\\x41", "\\u00e9", "\\U0001F600", "\\\n  ", "\\ ", "''"]
        return 'k: "' + "".join(lot.choice([*blanks, *escapes]) for _ in range(8)) + '"\n'
    lines = ["  b\n", "\n", "   c d\n", "  é\t\n", " \n", "  \tx\n", "  x\r\n", "    \n", "\r\n", "  😀 y\n"]
    header = ("|" if kind == "b" else ">") + lot.choice(["", "-", "+", "2", "1", "+1", "2-", " # c"])
    return (
        f"k: {header}\n" + "".join(lot.choice(lines) for _ in range(7)) + lot.choice(["", "  end", "z: 1\n"])
    )


def test_origins_of_random_scalars_are_exact():
    lot = random.Random(7)
    mapped = 0
    for _ in range(4_000):
        text = random_scalar(lot)
        tree, findings = read_text(text)
        if findings or not tree.documents:
            continue
        scalar = tree.documents[0].root.entries[0].value
        assert scalar.text == next(yaml.safe_load_all(text))["k"] if scalar.style != "plain" else True
        for index, char in enumerate(scalar.text):
            at = scalar.at(index)
            assert scalar.span.start <= at < len(text)
            if char.isalpha() and scalar.style != "double" and scalar.text.strip():
                assert text[at] == char, (text, scalar)
                mapped += 1
    assert mapped > 5_000


HEAD = "flowc: 1\n"

SLIPS = [
    # what is written, the code, the text under the mark, a part of the message or help
    ("value: x[1: 2]", "F0013", ":", "'x[1: 2]'"),
    ("fail: order: gone", "F0013", ":", "'order: gone'"),
    ("- x[1: 2]", "F0013", "x[1", "'x[1: 2]'"),
    ("value: 'a' + b", "F0015", "+ b", "\"'a' + b\""),
    ('if: "a" in xs', "F0015", "in xs", "'\"a\" in xs'"),
    ('if: "a" in xs  # why', "F0015", "in xs", "'\"a\" in xs'"),
    ("- 'a' + b\n- c", "F0015", "+ b", "\"'a' + b\""),
    ("value: [1, 2] + x", "F0015", "+ x", "'[1, 2] + x'"),
    ("value: [a, b][0]", "F0015", "[0]", "'[a, b][0]'"),
    ('value: {"a": 1}["a"]', "F0015", '["a"]', '\'{"a": 1}["a"]\''),
    ('with: {b: "c" + d, e: 1}', "F0015", "+ d", "'\"c\" + d'"),
    ("doc: 'it's'", "F0015", "'", "'it''s'"),
    ('doc: "say "hi""', "F0015", '"', '"say \\"hi\\""'),
    ("with: {a: x[0], b: 1}", "F0014", "x[0]", "'x[0]'"),
    ("with: {a: ${{ x }}}", "F0014", "${{ x }}", '"${{ x }}"'),
    ("with: {a: ${{ x }}, b: 1}", "F0014", "${{ x }}", '"${{ x }}"'),
    ("value: [f(a, b), c]", "F0014", "f(a, b)", "'f(a, b)'"),
    ("with: {a: f(x, y), b: 2}", "F0014", "f(x, y)", "'f(x, y)'"),
    ("with: {a: {{ x }}}", "F0009", "{ x }", "template"),
    ("value: [x * 2 for x in xs]", "F0016", "[x * 2 for x in xs]", "'[x * 2 for x in xs]'"),
    ("return: {k: v for k, v in xs}", "F0016", "{k: v for k, v in xs}", "quotes"),
    ("graph:\n  a: [x for x in xs]", "F0016", "[x for x in xs]", "quotes"),
    ("value: **k", "F0016", "*", "'**k'"),
    ("value: & b", "F0016", "&", "'& b'"),
    ("value: %d", "F0016", "%", "'%d'"),
    ("value: @x", "F0016", "@", "'@x'"),
    ("with: [@x, y]", "F0016", "@", "'@x'"),
    ("value: `x`", "F0016", "`", "'`x`'"),
    ("value: - x", "F0016", "-", "'- x'"),
    ("value: ? x", "F0016", "?", "'? x'"),
    ("value: > 5", "F0021", "> 5", "'> 5'"),
    ("value: | x", "F0021", "| x", "'| x'"),
    ("value: !x", "F0007", "!x", "tag"),
    ("value: !a!b c", "F0007", "!", "tag"),
    ("value: *a", "F0010", "*a", "quotes"),
    ("value: *a + b", "F0010", "*a", "quotes"),
    ("value: &a [*a]", "F0011", "*a", "inside"),
    ("value: 1\nvalue: 2", "F0006", "value", "first here"),
    ("<<: {a: 1}", "F0008", "<<", "defaults"),
    ("[a]: 1", "F0009", "[a]", "name"),
    ("a: {: b}", "F0018", ":", "key is missing"),
    (": b", "F0018", ":", "key is missing"),
    ("a:\n\tb: 1", "F0003", "\t", "spaces"),
    ("a:\n  b: 1\n\tc: 2", "F0003", "\t", "spaces"),
    ("a: |\n  x\n\ty\n", "F0003", "\t", "spaces"),
    ("a: b\n\tc: d", "F0003", "\t", "spaces"),
    ("- id: a\n   call: f", "F0004", "call", "column 3"),
    ("steps:\n  - id: a\n   call: f", "F0004", "call", "column 1 or 5"),
    ("steps:\n  - id: a\n    call: b\n      retry: 3", "F0004", "retry", "column 5"),
    ("steps:\n    - id: a\n  - id: c", "F0004", "-", "column 5"),
    ("a: 1\n- b", "F0004", "-", "list item"),
    ("- a\nb: c", "F0004", "b", "items of a list"),
    ("  a: 1\nb: 2", "F0004", "b", "column 3"),
    ('a: "abc\nb: "def"', "F0005", '"', "closed only here"),
    ('a: "abc', "F0005", '"', "never closed"),
    ('a: "abc\n---\nb: 1', "F0005", '"', "never closed"),
    ("a: [1, 2\nb: 3", "F0005", "[", "closing ]"),
    ("a: {x: 1\nb: 3", "F0005", "{", "closing }"),
    ("a: [", "F0005", "[", "closing ]"),
    ("a: {x: [1, 2}", "F0005", "}", "opened here"),
    ('a: "\\q"', "F0017", "\\q", "backslash"),
    ('a: "\\ud800"', "F0017", "\\ud800", "backslash"),
    ('{"a": "\\ud83d\\ude00"}', "F0017", "\\ud83d\\ude00", "`\\U0001f600`"),
    ('a: "C:\\xyz"', "F0017", "\\xyz", "backslash"),
    ("a: 1\ncall t.f(x)\nb: 1", "F0018", "call t.f(x)", "`call: t.f(x)`"),
    ("a: 1\ncall:t.f(x)", "F0018", "call:t.f(x)", "`call: t.f(x)`"),
    ("a: 1\nwhat is this\nb: 1", "F0018", "what is this", "neither"),
    ("- call:t.f(x)", "F0018", "call:t.f(x)", "space"),
    ("retry: {max:3, delay: 1s}", "F0018", "max:3", "space"),
    ("- a: b\n  retry:{max: 3}", "F0018", "retry:{max", "space"),
    ("- a: b\n  retry:{max: 3, delay: 1s}", "F0018", "retry:{max: 3,", "`retry: {max: 3, delay: 1s}`"),
    ("steps:\n  -id: x", "F0018", "-id", "dash"),
    ("steps:\n  -id: x\n   call: y", "F0018", "-", "dash"),
    ("%FOO\n---\na: 1", "F0019", "%FOO", "directive"),
    ("%YAML 1.1\n---\na: 1", "F0019", "%YAML 1.1", "1.2"),
    ("a: 1\n...\nb: 2", "F0019", "b: 2", "---"),
    ("--- a: b", "F0019", "--- a: b", "next line"),
    ("a: ]", "F0020", "]", "closes nothing"),
    ("a: [1,,2]", "F0020", ",", "comma"),
    ("a: f(x,  # one\n   y)\nb: 2", "F0012", "# one", "comment"),
    ("a: f(x,  # one\n  y)\nb: 2", "F0012", "# one", "comment"),
]


@pytest.mark.parametrize(("text", "code", "marked", "said"), SLIPS, ids=[slip[0] for slip in SLIPS])
def test_slip(text, code, marked, said):
    source = Source("f.flow.yaml", text + "\n")
    findings = read(source)[1]
    shown = render_text(findings)
    assert [finding.code for finding in findings] == [code], shown
    assert source.text[findings[0].span.start : findings[0].span.end].startswith(marked), shown
    assert said in shown, shown


TWO_SLIPS = {"a: b\n\tc: d", "steps:\n  -id: x\n   call: y"}


@pytest.mark.parametrize("text", [slip[0] for slip in SLIPS if slip[0] not in TWO_SLIPS])
def test_fixes_mend(text):
    source = Source("f.flow.yaml", text + "\n")
    for finding in read(source)[1]:
        for fix in finding.fixes:
            mended = source.text[: fix.span.start] + fix.replacement + source.text[fix.span.end :]
            assert codes(mended) == [], mended


@pytest.mark.parametrize("code", [code for code in CODES if code.code != "F0012"], ids=lambda code: code.code)
def test_examples_of_the_codes(code):
    assert codes(code.bad) == [code.code]
    assert codes(code.good) == []


@pytest.mark.parametrize(
    "text",
    [
        "call: t.load()  # every day",
        "doc: don't (see below)",
        "choices: [waiting for goods in transit, b]",
        "with: {note: don't, other: it's}",
        "labels: {a: b/c}",
        "if: x == 'a'",
        "value: f(a,\n  b)",
        "value: x[1:2]",
        "value: {a: 1, b: [2]}",
        "a: &x 1\nb: *x",
        "? a\n: b",
        "a: 'x # y'",
        "call: pkg.mod:name(a)",
    ],
)
def test_what_is_meant_so_is_left_alone(text):
    assert codes(text + "\n") == []


def test_what_was_set_right_stays_in_the_tree():
    assert plain(read_text("a: [f(x, y), 2]\n")[0].documents[0].root) == {"a": ["f(x, y)", 2]}
    assert plain(read_text("a: {b: max(1, 2), c: min(1, 2), d: 3}\n")[0].documents[0].root) == {
        "a": {"b": "max(1, 2)", "c": "min(1, 2)", "d": 3}
    }
    assert plain(read_text("value: [x for x in xs]\n")[0].documents[0].root) == {"value": "[x for x in xs]"}
    assert plain(read_text("- call:f(x)\n- y[1: 2]\n")[0].documents[0].root) == [{"call": "f(x)"}, "y[1: 2]"]
    assert plain(read_text("a: 1\na: 2\n")[0].documents[0].root) == {"a": 1}
    assert plain(read_text("a:\na: 2\n")[0].documents[0].root) == {"a": 2}
    assert plain(read_text("{max:3, b: 1}\n")[0].documents[0].root) == {"max": 3, "b": 1}


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ('value: d["a # b"]', "'d[\"a # b\"]'"),
        ("value: f(a, 'x #1')", "\"f(a, 'x #1')\""),
        ("value: f(a # b", None),
        ("value: f(a)  # b", ""),
        ("value: a  # don't", ""),
        ("value: 'f(a' # b", ""),
        ("value: f(a #b)", "'f(a #b)'"),
    ],
)
def test_cut_by_comment(text, fix):
    source = Source("f.flow.yaml", text + "\nb: 1\n")
    tree, findings = read(source)
    assert not findings
    found = cut_by_comment(source, tree.documents[0].root.entries[0].value)
    if fix == "":
        assert found is None
        return
    assert found is not None
    assert found.code == "F0012"
    assert text[found.span.start] == "#"
    assert [each.replacement for each in found.fixes] == ([fix] if fix else [])


def test_documents_before_a_syntax_error_are_kept():
    tree, findings = read_text("a: 1\na: 2\n---\nb: 'x' y\n---\nc: 1\n")
    assert [finding.code for finding in findings] == ["F0006", "F0015"]
    assert [plain(document.root) for document in tree.documents] == [{"a": 1}]
    assert not tree.whole


def test_several_findings_of_one_document():
    found = codes("a: 1\na: 2\nb: !x 1\nc: *d\ne: [f(1, 2)]\n<<: {g: 1}\n")
    assert sorted(found) == ["F0006", "F0007", "F0008", "F0010", "F0014"]


def test_what_is_not_known_leaves_a_gap():
    tree, _ = read_text("- a: *x\n  b: 1\n- *x\n- {*x : 1, c: 2}\n- &m {d: 1, e: 2}\n- {<<: *m, d: 3}\n")
    assert plain(tree.documents[0].root) == [{"b": 1}, {"c": 2}, {"d": 1, "e": 2}, {"e": 2, "d": 3}]
    assert not tree.whole


def nested(depth):
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (nested(100), []),
        (nested(101), ["F0002"]),
        ("a: " + nested(99), []),
        ("a: " + nested(100), ["F0002"]),
        ("a: &a " + nested(50) + "\nb: " + "[" * 49 + "*a" + "]" * 49, []),
        ("a: &a " + nested(50) + "\nb: " + "[" * 50 + "*a" + "]" * 50, ["F0002"]),
        ("[" * 100_000, ["F0002"]),
        ("{" * 100_000, ["F0002"]),
        ("- " * 100_000, ["F0002"]),
        ("[" + "a," * 199_998 + "]", []),
        ("[" + "a," * 200_000 + "]", ["F0002"]),
        ("x: " + "1" * 1_001, ["F0002"]),
        ("x: 0x" + "1" * 1_000_000, ["F0002"]),
        ("x: '" + "1" * 1_001 + "'", []),
        ("%TAG !a! b\n" * 200 + "---\na", ["F0002"]),
        ("a: &a0 [x]\n" + "".join(f"b{i}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60)), ["F0002"]),
    ],
    ids=lambda each: None if isinstance(each, list) else f"{each[:12]}_{len(each)}",
)
def test_limits(text, expected):
    assert codes(text) == expected


def test_size_counts_bytes():
    fits = b"a: 1\n#" + b"x" * (4 * 1024 * 1024 - 6)
    assert read_bytes("f", fits)[1] == []
    tree, findings = read_bytes("f", fits + b"x")
    assert [finding.code for finding in findings] == ["F0002"]
    assert tree.documents == ()


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        ("a: é\n".encode("latin-1"), (1, 4), "0xe9 is not UTF-8"),
        (b"\xef\xbb\xbfa: \xff\n", (1, 4), "0xff is not UTF-8"),
        ("a: 1\n".encode("utf-16"), (1, 1), "UTF-16"),
        ("a: 1\n".encode("utf-16-be"), (1, 1), "UTF-16"),
        (b"a: 1\nb: \0\n", (2, 4), "NUL"),
        (b"a: \x07\n", (1, 4), "U+0007"),
        (b"a: \xed\xa0\x80\n", (1, 4), "not UTF-8"),
        ("a: 1\n\ufeffb: 1\n".encode(), (2, 1), "byte order mark"),
        ("a: 1\u2028\n".encode(), (1, 5), "U+2028"),
        ("a: 1\x85\n".encode(), (1, 5), "U+0085"),
        (b"a: 1\rb: 2\n", (1, 5), "carriage return"),
        ("a:\n\xa0\xa0b: 1\n".encode(), (2, 1), "no-break"),
    ],
)
def test_bytes_that_are_no_text(data, place, said):
    tree, findings = read_bytes("f.flow.yaml", data)
    assert [finding.code for finding in findings] == ["F0001"]
    assert tree.source.position(findings[0].span.start) == place
    assert said in render_text(findings)
    assert not tree.whole


def test_byte_order_mark_and_windows_line_ends_are_fine():
    tree, findings = read_bytes("f", b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert findings == []
    assert plain(tree.documents[0].root) == {"a": 1, "b": "x"}
    assert tree.documents[0].root.entries[1].key.span.start == 6


def test_a_lone_surrogate_in_a_text_is_found():
    assert codes("a: \ud800\n") == ["F0001"]


def test_good_flows_have_no_findings():
    for text in CORPUS["GOOD"].values():
        assert codes(text) == []
        assert plain(root(text)) == plain(root(text.replace("\n", "\r\n")))


def test_broken_files_are_read_soon_and_without_an_exception():
    names = set()
    for name, data in CORPUS["broken_flows"]():
        assert name not in names
        names.add(name)
        started = time.process_time()
        tree, findings = read_bytes(name, data)
        shown = render_text(findings)
        assert time.process_time() - started < 2, name
        assert tree.whole or findings, name
        assert len(shown.splitlines()) >= min(len(findings), MOST)
        for finding in findings:
            assert 0 <= finding.span.start <= finding.span.end <= len(tree.source.text) + 1, name
            assert len(finding.message) < 300, name
            assert len(finding.help) < 400, name
    assert len(names) > 250


def test_broken_files_are_the_same_each_time():
    assert list(CORPUS["broken_flows"]()) == list(CORPUS["broken_flows"]())


def test_the_collector_is_as_it_was():
    read_text("a: 1\n")
    assert gc.isenabled()
    gc.disable()
    try:
        read_text("a: 1\n")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_import_is_light():
    script = (
        "import sys; import flowc.read_yaml.read, flowc.render.render, flowc.suggest; "
        "heavy = {'ray', 'sqlalchemy', 'msgpack', 'cloudpickle', 'lark', 'difflib', 'json', 'unicodedata'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
