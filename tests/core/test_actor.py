"""Actors: one call at a time for each object, a state that is changed once for each recorded call."""

import time

import pytest
import story_actors
from served_stories import begin, go_on, served, status
from stories import HOUR, NOON, HoldingExecutor, JumpClock, Story, story_of

from flowrt.encoding.codec import decode
from flowrt.engine.actors import state_of
from flowrt.errors import RunOwned
from flowrt.noun import replace
from flowrt.record import Queued, Retrying
from flowrt.store.memory import MemoryStore
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, LockRequest
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore
from flowrt.value import Blob, Inline
from flowrt.view import view
from flowrt.why.why import why_run, why_step

HEAD = 'actors: {account: a.Account, tally: "story_actors:Tally"}\nflow: f\n'
USE = "a: story_actors, s: story_tasks"
ANN = "story_actors:Account(ann)"


def flow(steps: str, inputs: str = "") -> str:
    given = f"inputs: {{{inputs}}}\n" if inputs else ""
    return f"{HEAD}{given}steps:\n{steps}"


DEPOSIT = flow("  - id: x\n    call: account(user).deposit(n)\n  - return: x\n", "user: str, n: int")


def actor_story(steps: str, inputs: str = "", **parts: object) -> Story:
    return story_of(flow(steps, inputs), USE, **parts)


def hold(store, run_id: str, name: str) -> int:
    """Let a run have a turn, as its owner would, and be owned for a while."""
    epoch = store.claim(run_id, this_owner(), NOON, NOON + 1000 * HOUR)
    head = store.run(run_id).head
    asked = [LockRequest("held", name, 1)]
    assert not store.append([Batch(run_id, epoch, head, [], locks=asked, status="running")])
    return epoch


def beside(story: Story, run_id: str, **parts: object) -> Story:
    """Another run of the same flow in the same store."""
    given = {"store": story.store, "blobs": story.blobs, "clock": story.clock, **parts}
    return Story(story.program, run_id=run_id, **given)


def attributes(story: Story, name: str = ANN) -> object:
    """What is kept of an object."""
    [row] = story.store.actors.found([name])
    handle = state_of(row)
    data = handle.data if isinstance(handle, Inline) else story.blobs.get(handle.digest)
    return decode(data)[2]


def test_a_state_is_kept_from_run_to_run_for_each_key():
    story = story_of(DEPOSIT, USE)
    assert story.value(story.play({"user": "ann", "n": 5})) == 5
    for run_id, user, expected in (("r2", "ann", 10), ("r3", "bob", 5), ("r4", "ann", 15)):
        other = beside(story, run_id)
        assert other.value(other.play({"user": user, "n": 5})) == expected
    assert attributes(story) == {"owner": "ann", "amount": 15}
    assert [(row.version, row.run_id) for row in story.store.actors.found([ANN])] == [(3, "r4")]
    assert story.store.all_locks(0, 10) == []


def test_a_class_that_asks_for_a_key_gets_it_and_another_does_not():
    story = actor_story(
        "  - id: x\n    value: tally(7).add('k')\n  - call: account(7).deposit(1)\n  - return: x\n"
    )
    assert story.value(story.play()) == {"k": 1}
    assert attributes(story, "story_actors:Account(7)")["owner"] == 7


def test_a_call_that_fails_changes_nothing_and_the_next_attempt_begins_from_what_is_kept():
    story = actor_story(
        "  - call: account('ann').deposit(5)\n"
        "  - try: [{call: account('ann').take(7)}]\n    catch: [{as: e, do: [{value: e.type}]}]\n"
        "  - id: x\n    call: account('ann').deposit_on(3, 1)\n    retry: {max: 3, delay: 1s}\n"
        "  - return: x\n"
    )
    assert story.value(story.play()) == 6
    assert attributes(story) == {"owner": "ann", "amount": 6}
    assert len([one for one in story.records() if isinstance(one, Retrying)]) == 2
    assert len([one for one in story.records() if isinstance(one, Queued)]) == 5


