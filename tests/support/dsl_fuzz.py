"""A campaign: mutated texts in the DSL are read and checked, and expressions are read in both syntaxes.

    python tests/support/dsl_fuzz.py [SECONDS] [SEED] [expressions]
    python tests/support/dsl_fuzz.py expressions --mutated 100000 [--seed 7]

Whatever the text, nothing is raised, every finding stands inside of it, and it does not take long. An
expression that stands alone is accepted by both syntaxes or by none, with the same tree. Prints what was
done, and exits with 1 and the text at the first one for which this does not hold.

With a count, so many mutated expressions are read by both syntaxes whatever comes of each: crashes, hangs
(a limit of two seconds each) and differences between the syntaxes are counted, the first of each are shown.
"""

import argparse
import random
import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from ir_equal import plain

from flowc.checks.check import check
from flowc.ir import Value
from flowc.read import read
from flowc.resolve.file import resolve
from flowc.span import Source

TESTS = Path(__file__).resolve().parent.parent
TEXTS = [path.read_text() for path in sorted((TESTS / "dsl").rglob("*.flow"))]
MARKS = [
    *"()[]{}:,=\"'#\\\n\t .-+*<>!@$%&|;",
    '"""',
    "'''",
    "    ",
    "\n\n",
    "==",
    ":=",
    "->",
    "${{",
    "\r\n",
    "\0",
]
WORDS = """
    if elif else for while repeat until race try catch finally saga graph do lock switch case
    return raise fail break continue pass sleep wait emit start match with retry timeout heartbeat options
    cache ttl undo after doc never in not and or is lambda
    import def class use event actor flow external schedule cron tz every label
    defaults result collect parallel errors need batch max 3 30s 4GiB x t.f(x) x=1 None
""".split()  # noqa: SIM905 - reads better than eighty quotes
EXPRESSION_MARKS = [
    *"()[]{}:,='\"+-*/<>!@$%&|;.# \\x1",
    " and ",
    " not ",
    " if ",
    " else ",
    " for ",
    " in ",
    " lambda ",
]
SLOW_S = 10.0
"""Most texts take a hundredth of a second; the machine may be busy."""


def mutated(text, chance):
    """The text with one to six small changes."""
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice([0, 0, 1, 1, 2, 5, 40]))
        match chance.randrange(6):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:at] + chance.choice(MARKS) + text[to:]
            case 2:
                text = f"{text[:at]} {chance.choice(WORDS)} {text[to:]}"
            case 3:
                lines = text.split("\n")
                chance.shuffle(lines)
                text = "\n".join(lines) if chance.random() < 0.1 else text
            case 4:
                lines = text.split("\n")
                line = chance.randrange(len(lines))
                lines[line] = " " * chance.randrange(12) + lines[line].lstrip()
                text = "\n".join(lines)
            case _:
                other = chance.choice(TEXTS)
                start = chance.randrange(len(other))
                text = text[:at] + other[start : start + chance.randrange(80)] + text[to:]
    return text


def examined(text, name="fuzz.flow"):
    """The findings about a text; fails when one of them stands outside of it."""
    began = time.monotonic()
    tree, found = read(Source(name, text))
    file, more = resolve(tree)
    found = [*found, *more]
    if file is not None:
        found += check(file, found)
    size = len(tree.source.text)
    for each in found:
        assert 0 <= each.span.start <= each.span.end <= size, each
        for fix in each.fixes:
            assert 0 <= fix.span.start <= fix.span.end <= size, each
    assert found or (tree.whole and file is not None), "nothing found, and nothing understood"
    assert time.monotonic() - began < SLOW_S, "too slow"
    return found


def value_of(name, text):
    """What the one step of a flow computes, and the codes of what was found."""
    tree, found = read(Source(name, text))
    file, more = resolve(tree)
    codes = sorted({each.code for each in [*found, *more]})
    if codes or file is None or len(getattr(file.flows[0].body, "steps", ())) != 1:
        return None, codes
    step = file.flows[0].body.steps[0]
    return (plain(step.expr) if isinstance(step, Value) else plain(step)), codes


def both(expression):
    """An expression as the DSL and as YAML read it."""
    quoted = "'" + expression.replace("'", "''") + "'"
    dsl = value_of("e.flow", f"flow f():\n    x = {expression}\n")
    yaml = value_of("e.flow.yaml", f"flowc: 1\nflow: f\nsteps:\n  - id: x\n    value: {quoted}\n")
    return dsl, yaml


