"""Locks: one after another in order of asking, across runs; whatever ends a body frees what it held."""

import time
from collections.abc import Sequence

import pytest
from served_stories import SECOND, begin, go_on, served, status
from stories import (
    HOUR,
    NOON,
    HoldingExecutor,
    JumpClock,
    Story,
    killed_after,
    story_of,
)

from flowrt.encoding.pack import decode_record, encode_record
from flowrt.encoding.values import Values
from flowrt.executor.port import Attempt
from flowrt.record import Ended, Locked, Queued, Succeeded, Unlocked
from flowrt.shown.run_json import run_json
from flowrt.store.owner import this_owner
from flowrt.store.port import Store
from flowrt.store.rows import Batch, LockRequest
from flowrt.value import Inline
from flowrt.view import view
from flowrt.why.why import why_run, why_step

CRITICAL = """
flow: f
inputs: {n: int}
steps:
  - lock: gpu
    limit: 2
    do:
      - id: x
        call: s.add(n, 0)
      - sleep: 1h
      - call: s.add(n, 1)
  - return: x
"""


def beside(story: Story, run_id: str, **parts: object) -> Story:
    """Another run of the same flow in the same store."""
    given = {"store": story.store, "blobs": story.blobs, "clock": story.clock, **parts}
    return Story(story.program, run_id=run_id, **given)


def value_of(story: Story, run_id: str) -> object:
    [*_, last] = story.store.journal(run_id)
    ended = decode_record(last.data)
    assert isinstance(ended, Ended)
    return Values(story.blobs).load(ended.value)


def order_of(story: Story, run_ids: Sequence[str]) -> list[str]:
    """The runs in the order in which they began their bodies."""
    made = [key.run_id for key in story.executor.made]
    return sorted(run_ids, key=made.index)


def test_no_more_than_the_limit_are_inside_and_they_come_in_order():
    story = served(CRITICAL, {"n": 0})
    names = ["story", *(f"r{n}" for n in range(1, 5))]
    for n, name in enumerate(names[1:], 1):
        story.clock.at += 1000
        begin(story, name, {"n": n})
    inside: list[int] = []
    tickets: dict[str, int] = {}

    def look(_: int) -> None:
        rows = story.store.lock_queue("gpu", 10)
        inside.append(sum(row.granted for row in rows))
        tickets.update({row.run_id: row.ticket for row in rows})

    go_on(story, look=look)
    assert max(inside) == 2
    assert order_of(story, names) == sorted(names, key=lambda name: tickets[name])
    assert [value_of(story, name) for name in names] == [0, 1, 2, 3, 4]
    assert story.store.all_locks(0, 10) == []


def test_a_run_that_waits_for_a_lock_is_parked():
    story = served(CRITICAL.replace("limit: 2", "limit: 1"), {"n": 0})
    begin(story, "other", {"n": 1})
    parked: set[str] = set()

    def look(_: int) -> None:
        for row in story.store.runs(status=["waiting"]):
            if row.owner is None and row.wake_at is None:
                parked.add(row.run_id)

    go_on(story, look=look)
    assert len(parked) == 1
    assert (status(story), status(story, "other")) == ("succeeded", "succeeded")


FAILING = """
flow: f
inputs: {fails: {type: bool, default: true}}
steps:
  - lock: gpu
    do:
      - id: a
        call: s.add(1, 1)
      - call: s.even_only(3 if fails else 2)
      - id: b
        call: s.add(a, 1)
  - return: b
"""


def test_a_failure_inside_gives_the_lock_back_and_who_goes_on_has_to_get_it_again():
    story = story_of(FAILING)
    assert story.play().status == "failed"
    assert story.store.all_locks(0, 10) == []
    assert sum(isinstance(record, Unlocked) for record in story.records()) == 1
    # Another run has the lock when the first one is resumed.
    other = Story(story_of(CRITICAL).program, store=story.store, executor=HoldingExecutor(), run_id="other")
    other.start({"n": 1})
    epoch = hold(story.store, "other")
    assert [row.run_id for row in story.store.lock_queue("gpu", 9)] == ["other"]
    resumed = story.drive(reopen=True, interrupt=Counted(story, 30))
    assert resumed.status == "suspended"
    assert [key.step for key in story.executor.made].count("step#1.a") == 1
    made = len(story.executor.made)
    story.store.release("other", epoch, "suspended")
    again = story.drive()
    assert again.status == "failed"
    assert len(story.executor.made) == made + 1


