"""Broken flow files: nothing comes in, the same several hundred files come out each time, as names and bytes.

The good flows below are broken in the ways that people and programs break files: characters lost, added and
swapped, lines moved, indentation changed, files cut off, values of the wrong kind at every key, misspelt and
unknown keys, bad expressions; and in the ways that only an attacker or a fault would: nesting, aliases that
multiply, bytes that are no text, texts of a megabyte. Whatever is read must end with findings, and soon.

Run as a program with a folder, it writes the files there.
"""

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ETL = """\
flowc: 1
use: {t: shop.etl}
flow: daily_etl
inputs:
  day: date
  fanout: {type: int, default: 32, min: 1}
returns: t.Report
defaults: {retry: 2, timeout: 5m}
steps:
  - id: parts
    call: t.list_partitions(day)
  - id: loads
    for: part in parts
    parallel: fanout
    errors: collect
    graph:
      raw:
        call: t.extract(part, day=day)
        retry: {max: 4, delay: 1s, cap: 60s, catch: [OSError, t.Throttled]}
      clean: t.transform(raw)
      audit: t.profile(raw)
      rows:
        call: t.load
        with: {table: sales, frame: "${{ clean }}", stats: "${{ audit }}"}
        options: {num_cpus: 2, memory: 4GiB}
    collect: rows
  - if: len(loads.errors) > 0.05 * len(parts)
    then:
      - raise: t.TooManyBadPartitions(day, len(loads.errors))
  - return: t.report(day, sum(loads.values))
"""

TRAINING = """\
flowc: 1
use: {m: ml.train}
flow: train
inputs: {cfg: m.Config, target: {type: float, default: 0.92}, depth: {type: int, default: 0}}
returns: m.Checkpoint
steps:
  - id: data
    call: m.prepare(cfg)
  - id: ckpt
    call: m.init(cfg)
  - id: score
    value: 0.0
  - while: score < target
    max: 1000
    every: 30s
    do:
      - id: ckpt
        call: m.train_epoch(ckpt, data)
        retry: {max: 5, catch: m.NaNLoss}
        timeout: 2h
        options: {num_gpus: 1}
      - id: score
        call: m.evaluate(ckpt)
  - if: score < target and depth < 3
    then:
      - return: train(m.shrink(cfg), target, depth + 1)
    else:
      - value: first(ckpt, None)
  - return: ckpt
"""

APPROVAL = """\
flowc: 1
use: {o: shop.orders}
events:
  approval: {type: o.Decision, key: str, external: true}
  shipped: {type: o.Shipped}
flow: order_approval
inputs: {order: o.Order}
steps:
  - id: hold
    call: o.reserve_stock(order)
  - id: decision
    wait: approval
    key: order.id
    match: event.amount == order.total
    timeout: 48h
    else:
      - call: o.release_stock(hold)
      - fail: order ${{ order.id }} was not approved
  - sleep: 10m
  - emit: shipped
    key: order.id
    with: {order_id: "${{ order.id }}", note: 'it''s on its way'}
  - return: decision
---
flow: helper
inputs: {xs: "list[int]"}
labels: {team: shop}
doc: |
  Adds up what is given.
  Twice.
graph:
  a: sum(xs)
  b:
    value: a * 2
    after: [a]
  c: >-
    a
    + b
result: c
"""

GOOD = {"etl": ETL, "training": TRAINING, "approval": APPROVAL}
_SEED = 20260101

Broken = Iterator[tuple[str, bytes]]


def broken_flows() -> Broken:
    """Every broken file: a name that says what was done to it, and its bytes."""
    for family in _FAMILIES:
        for name, data in family():
            yield f"{family.__name__.strip('_')}/{name}", data


def _texts(family: Callable[[], Iterator[tuple[str, str]]]) -> Callable[[], Broken]:
    def encoded() -> Broken:
        for name, text in family():
            yield name, text.encode("utf-8", "surrogatepass")

    encoded.__name__ = family.__name__
    return encoded


