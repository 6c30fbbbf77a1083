"""The journal is cut after every record, and the run resumed: same result, nothing recorded runs again."""

import pytest
from stories import FLOWS, InlineExecutor, Story, copy_first, program_of

from flowrt.plain.plain import run_plain
from flowrt.record import Begun, Detached, Emitted, Succeeded
from flowrt.store.rows import NewEvent, NewRun

OTHERWISE = {
    "blocks",
    "calls",
    "else_assigns",
    "events",
    "heads",
    "naps",
    "pauses",
    "races",
    "retries",
    "rounds",
    "told",
    "tries",
}
"""What a plain execution does in another way: it keeps no bounds in time, and has no inbox here."""

NAMES = sorted(path.name.removesuffix(".flow.yaml") for path in FLOWS.glob("*.flow.yaml"))


def sent_events(story: Story, upto: int) -> list[NewEvent]:
    """The events that the first records of a story sent, in order."""
    steps = [record.step for record in story.records()[:upto] if isinstance(record, Emitted)]
    by_step = {event.dedupe.partition("/")[2]: event for event in story.store.sent}
    return [by_step[step] for step in steps]


def started_runs(story: Story, upto: int) -> list[NewRun]:
    """The runs that the first records of a story started."""
    ids = {record.run_id for record in story.records()[:upto] if isinstance(record, Detached)}
    return [run for run in story.store.started if run.run_id in ids]


@pytest.mark.parametrize("name", NAMES)
def test_cut_after_every_record(name: str) -> None:
    whole = Story(program_of(name))
    expected = whole.value(whole.play())
    records = whole.records()
    assert len(records) > 2
    for count in range(1, len(records)):
        cut = copy_first(whole, count, sent_events(whole, count), started_runs(whole, count))
        done = {record.step for record in records[:count] if isinstance(record, Succeeded)}
        begun = {record.step for record in records[:count] if isinstance(record, Begun)}
        result = cut.drive()
        if begun - done:  # What may be made once was made or not: nobody knows.
            assert result.failure.type == "flowrt.OutcomeUnknown"
        else:
            assert cut.value(result) == expected, f"after {count} of {len(records)} records"
        again = {key.step for key in cut.executor.made} & done
        assert not again, f"after {count} records these ran again: {again}"


@pytest.mark.parametrize("name", NAMES)
def test_order_of_completion_does_not_matter(name: str) -> None:
    first = Story(program_of(name))
    expected = first.value(first.play())
    other = Story(program_of(name), executor=InlineExecutor(latest_first=True))
    assert other.value(other.play()) == expected


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if name not in OTHERWISE],
)
def test_the_plain_executor_agrees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    story = Story(program_of(name))
    assert story.value(story.play()) == run_plain(story.program, {})
