"""A journal with a hole, or one that does not begin with its start, is never folded to a state."""

import pytest
from stories import Story, program_of

from flowrt.engine.fold import fold_rows
from flowrt.errors import StoreCorrupt


@pytest.fixture(scope="module")
def story() -> Story:
    story = Story(program_of("chain"))
    story.play()
    return story


def test_each_record_that_is_missing_is_told(story: Story) -> None:
    rows = list(story.store.journal(story.run_id))
    for missing in range(len(rows) - 1):
        left = [row for row in rows if row.seq != missing]
        with pytest.raises(StoreCorrupt, match=f"gap or a stray record at number {missing}"):
            fold_rows(lambda left=left: left, story.run_id, story.program)


def test_a_journal_in_another_order_is_told(story: Story) -> None:
    rows = list(story.store.journal(story.run_id))
    rows[1], rows[2] = rows[2], rows[1]
    with pytest.raises(StoreCorrupt, match="number 1"):
        fold_rows(lambda: rows, story.run_id, story.program)


def test_an_empty_journal_is_told(story: Story) -> None:
    with pytest.raises(StoreCorrupt, match="does not begin"):
        fold_rows(list, story.run_id, story.program)