@_texts
def _characters() -> Iterator[tuple[str, str]]:
    """One character lost, added, doubled or swapped with the next, at places drawn by lot."""
    lot = random.Random(_SEED)
    for flow, text in GOOD.items():
        for number in range(24):
            at = lot.randrange(len(text) - 1)
            yield f"{flow}_lost_{number}", text[:at] + text[at + 1 :]
            added = lot.choice("\"'[]{}(),:#&*!|>%@`\\-?\t \n$=.")
            yield f"{flow}_added_{number}", text[:at] + added + text[at:]
            yield f"{flow}_swapped_{number}", text[:at] + text[at + 1] + text[at] + text[at + 2 :]


@_texts
def _lines() -> Iterator[tuple[str, str]]:
    """Lines lost, doubled, swapped, and indented wrongly; files that end too early."""
    lot = random.Random(_SEED + 1)
    for flow, text in GOOD.items():
        lines = text.splitlines(keepends=True)
        for number in range(14):
            at = lot.randrange(len(lines) - 1)
            yield f"{flow}_lost_{number}", "".join(lines[:at] + lines[at + 1 :])
            yield f"{flow}_doubled_{number}", "".join([*lines[:at], lines[at], *lines[at:]])
            yield (
                f"{flow}_swapped_{number}",
                "".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]),
            )
            indent = lot.choice([" ", "   ", "\t", " \t ", "\xa0\xa0"])
            yield f"{flow}_indented_{number}", "".join([*lines[:at], indent, *lines[at:]])
            yield f"{flow}_outdented_{number}", "".join([*lines[:at], lines[at].lstrip(), *lines[at + 1 :]])
            yield f"{flow}_ends_{number}", text[: lot.randrange(len(text))]


@_texts
def _values() -> Iterator[tuple[str, str]]:
    """At every key a value of a kind that it cannot have."""
    wrong = [
        "3",
        "true",
        "[]",
        "{}",
        '""',
        "null",
        "[[1], {a: b}]",
        "-1.5e3",
        "2024-01-01",
        "{a: {b: {c: 1}}}",
    ]
    lot = random.Random(_SEED + 2)
    for flow, text in GOOD.items():
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            key, colon, _ = line.partition(":")
            if colon:
                changed = f"{key}: {lot.choice(wrong)}\n"
                yield f"{flow}_{number}", "".join([*lines[:number], changed, *lines[number + 1 :]])


@_texts
def _keys() -> Iterator[tuple[str, str]]:
    """Keys misspelt, unknown, doubled, in capitals, without colon, without the space after it."""
    for flow, text in GOOD.items():
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            key, colon, rest = line.partition(":")
            word = key.strip(" -")
            if not colon or len(word) < 3:
                continue
            indent = key[: len(key) - len(word)]
            forms = [
                f"{indent}{word[:-1]}:{rest}",
                f"{indent}{word[1]}{word[0]}{word[2:]}:{rest}",
                f"{indent}{word.upper()}:{rest}",
                f"{indent}{word}{rest}",
                f"{indent}{word}:{rest.lstrip(' ')}",
                f"{indent}wobble:{rest}",
                f"{indent}{word}:{rest}{' ' * len(indent)}{word}:{rest}",
            ]
            form = forms[number % len(forms)]
            yield f"{flow}_{number}", "".join([*lines[:number], form, *lines[number + 1 :]])


_EXPRESSIONS = (
    "a +", "f(", "f(a,, b)", "x[1: 2]", "'a' + 'b'", '"a" in xs', "[1, 2][0]", "[x for x in xs]",
    "{k: v for k in xs}", "lambda: 1", "a := 1", "*xs", "**xs", "&a b", "!a", "%d", "@x", "`x`",
    "a # b", 'd["a # b"]', "f(a,  # first", "a.__class__", "().__class__.__bases__[0]",
    "__import__('os').system('true')", "exec('1')", "x = 1", "yield x", "await x", "a if b",
    "a ? b : c", "a && b", "!a || b", "a; b", "import os", "1 +* 2", "0777", "1_000_", "1e", "f'{'",
    "f'{a!x}'", "f'{a:{b:{c}}}'", "'unclosed", '"unclosed', "\"\\q\"", "\"\\ud800\"", "${{ a }} b",
    "${{", "}}$", "{{ a }}", "a..b", "a.1", "(((((", ")))))", "\u201ca\u201d", "a\xa0+ b", "\uff41",
    "a\u200bb", "10 ** 10 ** 10", "'a' * 10 ** 12", "list(range(10 ** 15))", "[0] * 10 ** 10",
    "t.nothing(", "unknown.f()", "undefined_name", "t.f(a)(b)", "t.f(*a)", "t.f(**a)", "t.f(a=1, a=2)",
    "t.f(a=1, 2)", "now(1)", "secret(name)", "- 1", "-", "?", "? a", ": a", "|", ">", "| a", "> 5",
    ", a", "]", "}", "~ a", "0x", "0o9", "1.2.3", "1 2", "True = 1", "None()", "a[]", "a[1:2:3:4]",
    "not", "a not b", "a is is b", "for x in xs", "print(a)", "a -> b", "a => b", "$a", "a$", "\\",
    "\\\\",
)  # fmt: skip