class Counted:
    """An interruption after so many looks; the clock goes on with each."""

    def __init__(self, story: Story, looks: int) -> None:
        self.story, self.looks = story, looks

    def is_set(self) -> bool:
        self.looks -= 1
        self.story.clock.at += SECOND
        return self.looks < 0

    def wait(self, _: float | None = None) -> bool:
        return self.is_set()


def hold(
    store: Store, run_id: str, *, lease: int = 1000 * HOUR, step: str = "held", name: str = "gpu"
) -> int:
    """Let a run have a lock, as its owner would, and be owned for a while."""
    now = NOON
    epoch = store.claim(run_id, this_owner(), now, now + lease)
    head = store.run(run_id).head
    assert not store.append(
        [Batch(run_id, epoch, head, [], locks=[LockRequest(step, name, 1)], status="running")]
    )
    assert [row.granted for row in store.locks_of([run_id])] == [True]
    return epoch


NESTED = """
flow: f
inputs: {first: str, second: str}
steps:
  - if: first == "a"
    then:
      - lock: a
        do:
          - sleep: 1m
          - lock: b
            do: s.add(1, 2)
    else:
      - lock: b
        do:
          - sleep: 1m
          - lock: a
            do: s.add(1, 2)
  - return: 1
"""


def test_two_runs_that_would_wait_for_each_other_are_told():
    story = served(NESTED, {"first": "a", "second": "b"})
    begin(story, "other", {"first": "b", "second": "a"})
    go_on(story)
    ends = [one for name in ("story", "other") for one in records_of(story, name) if isinstance(one, Ended)]
    [failed] = [end for end in ends if end.status == "failed"]
    assert failed.failure.type == "flowrt.LocksInCircle"
    for part in ("`a`", "`b`", "this run", "is held by run ", "in one order"):
        assert part in failed.failure.message
    assert sorted(end.status for end in ends) == ["failed", "succeeded"]
    assert story.store.all_locks(0, 10) == []


KEYED = """
flow: f
inputs: {user: any, n: int}
steps:
  - lock: account
    key: user
    do:
      - sleep: 1h
      - return: s.add(n, 0)
"""


def test_a_lock_with_a_key_is_one_for_each_key():
    story = served(KEYED, {"user": "ada", "n": 0})
    begin(story, "same", {"user": "ada", "n": 1})
    begin(story, "other", {"user": 7, "n": 2})
    begin(story, "digits", {"user": "7", "n": 3})
    inside: list[set[str]] = []
    names: set[str] = set()

    def look(_: int) -> None:
        rows = story.store.all_locks(0, 10)
        inside.append({row.run_id for row in rows if row.granted})
        names.update(row.name for row in rows)

    go_on(story, look=look)
    assert names == {"account(ada)", "account(7)"}
    assert any(len(runs) == 2 for runs in inside)
    assert not any({"story", "same"} <= runs or {"other", "digits"} <= runs for runs in inside)
    assert [value_of(story, name) for name in ("story", "same", "other", "digits")] == [0, 1, 2, 3]
    assert story.store.all_locks(0, 10) == []


def test_the_key_of_a_lock_is_not_computed_again():
    """What a run asked for is what it gets back and what it is told by, whatever the key would be now."""
    story = story_of(KEYED.replace("key: user", "key: user[0]"))
    story.start({"user": ["ada"], "n": 1})
    assert story.drive(interrupt=Counted(story, 4)).status == "suspended"
    story.store.free_locks(NOON + 50 * HOUR)
    assert story.value(story.drive()) == 1
    assert [one.lock for one in story.records() if isinstance(one, Queued)] == ["account(ada)"]


@pytest.mark.parametrize(
    ("key", "message"), [(None, "not NoneType"), ([1], "not list"), ("k" * 2000, "bytes")]
)
def test_what_cannot_be_the_key_of_a_lock_fails_the_step(key: object, message: str):
    failure = story_of(KEYED).play({"user": key, "n": 1}).failure
    assert failure.step == "step#1"
    assert "key of a lock" in failure.message
    assert message in failure.message


def test_a_lock_inside_of_itself_is_told():
    story = story_of("flow: f\nsteps:\n  - lock: a\n    do:\n      - lock: a\n        do: s.add(1, 1)\n")
    failure = story.play().failure
    assert failure.type == "flowrt.LocksInCircle"
    assert story.store.all_locks(0, 10) == []


def records_of(story: Story, run_id: str) -> list:
    return [decode_record(row.data) for row in story.store.journal(run_id)]


