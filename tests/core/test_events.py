"""G6: an accepted event is seen once by each run that waits for it, whatever the order."""

from stories import NOON, Story, story_of

from flowrt.encoding.values import Values
from flowrt.store.rows import NewEvent

WAITS = """
events: {{ping: {{type: any, key: str}}}}
flow: f
steps:
{steps}
"""
WAIT = "  - id: {id}\n    wait: ping\n    key: \"'k'\"\n    timeout: 1h\n    else: [return: \"'none'\"]\n"


def waiting_for(count: int) -> Story:
    """A flow that takes `count` events one after another and returns their payloads."""
    ids = [f"e{number}" for number in range(count)]
    steps = "".join(WAIT.format(id=name) for name in ids)
    return story_of(WAITS.format(steps=f'{steps}  - return: "[{", ".join(ids)}]"'))


def send(story: Story, payload: object, **more: object) -> int:
    data = Values(story.blobs).encode(payload)
    event = {"name": "ping", "key": "k", "payload": data, "at": story.clock.now(), **more}
    return story.store.send(NewEvent(**event))


def test_events_that_came_before_the_wait_are_taken_in_order() -> None:
    story = waiting_for(3)
    story.start()
    for payload in ("a", "b", "c", "d"):
        send(story, payload)
    assert story.value(story.drive()) == ["a", "b", "c"]


def test_an_event_from_before_the_run_is_not_seen() -> None:
    story = waiting_for(1)
    send(story, "old", at=NOON - 1)
    story.start()
    assert story.value(story.drive()) == "none"


def test_a_doubled_event_is_seen_once() -> None:
    story = waiting_for(2)
    story.start()
    assert send(story, "a", dedupe="x") == send(story, "again", dedupe="x")
    assert story.value(story.drive()) == "none"
    assert [r.step for r in story.records() if type(r).__name__ == "Received"] == ["e0"]


def test_each_run_sees_the_event() -> None:
    first = waiting_for(1)
    other = Story(first.program, store=first.store, blobs=first.blobs, run_id="other")
    first.start()
    other.start()
    send(first, "for both")
    assert first.value(first.drive()) == ["for both"]
    assert other.value(other.drive()) == ["for both"]


def test_an_addressed_event_is_for_its_run_alone() -> None:
    first = waiting_for(1)
    other = Story(first.program, store=first.store, blobs=first.blobs, run_id="other")
    first.start()
    other.start()
    send(first, "mine", run_id="story")
    assert first.value(first.drive()) == ["mine"]
    assert other.value(other.drive()) == "none"


def test_waits_of_a_graph_take_different_events() -> None:
    story = story_of(
        """
        events: {ping: {type: any, key: str}}
        flow: f
        steps:
          - id: g
            graph:
              one: {wait: ping, key: "'k'"}
              two: {wait: ping, key: "'k'"}
              big: {wait: ping, key: "'k'", match: event > 10}
          - return: "[sorted([g.one, g.two]), g.big]"
        """
    )
    story.start()
    for payload in (1, 2, 30):
        send(story, payload)
    assert sorted(map(str, story.value(story.drive()))) in (["30", "[1, 2]"], ["2", "[1, 30]"])


def test_a_match_that_raises_fails_the_wait_and_names_it() -> None:
    story = story_of(
        """
        events: {ping: {type: any, key: str}}
        flow: f
        steps:
          - id: w
            wait: ping
            key: "'k'"
            match: event.size > 10
        """
    )
    story.start()
    send(story, {"weight": 3})
    result = story.drive()
    assert (result.status, result.failure.step) == ("failed", "w")
    assert "size" in result.failure.message


def test_a_run_of_the_same_id_that_is_made_after_the_other_was_deleted_sends_its_own() -> None:
    """The event of the first is kept for a week, and so is its dedupe id."""
    story = story_of("events: {done: {}}\nflow: f\nsteps:\n  - emit: done\n")
    story.play()
    story.store.delete("story")
    story.clock.at += 1
    story.play()
    assert story.store.news([], 0).last_event_id == 2