@_texts
def _expressions() -> Iterator[tuple[str, str]]:
    """Bad expressions, at three kinds of places."""
    places = ("value", "if", "return", "call")
    for number, text in enumerate(_EXPRESSIONS):
        key = places[number % len(places)]
        then = "\n    then:\n      - return: 1" if key == "if" else ""
        yield f"{key}_{number}", f"flowc: 1\nuse: {{t: shop.etl}}\nflow: x\nsteps:\n  - {key}: {text}{then}\n"


_HEAD = "flowc: 1\nflow: x\n"


@_texts
def _shapes() -> Iterator[tuple[str, str]]:
    """Structure that makes no sense: cycles, doubles, lists for maps, maps for lists, documents."""
    yield "cycle", _HEAD + "graph:\n  a: b + 1\n  b: c + 1\n  c: a + 1\n"
    yield "self", _HEAD + "graph: {a: a + 1}\n"
    yield "long_cycle", _HEAD + "graph:\n" + "".join(f"  n{i}: n{(i + 1) % 500} + 1\n" for i in range(500))
    yield "after_cycle", _HEAD + "graph:\n  a: {value: 1, after: [b]}\n  b: {value: 1, after: [a]}\n"
    yield "double_ids", _HEAD + "graph:\n  a: 1\n  a: 2\n"
    yield "double_ids_in_list", _HEAD + "steps:\n" + "  - id: a\n    value: 1\n" * 50
    yield "graph_as_list", _HEAD + "graph:\n  - a: 1\n"
    yield "steps_as_map", _HEAD + "steps:\n  a: 1\n"
    yield "steps_as_text", _HEAD + "steps: a\n"
    yield "two_bodies", _HEAD + "steps: []\ngraph: {}\n"
    yield "no_body", _HEAD
    yield "two_kinds", _HEAD + "steps:\n  - call: f()\n    value: 1\n"
    yield "no_kind", _HEAD + "steps:\n  - id: a\n"
    yield "empty_step", _HEAD + "steps:\n  -\n  - {}\n  - []\n  - ''\n"
    yield "breaks", _HEAD + "steps:\n  - break\n  - continue\n  - pause\n"
    yield "root_list", "- flowc: 1\n"
    yield "root_text", "flowc\n"
    yield "root_number", "1\n"
    yield "documents", _HEAD + "result: 1\n---\n---\n...\n---\n- 1\n---\nflow: x\nresult: 1\n"
    yield "version", "flowc: 2\nflow: x\nresult: 1\n"
    yield "version_twice", _HEAD + "result: 1\n---\n" + _HEAD + "result: 2\n"
    yield "no_version", "flow: x\nresult: 1\n"
    yield "tags", _HEAD + "result: !!python/object/apply:os.system [true]\n"
    yield "merge", _HEAD + "result: {<<: {a: 1}}\n"
    yield "list_key", _HEAD + "result: {[a]: 1}\n"
    yield "complex_key", "? {flowc: 1}\n: {flow: x}\n"
    yield "directive", "%YAML 1.1\n%TAG ! tag:x,2000:\n---\n" + _HEAD + "result: 1\n"
    yield "endless", _HEAD + "steps:\n  - while: true\n    do: []\n"
    yield "names", _HEAD.replace("x", "__init__") + "steps: [{id: 'class', value: 1}, {id: 1a, value: 2}]\n"
    yield (
        "deep_blocks",
        _HEAD + "steps:\n" + "".join("  " * i + "  - do:\n" for i in range(45)) + "  " * 46 + "- break\n",
    )