def test_cancel_while_waiting_leaves_the_queue():
    story = served(CRITICAL.replace("limit: 2", "limit: 1"), {"n": 0})
    epoch = None
    holder = beside(story, "holder")
    holder.start({"n": 9})
    epoch = hold(story.store, "holder")
    asked: list[bool] = []

    def look(_: int) -> None:
        if len(story.store.lock_queue("gpu", 9)) == 2 and not asked:
            asked.append(True)
            story.store.request_cancel("story", "enough")

    go_on(story, look=look, done=lambda: status(story) == "cancelled")
    assert asked
    assert [row.run_id for row in story.store.lock_queue("gpu", 9)] == ["holder"]
    assert [key.run_id for key in story.executor.made] == []
    assert epoch == story.store.run("holder").epoch


def test_who_was_told_to_stop_while_it_waited_gives_its_place_back():
    """The body of a graph that fails leaves no place behind, and the run goes on."""
    story = story_of("""
flow: f
steps:
  - id: xs
    for: i in range(2)
    parallel: 2
    errors: drop
    do:
      - graph:
          bad: s.even_only(i * 3)
          slow: {do: [{lock: gpu, do: [{sleep: 1h}, {value: i}]}]}
  - lock: gpu
    do:
      - return: "len(xs)"
""")
    assert story.value(story.play()) == 1
    assert story.store.all_locks(0, 10) == []


def test_a_foreground_run_that_was_killed_loses_its_lock_to_the_next_and_gets_it_again():
    waiting = story_of(CRITICAL.replace("limit: 2", "limit: 1"))
    killed = beside(waiting, "killed")
    killed.start({"n": 7})
    # It dies inside of the body: its lease ends, and nothing was released.
    inside = copy_inside(killed)
    assert inside == ["killed"]
    waiting.start({"n": 1})
    result = waiting.drive()
    assert waiting.value(result) == 1
    assert waiting.store.run("killed").status == "suspended"
    assert "locks" in waiting.store.run("killed").problem
    locked_before = sum(isinstance(one, Locked) for one in killed.records())
    assert killed.value(killed.drive()) == 7
    assert sum(isinstance(one, Locked) for one in killed.records()) == locked_before == 1
    assert [key.step for key in killed.executor.made].count("step#1.x") == 1


def copy_inside(story: Story) -> list[str]:
    """Drive a run into its body, and leave it as a process does that is killed there."""
    killed_after(story, 1)
    return [row.run_id for row in story.store.lock_queue("gpu", 9) if row.granted]


def test_a_zombie_that_lost_its_lock_commits_nothing():
    waiting = story_of(CRITICAL.replace("limit: 2", "limit: 1"))
    zombie = beside(waiting, "zombie")
    zombie.start({"n": 7})
    epoch = hold(waiting.store, "zombie", lease=SECOND)
    head = waiting.store.run("zombie").head
    waiting.start({"n": 1})
    assert waiting.value(waiting.drive()) == 1
    late = [encode_record(Succeeded("step#1.x", Inline(b""), 1, 0, 0))]
    assert waiting.store.append([Batch("zombie", epoch, head, late)]) == {"zombie"}
    assert waiting.store.run("zombie").head == head


def test_a_served_holder_whose_server_died_is_taken_over_and_keeps_its_lock():
    story = served(CRITICAL.replace("limit: 2", "limit: 1"), {"n": 0})
    [row] = story.store.claim_due(this_owner(), NOON + HOUR, NOON + HOUR + SECOND, 1)
    request = LockRequest("held", "gpu", 1)
    assert not story.store.append([Batch("story", row.epoch, 1, [], locks=[request], status="running")])
    begin(story, "other", {"n": 1})
    assert story.store.free_locks(NOON + 50 * HOUR) == 0
    assert [one.run_id for one in story.store.lock_queue("gpu", 9) if one.granted] == ["story"]


def test_why_and_show_tell_who_holds_the_lock():
    story = story_of(CRITICAL.replace("limit: 2", "limit: 1"))
    holder = beside(story, "holder")
    holder.start({"n": 9})
    hold(story.store, "holder")
    story.start({"n": 1})
    assert story.drive(interrupt=Counted(story, 10)).status == "suspended"
    # Asked for again by whoever resumes it: as long as it waits in a process, its place is there.
    epoch = story.store.claim("story", this_owner(), NOON, NOON + HOUR)
    head = story.store.run("story").head
    asked = LockRequest("step#1", "gpu", 1)
    assert not story.store.append([Batch("story", epoch, head, [], locks=[asked])])
    told = why_run(story.store, "story", NOON)
    assert any("waits for the lock `gpu`" in line for line in told)
    assert "the lock `gpu` is held by run holder (step `held`)" in told
    assert "this step is the next" in why_step(story.store, "story", "step#1", NOON)
    [waiting] = run_json(view(story.store, "story"), story.blobs)["waiting"]
    assert waiting == {"step": "step#1", "kind": "lock", "event": None, "key": "gpu", "until": None}


