"""Random flows, run in every way there is, come to the same end.

Plainly; on the engine, attempts in order, in reverse, and scattered over turns with workers lost; cut
after a record and resumed; suspended again and again. `FLOWC_STORIES=5000` runs a campaign.
"""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import pytest
from random_flows import random_flow
from stories import InlineExecutor, PatientClock, Story, copy_first

from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.span import Source
from flowrt.engine.fold import fold
from flowrt.executor.attempt import make_attempt
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost
from flowrt.plain.plain import run_plain
from flowrt.program import Program
from flowrt.record import Detached, Emitted, Record, Reopened, Succeeded
from flowrt.view import StepNotes
from flowrt.why.unreached import way_to

COUNT = int(os.environ.get("FLOWC_STORIES", "200"))
CHUNK = 20


class Waking(PatientClock):
    """Whenever the engine has nothing to do, some of what the executor holds comes to an end."""

    executor: "Scattered"

    def timeout_s(self, until: int) -> float:
        return 0.0 if self.executor.finish_some() else super().timeout_s(until)


@dataclass
class Scattered(InlineExecutor):
    """Ends attempts in a random order over several turns, and now and then loses one, once a step."""

    rng: random.Random = field(default_factory=random.Random)
    held: dict[AttemptKey, Attempt] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        self.held |= {attempt.key: attempt for attempt in attempts}

    def finish_some(self) -> bool:
        keys = self.rng.sample(list(self.held), self.rng.randint(1, len(self.held))) if self.held else []
        for key in keys:
            self.finish(self.held.pop(key))
        return bool(keys)

    def finish(self, attempt: Attempt) -> None:
        key = attempt.key
        if key.step not in self.lost and self.rng.random() < 0.1:
            self.lost.add(key.step)
            self._report(key, Lost("a random worker died"))
            return
        self.made.append(key)
        self._report(key, make_attempt(attempt, self._blobs))

    def stop(self, key: AttemptKey, *, force: bool) -> None:  # noqa: ARG002
        if key in self.held and self.rng.random() < 0.7:
            del self.held[key]
            self._report(key, Halted())


@dataclass
class Stopping(InlineExecutor):
    """Has the run suspended now and then."""

    rng: random.Random = field(default_factory=random.Random)
    interrupt: Event = field(default_factory=Event)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        if self.rng.random() < 0.3:
            self.interrupt.set()


def program_of_seed(seed: int) -> Program:
    file, found = check_source(Source("random.flow.yaml", random_flow(seed)))
    assert file is not None, found
    assert not [f for f in found if f.severity == "error"], found
    return lower(file, file.flows[0].name.text)


def end(story: Story) -> object:
    """How a run ends: its value, or that it fails."""
    result = story.drive()
    assert result.status in {"succeeded", "failed"}, result
    return story.value(result) if result.status == "succeeded" else "failed"


def plain_end(program: Program) -> object:
    try:
        return run_plain(program, {}, events=[])
    except Exception:  # noqa: BLE001 - whatever the flow comes to
        return "failed"


def scattered(story: Story, seed: int) -> Story:
    story.executor = Scattered(rng=random.Random(seed))
    story.clock = Waking(story.clock.now())
    story.clock.executor = story.executor
    return story


def begun(program: Program, **parts: object) -> Story:
    story = Story(program, **parts)
    story.start()
    return story


def sent(story: Story, upto: int) -> list:
    steps = [record.step for record in story.records()[:upto] if isinstance(record, Emitted)]
    by_step = {event.dedupe.partition("/")[2]: event for event in story.store.sent}
    return [by_step[step] for step in steps]


def started(story: Story, upto: int) -> list:
    ids = {record.run_id for record in story.records()[:upto] if isinstance(record, Detached)}
    return [run for run in story.store.started if run.run_id in ids]