def corpus():
    """The expressions of the tests of expressions, and some that are generated."""
    sys.path.insert(0, str(TESTS / "expr"))
    from generate import Generator  # noqa: PLC0415 - the folder is no package

    lines = [line for path in sorted((TESTS / "expr").glob("*.txt")) for line in path.read_text().split("\n")]
    written = [line.removeprefix(">>> ") for line in lines if line.startswith(">>> ")]
    return written + [Generator(seed).expression() for seed in range(200)]


def mutated_expression(text, chance):
    """The text with one to three small changes, within its line."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice([0, 0, 1, 2]))
        text = text[:at] + chance.choice(EXPRESSION_MARKS) + text[to:]
    return text


def says_the_same(text):
    """Whether a text is an expression in both syntaxes, and not also something else in one of them.

    `${{` is YAML's alone, also in a text. In the DSL a line goes on behind a backslash and has no blanks at
    its ends, and an import path is a call.
    """
    one_line = "\n" not in text and "\r" not in text and not text.endswith("\\") and text == text.strip()
    return one_line and "${{" not in text and not re.match(r"\s*[^\W\d]\w*(\.\w+)*:\w", text)


def expressions(end, chance):
    """Compare expressions for some time; how many were accepted by both syntaxes, and by none."""
    texts, accepted, refused = corpus(), 0, 0
    while time.monotonic() < end:
        text = mutated_expression(chance.choice(texts), chance)
        if says_the_same(text):
            dsl, yaml = both(text)
            assert dsl[0] == yaml[0], text
            accepted, refused = accepted + (dsl[0] is not None), refused + (dsl[0] is None)
    return accepted, refused


HANG_S = 2.0
SHOWN = 5


class _Hangs(BaseException):
    """An expression has taken longer than it may. No `Exception`: nobody is to catch it on the way."""


def outcome(text):
    """What becomes of an expression: accepted, refused, or what is wrong with how it was read."""
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        dsl, yaml = both(text)
    except _Hangs:
        return "hang"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is counted
        return f"crash ({type(error).__name__})"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if dsl[0] != yaml[0]:
        return "difference"
    return "accepted by both syntaxes with one tree" if dsl[0] is not None else "refused by both"


def _stop(*_):
    raise _Hangs


def campaign(argv):
    """Read a number of mutated expressions; the exit code."""
    parser = argparse.ArgumentParser(prog="dsl_fuzz.py expressions")
    parser.add_argument("--mutated", type=int, required=True)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    args = parser.parse_args(argv)
    signal.signal(signal.SIGALRM, _stop)
    chance, texts, counts, bad = random.Random(args.seed), corpus(), Counter(), Counter()
    while sum(counts.values()) < args.mutated:
        text = mutated_expression(chance.choice(texts), chance)
        if not says_the_same(text):
            continue
        what = outcome(text)
        counts[what] += 1
        if not what.startswith(("accepted", "refused")):
            bad[what] += 1
            if bad[what] <= SHOWN:
                print(f"{what}: {text!r}")
    print(f"seed {args.seed}: {args.mutated:,} mutated expressions")
    for what, count in sorted(counts.items()):
        print(f"  {count:,} {what}")
    print(f"  {sum(bad.values()):,} crashes, hangs or differences")
    return 1 if bad else 0


def main():
    """Mutate for some seconds."""
    if sys.argv[1:2] == ["expressions"]:
        sys.exit(campaign(sys.argv[2:]))
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 100_000
    chance, end, count, clean = random.Random(seed), time.monotonic() + seconds, 0, 0
    if sys.argv[3:] == ["expressions"]:
        accepted, refused = expressions(end, chance)
        print(
            f"seed {seed}: {accepted} expressions accepted by both syntaxes with one tree, {refused} by none"
        )
        return
    while time.monotonic() < end:
        text = mutated(chance.choice(TEXTS), chance)
        try:
            clean += not examined(text)
        except BaseException:
            print(f"seed {seed}, text {count}:\n{text!r}")
            raise
        count += 1
    print(f"seed {seed}: {count} texts, {clean} of them without a finding; none raised, none slow")


if __name__ == "__main__":
    main()
