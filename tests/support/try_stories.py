"""Stories of `try` and of bounded blocks. In: the text of a flow whose tasks are `g.do`. Out: a story."""

from collections.abc import Callable

import try_tasks
from saga_stories import Cancels, watched
from stories import Story, copy_first, story_of

from flowrt.engine.drive import RunResult
from flowrt.record import Emitted, Reopened, Succeeded


def tale(text: str, **parts: object) -> Story:
    """A story whose tasks are those of tries, under the alias `g`."""
    return story_of(text, use="g: try_tasks", **parts)


def told(story: Story) -> object:
    """How a run ends: its value, or what it fails with."""
    result = story.drive()
    return story.value(result) if result.status == "succeeded" else (result.status, result.failure.type)


def played(text: str) -> object:
    """How a run of a flow ends, from its beginning."""
    story = tale(text)
    story.start()
    return told(story)


def cut_everywhere(story: Story, end: Callable[[Story], object] = told, first: int = 1) -> None:
    """Resumed after every record, a run that has ended comes to the same end and does nothing again."""
    records, expected = story.records(), end(story)
    for count in range(first, len(records)):
        try_tasks.COUNTS.clear()
        sent = [record for record in records[:count] if isinstance(record, Emitted)]
        cut = copy_first(story, count, story.store.sent[: len(sent)])
        assert end(cut) == expected, f"after {count} of {len(records)} records"
        assert not {key.step for key in cut.executor.made} & done_in(story, count), f"after {count}"


def done_in(story: Story, count: int) -> set[str]:
    """The steps that have a result in the first records, as far as these count."""
    records = story.records()[:count]
    voided = {seq for record in records if isinstance(record, Reopened) for seq in record.voided}
    return {r.step for seq, r in enumerate(records) if isinstance(r, Succeeded) and seq not in voided}


def cancelled(text: str, at: str) -> tuple[Story, RunResult]:
    """A run that is cancelled when it comes to a certain step, which is let end."""
    executor = Cancels(at)
    story = executor.story = tale(text, executor=executor)
    story.start()
    return story, watched(story)
