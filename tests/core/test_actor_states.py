"""States of actors: whatever an object is made of, it is the same at the next call, or it is said why not."""

import pytest
from stories import Story, story_of

from flowrt.engine.actors import state_of
from flowrt.noun import replace
from flowrt.store.rows import ActorRow


def calls(cls: str, method: str = "count", **parts: object) -> Story:
    """Two calls of one object."""
    return story_of(
        f'actors: {{odd: o.{cls}}}\nflow: f\nsteps:\n  - id: a\n    call: odd("k").{method}()\n'
        f'  - id: b\n    call: odd("k").{method}()\n  - return: "[a, b]"\n',
        "o: odd_actors",
        **parts,
    )


@pytest.mark.parametrize(
    ("cls", "method", "expected"),
    [
        ("Counting", "count", [1, 2]),
        ("Knot", "count_by_parts", [2, 4]),
        ("Listed", "count", [1, 2]),
        ("Helped", "count", [1, 2]),
        ("Slotted", "count", [1, 2]),
        ("Wrapping", "count", [1, 2]),
    ],
)
def test_an_object_is_the_same_at_the_next_call(cls, method, expected):
    story = calls(cls, method)
    assert story.value(story.play()) == expected
    assert [row.version for row in story.store.actors.every("", 9)] == [2]


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        ("Locking", "its attribute `lock`: A value of type _thread.lock cannot be stored"),
        ("Silent", "RuntimeError: no state for you"),
        (
            "Pairs",
            "gives a value of type tuple, and no `__setstate__` that takes it",
        ),
        (
            "Number",
            "gives a value of type int, and no `__setstate__` that takes it",
        ),
        ("Reduced", "TypeError"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_the_call_that_made_it(cls, told):
    failure = calls(cls).play().failure
    assert (failure.step, failure.type) == ("a", "flowrt.NotRecordable")
    assert failure.message.startswith(f"What the actor odd_actors:{cls}(k) has become cannot be stored: ")
    assert told in failure.message


def newer(story: Story, cls: str, newer_cls: str) -> None:
    """The class has been changed: the state that is kept is that of another one."""
    [row] = story.store.actors.found([f"odd_actors:{cls}(k)"])
    other = ActorRow(f"odd_actors:{newer_cls}(k)", *[getattr(row, name) for name in row.__slots__[1:]])
    story.store.actors._rows[other.name] = other


@pytest.mark.parametrize(("old", "new"), [("Counting", "Slotted"), ("Slotted", "Counting")])
def test_a_class_may_get_slots_and_lose_them(old, new):
    story = calls(old)
    story.play()
    newer(story, old, new)
    other = replace_story(story, calls(new))
    assert other.value(other.play()) == [3, 4]


def replace_story(story: Story, other: Story) -> Story:
    return Story(other.program, run_id="r2", store=story.store, blobs=story.blobs, clock=story.clock)


@pytest.mark.parametrize(
    ("cls", "told"),
    [("Renamed", "AttributeError: 'Renamed' object has no attribute 'n'"), ("Made", "missing 1 required")],
)
def test_a_state_that_its_class_does_not_take_is_told_and_kept(cls, told):
    story = calls("Slotted")
    story.play()
    newer(story, "Slotted", cls)
    before = story.store.actors.every("", 9)
    other = replace_story(story, calls(cls))
    failure = other.play().failure
    assert failure.type == "flowrt.CodecError"
    assert f"The actor odd_actors:{cls}(k) cannot be put together from its state: " in failure.message
    assert told in failure.message
    assert "`__setstate__`" in failure.message
    assert story.store.actors.every("", 9) == before


def test_a_state_that_is_pickled_is_refused_where_nothing_is_pickled(monkeypatch):
    """What was stored is not read either, should the setting have come later."""
    story = calls("Wrapping")
    story.play()
    monkeypatch.setenv("FLOWC_CODEC", "data")
    other = replace_story(story, calls("Wrapping"))
    failure = other.play().failure
    assert failure.type == "flowrt.CodecError"
    assert "pickled and is not read" in failure.message
    fresh = calls("Wrapping").play().failure
    assert (
        "its attribute `part`: A value of type odd_actors.Counting cannot be stored as data" in fresh.message
    )
    assert "FLOWC_CODEC" in fresh.message
    plain = calls("Counting")
    assert plain.value(plain.play()) == [1, 2]


def test_what_is_kept_in_a_blob_that_is_gone_is_told():
    story = story_of(
        'actors: {account: "story_actors:Account"}\nflow: f\nsteps:\n  - call: account("k").fill(100000)\n'
        '  - return: account("k").balance()\n'
    )
    story.play()
    [row] = story.store.actors.every("", 9)
    story.blobs.remove(state_of(row).digest, 1 << 60)
    other = replace_story(story, story)
    failure = other.play().failure
    assert failure.type == "flowrt.StoreCorrupt"
    assert story.store.actors.every("", 9) == [replace(row)]


def test_a_property_is_no_method():
    failure = calls("Telling", "total").play().failure
    assert failure.message == (
        "`total` of the class `odd_actors:Telling` is a property, and what is called are methods."
    )
