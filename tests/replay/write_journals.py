"""Write the recorded journals that are not there yet. Those that are there are never written again.

PYTHONPATH=tests/support python tests/replay/write_journals.py
"""

import sys
from threading import Event

import story_actors
import story_tasks
from journals import JOURNALS, written
from stories import Story, program_of, story_of

from flowrt.encoding.pack import encode_program, encode_record
from flowrt.engine.cancelling import cancel
from flowrt.noun import replace
from flowrt.record import Record

NAMES = (
    "actors",
    "blocks",
    "branches",
    "cached",
    "calls",
    "carried",
    "else_assigns",
    "events",
    "fans",
    "flows",
    "graphs",
    "listeners",
    "locks",
    "loops",
    "pauses",
    "races",
    "retries",
    "sagas",
    "starts",
    "switches",
    "tries",
)

FAILS = """
flow: f
steps:
  - id: rounds
    for: n in range(3)
    parallel: 3
    errors: collect
    do:
      - graph:
          one: s.even_only(n)
          two: s.fail_if(n, 1)
        failure: finish
  - graph:
      a: s.text("a")
      b: s.needs_world(7)
      c: {sleep: 1h}
  - return: "[len(rounds.errors), a, b]"
"""

TRIED = """
flow: f
steps:
  - try:
      - id: a
        call: s.text("a")
      - do:
          - id: b
            call: s.text("b")
          - call: s.needs_world(7)
        retry: {max: 1, delay: 10s, jitter: none}
        timeout: 1h
    finally:
      - call: s.text("end")
      - sleep: 1m
  - return: "[a, b]"
"""

HELD = """
flow: f
steps:
  - id: found
    for: n in range(3)
    parallel: 3
    errors: drop
    do:
      - lock: desk
        limit: 2
        do:
          - {id: a, call: "s.even_only(n)"}
          - {sleep: 1m}
          - {id: b, call: "s.needs_world(7)", cache: n}
  - {id: c, start: g(len(found))}
  - lock: door
    do:
      - {id: d, call: "s.needs_world(8)", cache: {key: 1, ttl: 1h}}
      - call: s.needs_world(7)
  - return: "[len(c) > 0, d]"
---
flow: g
inputs: {n: int}
steps: []
"""

CALLED = """
actors: {account: "story_actors:Account"}
flow: f
steps:
  - graph:
      a: {call: "account('ann').deposit_if_open('a', 5)", retry: {max: 1, delay: 10s, jitter: none}}
      b: {call: "account('ann').deposit_if_open('b', 7)", retry: never}
      c: {call: "account('bob').deposit_on(2, 1)", retry: {max: 3, delay: 1s}, timeout: 1m}
    failure: finish
  - lock: door
    key: a
    do:
      - id: d
        call: account('ann').deposit(a)
      - call: s.needs_world(7)
  - return: "[a, c, d]"
"""

ENDLESS = """
events: {never: {type: any}}
flow: f
steps:
  - graph:
      a: s.text("a")
      b: {sleep: 30d}
      c: {wait: never, timeout: 60d}
      d: {for: n in range(3), parallel: 2, do: [{sleep: 40d}]}
"""


def reopened(text: str = FAILS) -> Story:
    story_tasks.BROKEN.add(7)
    story = story_of(text)
    assert story.play().status == "failed"
    story_tasks.BROKEN.clear()
    assert story.drive(reopen=True).status == "succeeded"
    return story


def reopened_calls() -> Story:
    """Two calls fail for good; then what is behind them fails inside of a lock, and goes on there."""
    story_actors.CLOSED.update("ab")
    story_tasks.BROKEN.add(7)
    story = story_of(CALLED)
    assert story.play().status == "failed"
    story_actors.CLOSED.clear()
    assert story.drive(reopen=True).status == "failed"
    story_tasks.BROKEN.clear()
    assert story.drive(reopen=True).status == "succeeded"
    return story


def suspended() -> Story:
    story = story_of(ENDLESS)
    story.start()
    interrupt = Event()

    class AtPause:
        def __getattr__(self, name: str):
            return lambda *_: interrupt.set() if name == "waiting" else None

    assert story.drive(interrupt=interrupt, observer=AtPause()).status == "suspended"
    return story


def cancelled() -> Story:
    story = suspended()
    cancel(story.store, "story", "no longer wanted")
    assert story.drive().status == "cancelled"
    return story


def without_traceback(record: Record) -> Record:
    """The record without the paths of the machine that wrote it."""
    failure = getattr(record, "failure", None)
    return record if failure is None else replace(record, failure=replace(failure, traceback=""))


def played(name: str) -> Story:
    story = Story(program_of(name))
    story.play()
    return story


def main() -> int:
    makers = {name: (lambda name=name: played(name)) for name in NAMES}
    makers |= {"reopened_tries": lambda: reopened(TRIED), "reopened_locks": lambda: reopened(HELD)}
    makers |= {"reopened_actors": reopened_calls}
    makers |= {"reopened": reopened, "suspended": suspended, "cancelled": cancelled}
    for name, make in makers.items():
        path = JOURNALS / f"{name}.journal"
        if not path.exists():
            story = make()
            records = [encode_record(without_traceback(record)) for record in story.records()]
            path.write_text(written(encode_program(story.program), records))
            print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
