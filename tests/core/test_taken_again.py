"""A run that an engine loses and takes again: nothing of the first time counts the second time."""

from threading import Event

from stories import HOUR, NOON, HoldingExecutor, JumpClock, Story, story_of

from flowrt.command import AwaitEvent
from flowrt.encoding.values import Values
from flowrt.engine.drive import start
from flowrt.engine.engine import Engine
from flowrt.engine.load import Loader
from flowrt.engine.pace import Pace
from flowrt.engine.timers import Timer
from flowrt.executor.port import Halted, Returned
from flowrt.record import Fired, Received
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewEvent

TASK = """
flow: f
steps:
  - id: a
    call: s.add(1, 2)
  - return: a
"""

WAIT = """
events: {ping: {type: int, key: str}}
flow: f
steps:
  - id: e
    wait: ping
    key: "'k'"
    timeout: 1h
    else: [return: "0 - 1"]
  - return: e
"""

NEVER = Pace(renew_us=100 * HOUR, news_us=100 * HOUR, lease_us=HOUR)


class Turns:
    """An interruption after some turns."""

    def __init__(self, count: int) -> None:
        self.left = count

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0

    def wait(self, timeout: float) -> bool:
        raise AssertionError(f"nothing fails here, and the engine waits {timeout} s")


def begun(text: str) -> tuple[Story, Engine]:
    story = story_of(text, executor=HoldingExecutor(), clock=JumpClock())
    start(
        story.store,
        story.blobs,
        story.program,
        {},
        run_id="story",
        labels={},
        python_path=(),
        clock=story.clock,
    )
    return story, Engine(story.store, story.blobs, story.executor, story.clock, NEVER)


def take(story: Story, engine: Engine) -> None:
    """Have the engine take the run, whoever had it."""
    story.store.serve("story", story.clock.now())
    row = story.store.run("story")
    if row.owner is not None:
        story.store.release("story", row.epoch)
    now = story.clock.now()
    epoch = story.store.claim("story", this_owner(), now, now + HOUR)
    engine.add(Loader(story.store, story.clock).load(story.store.run("story"), epoch))


def lose(engine: Engine) -> None:
    """Another engine has taken the run."""
    engine._care.give_up("story")


def turn(engine: Engine, count: int = 3) -> None:
    engine.run(Turns(count))


def test_an_attempt_that_is_made_again_is_another_one() -> None:
    """The first may still be on its way out when the second begins: an executor tells them apart."""
    story, engine = begun(TASK)
    take(story, engine)
    turn(engine, 1)
    [first] = story.executor.held
    stopped = dict(story.executor.held)
    story.executor.held.clear()  # The executor takes its time to stop it.
    lose(engine)
    take(story, engine)
    turn(engine, 1)
    [second] = story.executor.held
    assert first != second
    assert (first.step, first.attempt) == (second.step, second.attempt)

    # What comes of the first is of no interest any more.
    value = Values(story.blobs).record("of the first")
    engine._report(first, Returned(value, NOON, NOON))
    engine._report(first, Halted())
    turn(engine, 1)
    assert list(story.executor.held) == [second]
    assert stopped
    story.executor.let_go("a")
    engine.run(Event())
    assert Values(story.blobs).load(engine.finished["story"].value) == 3


def test_a_timer_of_the_first_time_does_not_end_a_wait_that_has_not_looked() -> None:
    story, engine = begun(WAIT)
    take(story, engine)
    turn(engine, 2)
    [wait] = [c for c in engine.runs.get("story").run.state.open_commands if isinstance(c, AwaitEvent)]
    lose(engine)

    payload = Values(story.blobs).encode(7)
    story.store.send(NewEvent("ping", "k", payload, story.clock.now()))
    story.clock.at = wait.due_at  # The event came in time; nobody has looked for it since.
    take(story, engine)
    engine.timers.set(Timer(wait.due_at, "story", wait.step, "fire"))
    engine.run(Event())
    assert Values(story.blobs).load(engine.finished["story"].value) == 7
    kinds = [type(record) for record in story.records()]
    assert Received in kinds
    assert Fired not in kinds
