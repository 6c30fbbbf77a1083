"""What is simulated: programs, each with how a run of it must end. Compiled once a process.

Random flows end as the plain interpreter says. The others are written for what random flows leave out:
events from outside, time-outs, retries, large values, samples; and for what runs have to do with each other.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from textwrap import dedent
from typing import TypeVar

from random_flows import FAR, random_flow

from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.render.render import render_text
from flowc.span import Source
from flowrt.plain.plain import run_plain
from flowrt.program import Program

T = TypeVar("T")

RANDOM_COUNT = 240
"""How many random flows take turns."""

FAILED = "failed"


@dataclass(frozen=True)
class Case:
    """A program, the value that its runs end with (or FAILED), and whether it waits for mail from outside.

    With `open` the value depends on what happens; then it is only held against the journal. A run of one
    that `starts` may start others, which somebody has to serve.
    """

    name: str
    program: Program
    expected: object = None
    open: bool = False
    mail: bool = False
    starts: bool = False


MAIL = """
events: {mail: {type: int, key: str}}
flow: mail
steps:
  - id: a
    wait: mail
    key: "'x'"
  - id: more
    call: s.add(a, 1)
  - id: b
    wait: mail
    key: "'x'"
  - sleep: 20s
  - id: g
    graph:
      p: {wait: mail, key: "'y'"}
      q: {wait: mail, key: "'y'"}
      r: {wait: mail, key: "'y'", match: event > 100}
      plus: s.add(more, 1)
  - id: c
    wait: mail
    key: "'x'"
  - return: "[a, b, c, more, sorted([g.p, g.q, g.r]), g.plus]"
"""

LATE_MAIL = """
events: {mail: {type: int, key: str}}
flow: late
steps:
  - id: a
    wait: mail
    key: "'z'"
    timeout: 30s
    else: [{id: a, value: "0 - 1"}]
  - for: i in range(3)
    parallel: 3
    do:
      - id: one
        wait: mail
        key: "'w'"
        timeout: ${{ duration("20s") * (i + 1) }}
        else: [{id: one, value: "0 - 1"}]
      - id: two
        call: s.add(one, i)
    collect: two
    id: many
  - return: "[a, many]"
"""

LOOP_OF_MAIL = """
events: {mail: {type: int, key: str}}
flow: rounds
steps:
  - {id: n, value: "0"}
  - {id: seen, value: "0"}
  - while: n < 5
    do:
      - {id: e, wait: mail, key: "'x'"}
      - {id: n, value: n + 1}
      - {id: seen, call: "s.add(seen, e)"}
  - return: "[n, seen]"
"""

PAUSES = """
flow: pauses
steps:
  - id: g
    graph:
      a: {do: [{sleep: 5s}, {call: "s.add(1, 1)"}]}
      b: {do: [{sleep: 70s}, {call: "s.add(2, 1)"}]}
      c: {do: [{sleep: 70s}, {sleep: 1s}, {call: "s.add(3, 1)"}]}
  - {id: n, value: "0"}
  - until: n >= 4
    every: 10s
    do: [{id: n, call: "s.add(n, 1)"}]
  - return: "[g.a, g.b, g.c, n]"
"""

RETRIES = """
flow: retries
steps:
  - id: many
    for: i in range(4)
    parallel: 2
    do:
      - id: x
        call: s.fails_before(i)
        retry: {max: 3, delay: 7s, factor: 2, cap: 1h}
    collect: x
  - id: bad
    for: i in range(3)
    parallel: 3
    errors: collect
    do: [{id: y, call: "s.fails_before(99)", retry: {max: 2, delay: 1s}}]
    collect: y
  - return: "[many, len(bad.values), [e.index for e in bad.errors]]"
"""

LARGE = """
flow: large
steps:
  - {id: many, call: s.numbers(12000)}
  - id: parts
    for: chunk in many
    batch: 3000
    parallel: 2
    do: s.total(chunk)
  - return: "[sum(parts), many[77]]"
"""

SAMPLES = """
flow: samples
steps:
  - {id: r, value: random()}
  - {id: u, value: uuid()}
  - {id: t, value: now()}
  - {id: one, call: s.text(u)}
  - {id: two, call: "s.pair(r, t)"}
  - return: "[one == u, two == [r, t]]"
"""

WIDE = """
flow: wide
steps:
  - id: xs
    for: i in range(12)
    parallel: 6
    do: s.add(i, i)
  - id: ys
    for: x in xs
    parallel: 12
    do: s.mix(x, 1)
  - return: "[sum(xs), len(ys)]"
"""

QUEUE = """
flow: queue
steps:
  - id: xs
    for: i in range(4)
    parallel: 3
    do:
      - lock: desk
        limit: 2
        do:
          - {id: x, call: "s.add(i, 1)"}
          - sleep: 8s
          - {id: y, call: "s.mix(x, i)"}
      - value: y
  - lock: door
    do:
      - {id: z, call: "s.add(1, 2)"}
      - lock: desk
        do: s.add(z, 1)
  - return: "[sum(xs), z]"
"""

STARTS = """
flow: starts
steps:
  - {id: one, start: child(3)}
  - id: more
    for: i in range(3)
    parallel: 2
    do:
      - {id: x, call: "s.add(i, 1)"}
      - {id: each, start: child(x)}
    collect: each
  - return: "[len(one) > 0, len(set(more))]"
---
flow: child
inputs: {n: int}
steps:
  - {id: a, call: "s.add(n, 1)"}
  - sleep: 15s
  - if: n == 2
    then: [{start: grandchild(a)}]
  - return: a