@_texts
def _aliases() -> Iterator[tuple[str, str]]:
    """Aliases that multiply, contain themselves, name nothing, or repeat much."""
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    yield "bomb", _HEAD + "a0: &a0 [x, x]\n" + levels
    yield "recursive_list", _HEAD + "result: &a [*a]\n"
    yield "recursive_map", _HEAD + "result: &a {b: {c: *a}}\n"
    yield "recursive_root", "&a\nflowc: 1\nflow: *a\n"
    yield "undefined", _HEAD + "result: *nothing\n"
    yield "of_another_document", _HEAD + "result: &a 1\n---\nflow: y\nresult: *a\n"
    yield "as_key", _HEAD + "result: {&a b: 1, *a : 2}\n"
    yield "deep", _HEAD + "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60 + "\n"
    yield "of_a_long_text", _HEAD + "a: &a " + "x + " * 2400 + "1\nresult:\n" + "  - *a\n" * 20_000
    yield "many", _HEAD + "a: &a 1\nresult:\n" + "  - *a\n" * 250_000


@_texts
def _large() -> Iterator[tuple[str, str]]:
    """Nesting, lengths and counts that nobody writes."""
    for name, opening in {
        "brackets": "[",
        "braces": "{",
        "mixed": "[{",
        "dashes": "- ",
        "questions": "? ",
    }.items():
        yield f"{name}_100k", opening * 100_000
        yield f"{name}_100k_in_a_flow", _HEAD + "result: " + opening * 100_000
    yield "brackets_100k_closed", _HEAD + "result: " + "[" * 100_000 + "]" * 100_000
    yield "maps_100k", "{a: " * 100_000 + "}" * 100_000
    yield "indented_1k", "".join(" " * i + "a:\n" for i in range(1000))
    yield "expression_1mb", _HEAD + "result: " + "1 + " * 250_000 + "1\n"
    yield "expression_10k", _HEAD + "result: " + "1 + " * 2_499 + "1\n"
    yield "parentheses_4k", _HEAD + "result: " + "(" * 4_900 + "1" + ")" * 4_900 + "\n"
    yield "parentheses_100k", _HEAD + "result: " + "(" * 100_000 + "1" + ")" * 100_000 + "\n"
    yield "minuses", _HEAD + "result: a" + "-" * 9_000 + "1\n"
    yield "nots", _HEAD + "result: " + "not " * 2_400 + "a\n"
    yield "attributes", _HEAD + "result: a" + ".b" * 4_900 + "\n"
    yield "calls", _HEAD + "result: a" + "()" * 4_900 + "\n"
    yield "lists_in_expression", _HEAD + "result: 'len(" + "[" * 4_000 + "]" * 4_000 + ")'\n"
    yield "fstrings", _HEAD + "result: 'f\"" + "{a}" * 3_000 + "\"'\n"
    yield "quotes", _HEAD + "result: a " + "'''" * 3_000 + "\n"
    yield "backslashes", _HEAD + "result: a '''" + "\\'''" * 2_000 + "\n"
    yield "comments", _HEAD + "result: (" + " #" * 900_000 + "\n"
    yield "number_1mb", _HEAD + "result: " + "9" * 1_000_000 + "\n"
    yield "number_1k", _HEAD + "result: " + "9" * 999 + "\n"
    yield "hex_1mb", _HEAD + "result: 0x" + "f" * 1_000_000 + "\n"
    yield "exponent", _HEAD + "result: 1e999999999\n"
    yield "text_3mb", _HEAD + "doc: " + "x" * 3_000_000 + "\nresult: 1\n"
    yield "quoted_3mb", _HEAD + 'doc: "' + "\\x41" * 750_000 + '"\nresult: 1\n'
    yield "block_3mb", _HEAD + "doc: |\n" + "  line\n" * 430_000 + "result: 1\n"
    yield "folded_lines", _HEAD + "doc: a" + "\n  a" * 700_000 + "\nresult: 1\n"
    yield "blanks", _HEAD + "doc: 'a" + " " * 3_000_000 + "b\nresult: 1\n"
    yield "key_1mb", _HEAD + "k" * 1_000_000 + ": 1\n"
    yield "spaces_before_colon", _HEAD + "doc: 'a' b" + " " * 1_000_000 + "c\n"
    yield "keys_50k", _HEAD + "".join(f"k{i}: 1\n" for i in range(50_000))
    yield "steps_20k", _HEAD + "steps:\n" + "".join(f"  - {{id: s{i}, value: 1}}\n" for i in range(20_000))
    yield "documents_100k", "---\n" * 100_000
    yield "directives", "".join(f"%TAG !a{i}! tag:x\n" for i in range(20_000)) + "---\n" + _HEAD
    yield "nodes", "[" + "a," * 300_000 + "]"
    yield "over_4mib", _HEAD + "#" * 4_200_000 + "\nresult: 1\n"
    yield "duplicates", _HEAD + "labels:\n" + "  a: b\n" * 5_000
    yield "line_ends", "\n" * 3_000_000
    yield "anchors", "- &a b\n" * 100_000


