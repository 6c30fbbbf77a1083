"""Listeners: what waits for events that no sender brings. In: nothing. Out: the class to derive them from.

    class Price(flowrt.EventListener):
        async def poll_for_event(self, symbol: str) -> float:
            return await feed.next(symbol)

        async def event_checkpointed(self, event: float) -> None:
            await feed.acknowledge(event)

    d = wait feeds.Price("ACME")

For each step an object is made, without arguments. What `poll_for_event` gives is the event. It is recorded,
and only then `event_checkpointed` is called, on another object: so a message is acknowledged when it cannot
be lost any more. Both are called at least once: when a worker or an engine is lost in between, the step
polls again as long as no event is recorded, and acknowledges again as long as that is not.

Many listeners share one process and its event loop, so one that waits costs a coroutine. `poll_for_event`
has to wait with `await`; what blocks goes into a thread of its own: `await asyncio.to_thread(…)`.
"""

from typing import Any

POLL = "poll_for_event"
CHECKPOINTED = "event_checkpointed"


class EventListener:
    """Waits for an event from elsewhere. Any class with these two methods will do."""

    # What a listener is given is its own affair: a method with any parameters may take the place of this one.
    async def poll_for_event(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Wait for the event and return it; its arguments are those of the step."""
        raise NotImplementedError(f"`{type(self).__name__}` has no `{POLL}` of its own.")

    async def event_checkpointed(self, event: Any) -> None:  # noqa: ANN401
        """The event is recorded: it may be acknowledged, or deleted where it came from."""
