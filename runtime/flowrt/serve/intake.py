"""Events on their way into the store. In: events of many requests at once; out: their numbers, once durable.

One thread writes. All events that arrived while one transaction was on its way are the next one (group
commit), so that a storm of senders costs few flushes. Nobody is told of an event before it is durable.
"""

import queue
import threading
from concurrent.futures import Future
from typing import TypeAlias

from flowrt.errors import StoreUnavailable, UnknownRun
from flowrt.store.port import Store
from flowrt.store.rows import NewEvent

BATCH_MAX = 500
WAITING_MAX = 10_000

_Item: TypeAlias = "tuple[NewEvent, Future[int]] | None"


class Intake:
    """Writes events in groups. `accept` may be called from any thread."""

    def __init__(self, store: Store) -> None:
        """Begin to take events."""
        self._store = store
        self._waiting: queue.Queue[_Item] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._work, name="flowrt-intake", daemon=True)
        self._thread.start()

    def accept(self, event: NewEvent) -> "Future[int]":
        """The number of the event, when it is durable. Raises StoreUnavailable when too many wait."""
        answer: Future[int] = Future()
        try:
            self._waiting.put_nowait((event, answer))
        except queue.Full as error:
            raise StoreUnavailable(
                f"{WAITING_MAX} events wait to be written; send this one later."
            ) from error
        return answer

    def close(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            over = False
            while len(group) < BATCH_MAX and not over:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    over = True
                else:
                    group.append(more)
            self._write(group)
            if over:
                return

    def _write(self, group: "list[tuple[NewEvent, Future[int]]]") -> None:
        try:
            numbers = self._store.send_all([event for event, _ in group])
        except UnknownRun:
            # One of them names a run that is not there: the others have a right to be written.
            for event, answer in group:
                self._write_one(event, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, each sender has to hear of it
            for _, answer in group:
                _tell(answer, error)
        else:
            for (_, answer), number in zip(group, numbers, strict=True):
                if answer.set_running_or_notify_cancel():
                    answer.set_result(number)

    def _write_one(self, event: NewEvent, answer: "Future[int]") -> None:
        try:
            number = self._store.send(event)
        except Exception as error:  # noqa: BLE001 - as above
            _tell(answer, error)
        else:
            if answer.set_running_or_notify_cancel():
                answer.set_result(number)


def _tell(answer: "Future[int]", error: Exception) -> None:
    if answer.set_running_or_notify_cancel():
        answer.set_exception(error)