IN_VAIN = """
flow: f
steps:
  - try:
      - graph:
          a: 1 // 0
          b:
            lock: gpu
            do: [{sleep: 1h}]
    catch: {do: []}
  - call: s.add(1, 1)
"""


def test_a_step_that_is_stopped_before_it_has_asked_does_not_stand_in_the_queue():
    story = story_of(IN_VAIN)
    assert story.play().status == "succeeded"
    assert story.store.all_locks(0, 10) == []
    assert not [r for r in story.records() if isinstance(r, Queued)]


def test_a_flow_that_is_called_last_runs_inside_of_the_lock():
    story = story_of(
        """
        flow: f
        steps:
          - lock: gpu
            do:
              - return: g(1)
        ---
        flow: g
        inputs: {n: int}
        steps:
          - id: x
            call: s.add(n, 1)
          - return: x
        """
    )
    assert story.value(story.play()) == 2
    kinds = [type(record) for record in story.records()]
    assert kinds.index(Locked) < kinds.index(Succeeded) < kinds.index(Unlocked)


def test_a_lock_goes_from_body_to_body_of_a_run_without_a_wait():
    story = story_of(
        """
        flow: f
        steps:
          - id: xs
            for: n in range(20)
            parallel: 20
            do:
              - lock: gpu
                do: [{id: x, call: "s.add(n, 1)"}]
              - value: x
          - return: sum(xs)
        """
    )
    assert story.value(story.play()) == 210
    assert story.clock.now() == NOON


def test_what_is_read_of_the_queues_does_not_grow_with_those_who_wait():
    """Many bodies of one run want one lock: each grant is looked at once, and not all who wait."""
    story = story_of(
        """
        flow: f
        steps:
          - id: xs
            for: n in range(60)
            parallel: 60
            do:
              - lock: gpu
                do: [{id: x, call: "s.add(n, 1)"}]
              - value: x
          - return: sum(xs)
        """
    )
    read: list[int] = []
    real = story.store.locks_of

    def locks_of(*args, **kwargs):
        rows = real(*args, **kwargs)
        read.append(len(rows))
        return rows

    story.store.locks_of = locks_of
    assert story.value(story.play()) == 1830
    assert sum(read) <= 3 * 60
    assert len(read) <= 3 * 60


AT_ONCE = """
flow: f
steps:
  - id: xs
    for: i in range(20)
    parallel: 10
    do:
      - lock: gpu
        do: s.add(i, 0)
  - return: sum(xs)
"""


def test_a_lock_goes_to_the_next_parked_run_at_once():
    story = served(AT_ONCE.replace("parallel: 10", "parallel: 2"))
    for n in range(5):
        begin(story, f"r{n}")
    go_on(story)  # Who serves looks for news every ten seconds here.
    assert {row.status for row in story.store.runs()} == {"succeeded"}
    assert story.clock.now() - NOON < 6 * SECOND


class LateClock(JumpClock):
    """Whoever waits sleeps too long, as on a machine that was suspended."""

    def timeout_s(self, until: int) -> float:
        return super().timeout_s(until + 3 * HOUR)


class SlowAgain(HoldingExecutor):
    """The first attempt is made at once; the others take as long as three turns of the engine."""

    def __init__(self) -> None:
        super().__init__()
        self.submitted: list[int] = []
        self.turns = 0

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        self.submitted += [attempt.key.attempt for attempt in attempts]
        if self.submitted == [1]:
            self.let_go("x.y")

    def turned(self, _: int) -> None:
        self.turns += bool(self.held)
        if self.held and self.turns >= 3:
            self.let_go("x.y")


def test_an_attempt_in_a_lock_that_is_due_again_as_its_parked_run_comes_back_is_made_once():
    """The timer of before it was parked is due in the same turn in which its lock is looked for."""
    executor = SlowAgain()
    story = served(
        "flow: f\nsteps:\n  - id: x\n    lock: gpu\n    do:\n"
        "      - id: y\n        call: s.works_on_attempt(2)\n"
        "        retry: {max: 1, delay: 2h, cap: 2h, jitter: none}\n"
        "  - return: 1\n",
        clock=LateClock(time.time_ns() // 1000),
        executor=executor,
    )
    go_on(story, look=executor.turned)
    assert status(story) == "succeeded"
    assert story.store.run("story").epoch > 1
    assert executor.submitted == [1, 2]