---
flow: grandchild
inputs: {n: int}
steps:
  - {id: b, call: "s.add(n, 1)", cache: true}
  - return: b
"""

CACHES = """
flow: caches
steps:
  - id: xs
    for: i in range(6)
    parallel: 3
    do:
      - {id: x, call: "s.mix(i, 2)", cache: true}
      - {id: y, call: "s.add(x, 1)", cache: {key: i, ttl: 30s}}
      - value: y
  - {id: many, call: s.numbers(12000), cache: "'many'"}
  - return: "[sum(xs), len(many)]"
"""

ACCOUNTS = """
actors: {account: s.Account}
flow: accounts
steps:
  - for: i in range(5)
    parallel: 3
    do:
      - call: account("all").deposit(i + 1)
      - call: account(run.id).deposit_at_last(i)
        retry: {max: 2, delay: 5s}
  - saga:
      - call: account(run.id).deposit(7)
        undo: account(run.id).deposit(-7)
      - call: account("all").deposit(1000)
  - return: account(run.id).balance()
"""

_MIXED = [(i * 31 + 2 * 17 + 5) % 101 + 1 for i in range(6)]
_QUEUED = [((i + 1) * 31 + i * 17 + 5) % 101 for i in range(4)]

WRITTEN: dict[str, tuple[str, dict[str, object]]] = {
    "mail": (MAIL, {"open": True, "mail": True}),
    "late": (LATE_MAIL, {"open": True, "mail": True}),
    "rounds": (LOOP_OF_MAIL, {"open": True, "mail": True}),
    "pauses": (PAUSES, {"expected": [2, 3, 4, 4]}),
    "retries": (RETRIES, {"expected": [[0, 1, 2, 3], 0, [0, 1, 2]]}),
    "large": (LARGE, {"expected": [sum(range(12000)), 77]}),
    "samples": (SAMPLES, {"expected": [True, True]}),
    "wide": (WIDE, {"expected": [sum(range(12)) * 2, 12]}),
    "queue": (QUEUE, {"expected": [sum(_QUEUED), 3]}),
    "queue too": (QUEUE, {"expected": [sum(_QUEUED), 3]}),
    "starts": (STARTS, {"expected": [True, 3], "starts": True}),
    "caches": (CACHES, {"expected": [sum(_MIXED), 12_000]}),
    "caches too": (CACHES, {"expected": [sum(_MIXED), 12_000]}),
}


ACTORS_EACH = 8
"""In one simulation of so many there are two more runs, which call methods of the same actors."""


def with_actors(seed: int) -> dict[str, Case]:
    """Runs of a seed whose methods of actors are called by both."""
    if seed % ACTORS_EACH != ACTORS_EACH - 3:
        return {}
    program = _accounts()
    return {name: Case(name, program, 17) for name in ("accounts", "accounts too")}


@lru_cache(None)
def _accounts() -> Program:
    return compiled(f"flowc: 1\nuse: {{s: simulated_tasks}}\n{dedent(ACCOUNTS)}")


def cases(rng: random.Random) -> list[Case]:
    """What one simulation runs: one to three programs."""
    picked: dict[str, Case] = {}
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        case = (
            written(rng.choice(sorted(WRITTEN))) if rng.random() < 0.4 else made(rng.randrange(RANDOM_COUNT))
        )
        picked[case.name] = case
    return list(picked.values())


@lru_cache(None)
def written(name: str) -> Case:
    """One of the programs above."""
    text, more = WRITTEN[name]
    return Case(name, compiled(f"flowc: 1\nuse: {{s: simulated_tasks}}\n{dedent(text)}"), **more)


@lru_cache(None)
def made(seed: int) -> Case:
    """A random flow. Its events have a name of their own, for all runs of a store see them.

    Its bounds are never reached, and a clock here may jump by decades.
    """
    text = random_flow(seed).replace('"ping"', f'"ping{seed}"')
    program = compiled(text.replace(f'"{FAR}"', '"90000d"'))
    return Case(f"random{seed}", program, _plain_end(program, {}), starts='"start"' in text)


def _plain_end(program: Program, inputs: dict[str, object]) -> object:
    try:
        return run_plain(program, inputs, events=[])
    except Exception:  # noqa: BLE001 - whatever the flow comes to
        return FAILED


_STARTED: dict[str, Case] = {}


def started(parent: Case, flow: str, inputs: dict[str, object]) -> Case:
    """What a run starts: one of the flows of its program, and how a run of that must end."""
    given = ", ".join(f"{name}={value}" for name, value in inputs.items())
    name = f"{parent.name}/{flow}({given})"
    if name not in _STARTED:
        program = replace(parent.program, main=flow)
        _STARTED[name] = Case(name, program, _plain_end(program, inputs))
    return _STARTED[name]


def compiled(text: str) -> Program:
    """The program of a file's first flow."""
    file, found = check_source(Source("simulated.flow.yaml", text))
    assert file is not None, found
    assert not [f for f in found if f.severity == "error"], render_text(found, color=False)
    return lower(file, file.flows[0].name.text)


def once_each(work: Callable[[Program], T]) -> Callable[[Program], T]:
    """The same work, done once for each program. Programs here live as long as the process."""
    done: dict[int, tuple[Program, T]] = {}

    def remembered(program: Program) -> T:
        if id(program) not in done:
            done[id(program)] = program, work(program)
        return done[id(program)][1]

    return remembered
