"""G7: timers are never early; pauses and time-outs survive a restart with their instant."""

from datetime import timedelta

from stories import NOON, InlineExecutor, JumpClock, Story, copy_first, story_of

from flowrt.engine.timers import Timer, Timers
from flowrt.record import Fired, Retrying, Sleeping, Waiting

HOUR = 3_600_000_000


def test_due_timers_come_in_order_and_never_before_their_time() -> None:
    timers = Timers()
    for at in (30, 10, 20, 20):
        timers.set(Timer(at, "r", f"s{at}", "fire"))
    assert timers.due(9) == []
    assert [timer.at for timer in timers.due(20)] == [10, 20, 20]
    assert timers.next_at == 30
    assert timers.due(29) == []
    assert [timer.at for timer in timers.due(30)] == [30]
    assert timers.next_at is None


def test_a_sleep_fires_at_its_instant_or_later() -> None:
    story = story_of("flow: f\nsteps:\n  - sleep: 90m\n  - return: now()\n")
    story.play()
    (sleeping,) = [r for r in story.records() if isinstance(r, Sleeping)]
    (fired,) = [r for r in story.records() if isinstance(r, Fired)]
    assert sleeping.due_at == NOON + HOUR * 3 // 2
    assert fired.at >= sleeping.due_at


def test_a_sleep_that_was_due_while_nothing_ran_is_over_at_once() -> None:
    whole = story_of("flow: f\nsteps:\n  - sleep: 1h\n  - return: 1\n")
    whole.play()
    cut = copy_first(whole, 2)
    cut.clock.at = NOON + 5 * HOUR
    assert cut.value(cut.drive()) == 1
    assert cut.clock.at == NOON + 5 * HOUR


def test_a_sleep_keeps_its_instant_over_a_restart() -> None:
    whole = story_of("flow: f\nsteps:\n  - sleep: 1h\n  - return: 1\n")
    whole.play()
    cut = copy_first(whole, 2)
    cut.clock.at = NOON + HOUR // 2
    cut.drive()
    assert cut.clock.at == NOON + HOUR


def test_a_wait_keeps_its_time_out_over_a_restart() -> None:
    text = """
    events: {never: {type: any}}
    flow: f
    steps:
      - wait: never
        timeout: 1h
        else: [return: "'late'"]
      - return: "'came'"
    """
    whole = story_of(text)
    assert whole.value(whole.play()) == "late"
    (waiting,) = [r for r in whole.records() if isinstance(r, Waiting)]
    assert waiting.due_at == NOON + HOUR
    cut = copy_first(whole, 2)
    cut.clock.at = NOON + HOUR // 2
    assert cut.value(cut.drive()) == "late"
    assert cut.clock.at == NOON + HOUR


def test_retries_wait_as_the_policy_says() -> None:
    story = story_of(
        """
        flow: f
        steps:
          - id: x
            call: s.works_on_attempt(4)
            retry: {max: 5, delay: 2s, factor: 3, cap: 10s, jitter: none}
          - return: x
        """
    )
    assert story.value(story.play()) == 4
    waits = [r.retry_at - r.ended_at for r in story.records() if isinstance(r, Retrying)]
    assert waits == [2_000_000, 6_000_000, 10_000_000]


def test_a_negative_sleep_fails_its_step_and_names_the_value() -> None:
    story = story_of("flow: f\ninputs: {d: duration}\nsteps:\n  - id: nap\n    sleep: ${{ d }}\n")
    result = story.play({"d": timedelta(seconds=-3)})
    assert (result.status, result.failure.step) == ("failed", "nap")
    assert "-3" in result.failure.message


def test_the_clock_of_a_story_jumps() -> None:
    clock = JumpClock()
    assert clock.timeout_s(NOON + 5) == 0.0
    assert clock.now() == NOON + 5
    assert isinstance(Story(story_of("flow: f\nsteps: [return: 1]\n").program).executor, InlineExecutor)