def check_journal(story: Story) -> None:
    """One result a step; what is undone was done before; the journal folds to the reported end.

    The runs that its steps have started are there, and no others; and no lock is held any more.
    """
    begun = {record.run_id for record in story.records() if isinstance(record, Detached)}
    assert {row.run_id for row in story.store.runs()} == {story.run_id, *begun}
    done = done_in(story.records())
    assert len(done) == len(set(done))
    for index, step in enumerate(done):
        assert not step.endswith(".undo") or step.removesuffix(".undo") in done[:index]
    notes = StepNotes()
    state = fold(story.store, story.run_id, story.program, notes).state
    assert state.ended is not None
    assert state.open_commands == []
    assert story.store.all_locks(0, 10) == []
    check_undone(story, done, notes)


def check_undone(story: Story, done: Sequence[str], notes: StepNotes) -> None:
    """What a saga did that did not end well was undone, if it could be; and nothing else was."""
    sagas = {step.id: step.status for step in notes.steps.values() if step.kind == "saga"}
    for step in done:
        if step.endswith(".undo") or way_to(story.program, f"{step}.undo") is None:
            continue
        around = sorted((saga for saga in sagas if step.startswith(f"{saga}.")), key=len)
        undone = f"{step}.undo" in notes.steps
        assert undone or sagas[around[-1]] == "succeeded", step
        assert not undone or any(sagas[saga] in {"failed", "stopped"} for saga in around), step


def done_in(records: Sequence[Record]) -> list[str]:
    """The steps that have a result, in the order of these."""
    voided = {seq for record in records if isinstance(record, Reopened) for seq in record.voided}
    return [r.step for seq, r in enumerate(records) if isinstance(r, Succeeded) and seq not in voided]


def check_cut(whole: Story, expected: object, rng: random.Random) -> None:
    records = whole.records()
    count = rng.randrange(1, len(records))
    cut = scattered(copy_first(whole, count, sent(whole, count), started(whole, count)), rng.random())
    done = {record.step for record in records[:count] if isinstance(record, Succeeded)}
    assert end(cut) == expected, f"after {count} of {len(records)} records"
    again = {key.step for key in cut.executor.made} & done
    assert not again, f"after {count} of {len(records)} records"
    check_journal(cut)


def check_suspended(program: Program, expected: object, rng: random.Random) -> None:
    story = begun(program, executor=Stopping(rng=rng))
    for _ in range(1_000):
        result = story.drive(interrupt=story.executor.interrupt)
        if result.status != "suspended":
            break
        story.executor.interrupt.clear()
    assert end(story) == expected
    assert len(story.executor.made) == len(set(story.executor.made))
    check_journal(story)


def check_reopened(story: Story) -> None:
    """What failed fails again, and nothing that was recorded is run for it."""
    before, made = story.records(), len(story.executor.made)
    assert story.drive(reopen=True).status == "failed"
    reopened = next(r for r in story.records()[len(before) :] if isinstance(r, Reopened))
    done = set(done_in([*before, reopened]))
    assert not {key.step for key in story.executor.made[made:]} & done
    check_journal(story)


def check_seed(seed: int) -> None:
    rng = random.Random(seed)
    program = program_of_seed(seed)
    expected = plain_end(program)
    for story in (
        begun(program),
        begun(program, executor=InlineExecutor(latest_first=True)),
        scattered(begun(program), rng.random()),
    ):
        assert end(story) == expected
        check_journal(story)
        check_cut(story, expected, rng)
        if expected == "failed":
            check_reopened(story)
    check_suspended(program, expected, rng)


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_all_ways_of_running_agree(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    for seed in range(first, min(first + CHUNK, COUNT)):
        try:
            check_seed(seed)
        except Exception as error:
            error.add_note(f"seed {seed}: {random_flow(seed)}")
            raise


def test_random_flows_hold_what_they_should() -> None:
    """All constructs, successes and failures, in fair numbers."""
    texts = [random_flow(seed) for seed in range(100)]
    for word in (
        "while",
        "until",
        "for",
        "graph",
        "break",
        "continue",
        "return",
        "collect",
        "drop",
        "wait",
        "parallel",
        "saga",
        "undo",
        "switch",
        "race",
        "try",
        "catch",
        "finally",
        "retry",
        "timeout",
        "start",
        "cache",
        "lock",
    ):
        assert sum(f'"{word}"' in text for text in texts) >= 5, word
    assert sum("s.Heard(" in text for text in texts) >= 5
