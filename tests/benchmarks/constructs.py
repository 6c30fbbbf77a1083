"""What each construct costs around a step of a loop, against the same loop without it, in one run.

    python tests/benchmarks/constructs.py [--count 2000] [--times 3] [--store postgres] [--only lock try]

Each flow makes COUNT rounds of a sequential `for`, one small task in each, made at once in the engine's own
thread: what is measured is the engine and the store, not a worker. The median of the times (on SQLite, with
a store on a disk in memory, what the processor took); and how many records a round has, which is what most
of it comes from.

Bar: none takes more than BAR times what the plain loop takes for each of its records.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent

from bulk_statements import fresh  # It also finds what the tests have in common.
from stories import InlineExecutor

from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.span import Source
from flowrt.engine.drive import drive, start
from flowrt.program import Program
from flowrt.store.blobs import MemoryBlobs

HERE = Path(__file__).resolve().parent
BAR = 4.0
TASK = "{id: x, call: t.trivial(i)}"
BODIES = {
    "plain": f"- {TASK}",
    "if": f"- if: i >= 0\n  then: [{TASK}]",
    "switch": f"- switch: i % 3\n  cases: [{{is: [0, 1], do: [{TASK}]}}]\n  else: [{TASK}]",
    "do": f"- do: [{TASK}]",
    "do timeout": f"- do: [{TASK}]\n  timeout: 1h",
    "do retry": f"- do: [{TASK}]\n  retry: 2",
    "try": f"- try: [{TASK}]\n  catch: {{do: [{{value: 0}}]}}",
    "try finally": f"- try: [{TASK}]\n  finally: [{{value: 0}}]",
    "caught": "- try: [{call: t.refused(i)}]\n  catch: {type: ValueError, as: e, do: [{value: e.message}]}",
    "race of one": f"- race: [{{id: a, do: [{TASK}]}}]",
    "race": f"- race: [{{id: a, do: [{TASK}]}}, {{id: b, do: [{{wait: never}}]}}]",
    "graph": "- graph: {x: t.trivial(i)}",
    "saga": '- saga: [{id: x, call: t.trivial(i), undo: "t.trivial(x)"}]',
    "lock": f"- lock: door\n  do: [{TASK}]",
    "call": "- call: inner(i)",
    "start": f"- start: inner(i)\n- {TASK}",
    "cache miss": "- {id: x, call: t.trivial(i), cache: true}",
    "cache hit": "- {id: x, call: t.trivial(7), cache: true}",
    "emit and wait": f"- {{emit: ping, key: i}}\n- {{wait: ping, key: i}}\n- {TASK}",
}
FILE = """\
flowc: 1
use: {{t: bench_tasks}}
events: {{never: {{type: any, external: true}}, ping: {{type: any, key: int}}}}
flow: main
inputs: {{count: int}}
steps:
  - id: xs
    for: i in range(count)
    errors: drop
    do:
{body}
    collect: i
  - return: len(xs)
---
flow: inner
inputs: {{n: int}}
steps:
  - id: y
    call: t.trivial(n)
  - return: y
"""


@dataclass
class Measured:
    """What came of a construct: seconds, and records a round."""

    seconds: list[float] = field(default_factory=list)
    records: float = 0.0


def program_of(body: str) -> Program:
    file, found = check_source(Source("constructs.flow.yaml", FILE.format(body=indent(body, "      "))))
    assert file is not None, found
    assert not [one for one in found if one.severity == "error"], found
    return lower(file, "main")


def measure(kind: str, program: Program, count: int, into: Measured) -> None:
    """Run the loop once on an empty store."""
    # On a busy machine the time of the processor says more; a server takes none of this process's.
    clock = time.process_time if kind == "sqlite" else time.perf_counter
    with fresh(kind) as store:
        blobs = MemoryBlobs()
        run_id = start(
            store, blobs, program, {"count": count}, run_id=None, labels={}, python_path=[str(HERE)]
        )
        began = clock()
        result = drive(store, blobs, InlineExecutor(), [run_id])[run_id]
        into.seconds.append(clock() - began)
        assert result.status == "succeeded", result
        into.records = store.run(run_id).head / count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--only", nargs="+", choices=tuple(BODIES), default=list(BODIES))
    given = parser.parse_args()
    names = ["plain", *(name for name in given.only if name != "plain")]
    programs = {name: program_of(BODIES[name]) for name in names}
    found = {name: Measured() for name in names}
    for _ in range(given.times):  # In turns, so that what else the machine does hits all of them.
        for name in names:
            measure(given.store, programs[name], given.count, found[name])
    plain = found["plain"]
    base = statistics.median(plain.seconds)
    worst = 0.0
    for name, one in found.items():
        took = statistics.median(one.seconds)
        ratio = took / base
        each = ratio / (one.records / plain.records)
        worst = max(worst, each)
        print(
            f"{name:14} {took / given.count * 1e6:8.0f} µs a round, {one.records:5.1f} records: "
            f"{ratio:5.2f} times the plain loop, {each:5.2f} a record"
        )
    print(f"the worst {worst:.2f} a record (bar {BAR:g})")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