def _bytes() -> Broken:
    """Files that are not text, or text of another kind."""
    lot = random.Random(_SEED + 3)
    text = ETL.encode()
    yield "empty", b""
    yield "only_line_ends", b"\n\n\n"
    yield "only_comment", b"# nothing\n"
    yield "only_dashes", b"---\n...\n"
    yield "nul", b"\0"
    yield "nuls", b"\0" * 100_000
    yield "nul_inside", text[:100] + b"\0" + text[100:]
    yield "bom", b"\xef\xbb\xbf" + text
    yield "bom_twice", b"\xef\xbb\xbf\xef\xbb\xbf" + text
    yield "bom_inside", text[:100] + b"\xef\xbb\xbf" + text[100:]
    yield "crlf", text.replace(b"\n", b"\r\n")
    yield "cr", text.replace(b"\n", b"\r")
    yield "mixed_line_ends", text.replace(b"\n", b"\r\n", 7).replace(b"call", b"call\r")
    yield "utf16_le", ETL.encode("utf-16")
    yield "utf16_be", ETL.encode("utf-16-be")
    yield "utf32", ETL.encode("utf-32")
    yield (
        "latin1",
        "flowc: 1\nflow: x\ndoc: caf\N{LATIN SMALL LETTER E WITH ACUTE}\nresult: 1\n".encode("latin-1"),
    )
    yield "lone_surrogate", b"flowc: 1\nflow: x\ndoc: \xed\xa0\x80\nresult: 1\n"
    yield "escaped_surrogate", b'flowc: 1\nflow: x\ndoc: "\\ud83d\\ude00"\nresult: 1\n'
    yield "cut_character", text + b"# \xf0\x9f\x98"
    yield "overlong", b"flowc: 1\nflow: \xc0\xaf\n"
    yield "line_separator", text[:100] + "\u2028\u2029\x85".encode() + text[100:]
    yield "right_to_left", text[:100] + "\u202e\u2066".encode() + text[100:]
    yield "elf", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20
    yield "gzip", b"\x1f\x8b\x08" + lot.randbytes(2_000)
    yield "pickle", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n."
    yield "json", b'{"flowc": 1, "flow": "x", "steps": [{"call": 1,}]}'
    yield "python", b"def flow(x):\n    return {'a': x[1:2]}\n"
    yield "html", b"<!doctype html>\n<p class='a'>404 &amp; nothing</p>\n"
    yield "escape_codes", b"flowc: 1\nflow: \x1b[31mx\x1b[0m\n"
    for number in range(12):
        yield f"random_{number}", lot.randbytes(lot.randrange(1, 3_000))
    for number in range(12):
        changed = bytearray(text)
        for _ in range(5):
            changed[lot.randrange(len(changed))] = lot.randrange(256)
        yield f"flipped_{number}", bytes(changed)


_FAMILIES = (
    _characters, _lines, _values, _keys, _expressions, _shapes, _aliases, _large, _bytes
)  # fmt: skip


def write(folder: Path) -> int:
    """Writes every file into a folder; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, data in broken_flows():
        (folder / f"{name.replace('/', '_')}.flow.yaml").write_bytes(data)
        count += 1
    return count


if __name__ == "__main__":
    print(write(Path(sys.argv[1])), "files")