def test_what_a_call_leaves_as_it_was_is_not_written():
    story = actor_story("  - call: account('ann').deposit(5)\n  - return: account('ann').balance()\n")
    assert story.value(story.play()) == 5
    [row] = story.store.actors.found([ANN])
    assert (row.version, row.step) == (1, "step#1")


def test_calls_of_one_object_are_made_one_at_a_time_and_those_of_others_beside_them():
    story = actor_story(
        "  - for: i in range(5)\n    parallel: 5\n    do: [{call: account(i % 2).deposit(i)}]\n"
        "  - return: account(0).balance()\n",
        executor=HoldingExecutor(),
    )
    most: list[set[str]] = []

    class LettingGo(HoldingExecutor):
        def submit(self, attempts):
            super().submit(attempts)
            most.append({key.step for key in self.held})
            while len(self.held) == 2 or (self.held and len(self.made) >= 4):
                self.let_go(next(iter(self.held)).step)

    story.executor = LettingGo()
    assert story.value(story.play()) == 6
    assert max(map(len, most)) == 2
    assert {int(step[7]) % 2 for step in next(steps for steps in most if len(steps) == 2)} == {0, 1}


def test_while_a_call_waits_to_be_made_again_others_have_their_turns():
    text = flow(
        "  - if: n == 0\n    then:\n"
        "      - call: account(user).deposit_on(2, 100)\n"
        "        retry: {max: 1, delay: 2h, cap: 2h, jitter: none}\n"
        "    else: [{call: account(user).deposit(n)}]\n  - return: account(user).balance()\n",
        "user: str, n: int",
    )
    story = served(text, {"user": "ann", "n": 0}, use=USE, clock=JumpClock(time.time_ns() // 1000))
    begin(story, "other", {"user": "ann", "n": 5})
    ended: list[str] = []

    def look(_: int) -> None:
        ended.extend(row.run_id for row in story.store.runs(status=["succeeded"]) if row.run_id not in ended)

    go_on(story, look=look)
    assert ended == ["other", "story"]
    assert attributes(story)["amount"] == 105


def test_a_run_that_waits_for_its_turn_is_parked_and_says_so():
    story = served(DEPOSIT, {"user": "ann", "n": 5}, use=USE)
    holder = beside(story, "holder")
    holder.start({"user": "ann", "n": 1})
    epoch = hold(story.store, "holder", ANN)

    def parked():
        rows = story.store.runs(status=["waiting"])
        return [row for row in rows if row.owner is None and row.wake_at is None]

    go_on(story, done=lambda: bool(parked()))
    assert [row.run_id for row in parked()] == ["story"]
    told = why_run(story.store, "story", NOON)
    assert any(f"waits for its turn at the actor `{ANN}`" in line for line in told)
    assert f"the actor `{ANN}` is called by run holder (step `held`)" in told
    assert [step.status for step in view(story.store, "story").steps] == ["waiting"]
    story.store.release("holder", epoch, "suspended")
    go_on(story, done=lambda: status(story) == "succeeded")
    assert attributes(story)["amount"] == 5


def test_why_speaks_of_turns_and_not_of_locks():
    story = actor_story(
        "  - id: x\n    call: account('ann').deposit(5)\n  - lock: gpu\n    do: account('ann').take(7)\n"
    )
    assert story.play().status == "failed"
    for step in ("x", "step#2.step#1"):
        told = " ".join(why_step(story.store, "story", step, NOON))
        assert f"it asked for its turn at the actor `{ANN}` [epoch 1] it was its turn [epoch 1]" in told
        assert "lock" not in told
    assert "it got the lock [epoch 1]" in why_step(story.store, "story", "step#2", NOON)
    assert "it was its turn" in why_run(story.store, "story", NOON)


def killed_in_turn(story: Story) -> None:
    """Drive a run until its call has its turn, and leave it as a process does that is killed then."""

    class Dying(HoldingExecutor):
        def submit(self, attempts):  # noqa: ARG002
            raise KeyboardInterrupt

    story.executor = Dying()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story.store, "release", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            story.drive()


def test_a_run_that_nobody_goes_on_with_loses_its_turn_and_gets_another():
    story = story_of(DEPOSIT, USE)
    killed = beside(story, "killed")
    killed.start({"user": "ann", "n": 100})
    killed_in_turn(killed)
    assert [row.granted for row in story.store.lock_queue(ANN, 9)] == [True]
    assert [step.status for step in view(story.store, "killed").steps] == ["running"]
    assert story.value(story.play({"user": "ann", "n": 1})) == 1
    assert story.store.run("killed").status == "suspended"
    resumed = beside(story, "killed")
    assert resumed.value(resumed.drive()) == 101
    assert sum(isinstance(one, Queued) for one in resumed.records()) == 1
    assert story.store.all_locks(0, 10) == []


def test_a_result_of_a_superseded_engine_changes_no_state():
    story = story_of(DEPOSIT, USE)
    story.start({"user": "ann", "n": 1})
    real = story.store.append
    taken: list[int] = []

    def steal(batches):
        if any(batch.actors for batch in batches) and not taken:
            taken.append(story.store.run("story").epoch)
            row = story.store._runs["story"]
            row.row = replace(row.row, epoch=row.row.epoch + 1)
        return real(batches)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story.store, "append", steal)
        with pytest.raises(RunOwned):
            story.drive()
    assert taken
    assert story.store.actors.found([ANN]) == []


@pytest.mark.parametrize("key", ["ann", "i"])
def test_who_goes_on_behind_failures_makes_the_calls_again(key):
    """All failed calls have had a turn; they get new ones, one after another."""
    story_actors.CLOSED.add("all")
    key = "'ann'" if key == "ann" else "i"
    story = actor_story(
        f"  - for: i in range(4)\n    parallel: 4\n    errors: drop\n    need: 4\n"
        f"    do: account({key}).deposit_if_open('all', 5)\n  - return: 1\n"
    )
    assert story.play().status == "failed"
    assert story.store.actors.every("", 10) == []
    story_actors.CLOSED.clear()
    assert story.value(story.drive(reopen=True)) == 1
    states = story.store.actors.every("", 10)
    assert sorted(row.version for row in states) == ([4] if key == "'ann'" else [1] * 4)
    assert story.store.all_locks(0, 10) == []


def test_an_undo_may_be_a_method():
    story = actor_story(
        "  - saga:\n"
        "      - id: x\n        call: account('ann').deposit(5)\n        undo: account('bob').deposit(x)\n"
        "      - call: account('ann').deposit(1)\n        undo: account('ann').take(1)\n"
        "      - fail: no\n"
    )
    assert story.play().status == "failed"
    assert attributes(story)["amount"] == 5
    assert attributes(story, "story_actors:Account(bob)")["amount"] == 5
    assert story.store.all_locks(0, 10) == []


def test_cancel_leaves_the_queue_and_stops_who_has_the_turn():
    story = served(
        flow("  - for: i in range(3)\n    parallel: 3\n    do: [{call: account('ann').deposit(i)}]\n"),
        use=USE,
        executor=HoldingExecutor(),
    )
    asked: list[bool] = []

    def look(_: int) -> None:
        if len(story.store.lock_queue(ANN, 9)) == 3 and story.executor.held and not asked:
            asked.append(True)
            story.store.request_cancel("story", "enough")

    go_on(story, look=look, done=lambda: status(story) == "cancelled")
    assert asked
    assert story.store.all_locks(0, 10) == []
    assert story.store.actors.every("", 10) == []


def test_a_call_that_may_be_made_once_has_its_turn_first():
    story = actor_story(
        "  - call: account('ann').deposit(5)\n    retry: never\n  - return: account('ann').balance()\n"
    )
    assert story.value(story.play()) == 5
    kinds = [type(one).__name__ for one in story.records()[1:5]]
    assert kinds == ["Queued", "Locked", "Begun", "Succeeded"]


def test_a_large_state_is_kept_in_a_blob_that_no_deletion_takes():
    story = actor_story("  - return: account('ann').fill(100000)\n")
    assert story.value(story.play()) == 100000
    [row] = story.store.actors.found([ANN])
    handle = state_of(row)
    assert isinstance(handle, Blob)
    assert handle.digest == row.blob
    assert row.blob not in story.store.delete("story")
    assert story.store.needed([row.blob]) == {row.blob}
    other = Story(story.program, story.store, story.blobs, run_id="r2")
    assert other.value(other.play()) == 100000


def test_a_state_is_sealed_with_the_store():
    store = SealedStore(MemoryStore(), seals_of({"FLOWC_STORE_KEY": "k" * 40}))
    story = story_of(DEPOSIT, USE, store=store)
    story.play({"user": "ann", "n": 5})
    other = beside(story, "r2")
    assert other.value(other.play({"user": "ann", "n": 5})) == 10


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("account('ann').depsoit(1)", "has no method `depsoit`, did you mean `deposit`?"),
        ("account([0] + [1]).deposit(1)", "is a text or a whole number, not list"),
        ("account('ann').deposit()", "missing 1 required positional argument"),
        (
            "account('ann').keep(s.later)",
            "What the actor story_actors:Account(ann) has become cannot be stored: its attribute `lock`",
        ),
    ],
)
def test_what_cannot_be_called_is_told(call, told):
    story = actor_story(f"  - call: {call.replace('(s.later)', '_lock()')}\n")
    result = story.play()
    assert result.status == "failed"
    assert told in result.failure.message
    assert story.store.all_locks(0, 10) == []
    assert story.store.actors.every("", 10) == []


