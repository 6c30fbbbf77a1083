"""Stories of runs that are served. In: the text of a flow; out: a service that goes on until it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from types import MappingProxyType

from stories import JumpClock, Story, story_of

from flowrt.engine.drive import start
from flowrt.engine.pace import Pace
from flowrt.engine.serve import serve
from flowrt.store.status import ENDED

SECOND = 1_000_000
PACE = Pace(news_us=10 * SECOND, renew_us=5 * SECOND, ahead_us=20 * SECOND, park_us=40 * SECOND)
TURNS = 5_000
NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass
class Watch:
    """Ends the service when all is done, or after too many turns; looks at the store in every turn."""

    story: Story
    done: Callable[[], bool]
    look: Callable[[int], None] = lambda _: None
    interrupt: Event = field(default_factory=Event)
    turns: int = 0

    def turned(self, now: int) -> None:
        self.turns += 1
        self.look(now)
        if self.done() or self.turns > TURNS:
            self.interrupt.set()


def served(text: str, inputs: dict | None = None, **parts: object) -> Story:
    parts.setdefault("clock", JumpClock())
    story = story_of(text, **parts)
    begin(story, "story", inputs)
    return story


def begin(story: Story, run_id: str, inputs: dict | None = None) -> None:
    start(
        story.store,
        story.blobs,
        story.program,
        inputs or {},
        run_id=run_id,
        labels={},
        python_path=(),
        served=True,
        clock=story.clock,
    )


def all_ended(story: Story) -> bool:
    return all(row.status in ENDED for row in story.store.runs())


def go_on(story: Story, of_service: Mapping[str, object] = NOTHING, **parts: object) -> Watch:
    watch = Watch(story, **{"done": lambda: all_ended(story), **parts})
    serve(
        story.store,
        story.blobs,
        story.executor,
        interrupt=watch.interrupt,
        on_turn=watch.turned,
        clock=story.clock,
        pace=PACE,
        **of_service,
    )
    assert watch.turns <= TURNS, "the service came to no end"
    return watch


def status(story: Story, run_id: str = "story") -> str:
    return story.store.run(run_id).status


NAP = """
flow: f
steps:
  - id: a
    call: s.add(1, 2)
  - sleep: 3h
  - return: a
"""