def test_who_goes_on_behind_a_failure_has_all_attempts_again_each_with_a_turn():
    story_actors.CLOSED.add("all")
    story = actor_story(
        "  - id: x\n    call: account('ann').deposit_if_open('all', 5)\n"
        "    retry: {max: 2, delay: 1s}\n  - return: x\n"
    )
    assert story.play().status == "failed"
    assert [key.attempt for key in story.executor.made] == [1, 2, 3]
    assert story.drive(reopen=True).status == "failed"
    story_actors.CLOSED.clear()
    assert story.value(story.drive(reopen=True)) == 5
    assert [key.attempt for key in story.executor.made] == [1, 2, 3, 1, 2, 3, 1]
    assert attributes(story)["amount"] == 5
    assert story.store.all_locks(0, 10) == []


def test_a_clock_that_is_put_back_while_a_call_waits_for_its_turn_does_not_let_it_keep_it():
    """That its next attempt is due was seen before it asked for its turn."""
    text = flow(
        "  - call: account(user).deposit_on(2, 5)\n    retry: {max: 1, delay: 2h, cap: 2h, jitter: none}\n"
        "  - return: 1\n",
        "user: str",
    )
    began = time.time_ns() // 1000
    story = served(text, {"user": "ann"}, use=USE, clock=JumpClock(began))
    holder = beside(story, "holder")
    holder.start({"user": "ann"})
    epochs: list[int] = []

    def look(_: int) -> None:
        records = story.records()
        if not epochs and any(isinstance(one, Retrying) for one in records):
            epochs.append(hold(story.store, "holder", ANN))
        elif sum(isinstance(one, Queued) for one in records) == 2 and story.clock.at > began:
            story.clock.at -= 1000 * HOUR
            story.store.release("holder", epochs[0], "suspended")

    go_on(story, look=look, done=lambda: status(story) == "succeeded")
    assert story.clock.at < began
    assert attributes(story)["amount"] == 5
