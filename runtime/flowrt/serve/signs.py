"""Signs of life. In: what the parts of a server count; out: whether it lives, and Prometheus' text of it."""

import time
from collections import Counter
from threading import Lock

TURN_LATE_S = 30.0
"""An engine that has made no turn for so long is stuck: it makes several a second."""


class Signs:
    """Counts of one server process. Its methods may be called from any thread."""

    def __init__(self) -> None:
        """Begin at nothing; the engine has time for its first turn from now on."""
        self._lock = Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._events = 0
        self._runs = 0
        self._turned_at = time.monotonic()

    def turned(self, _now: int = 0) -> None:
        """The engine has made a turn."""
        self._turned_at = time.monotonic()

    def turn_age_s(self) -> float:
        """How long ago the engine's last turn was."""
        return time.monotonic() - self._turned_at

    def answered(self, method: str, status: int) -> None:
        """A request was answered."""
        with self._lock:
            self._requests[method if method in _METHODS else "other", status] += 1

    def accepted(self) -> None:
        """An event is durable."""
        with self._lock:
            self._events += 1

    def submitted(self) -> None:
        """A run was made for a caller."""
        with self._lock:
            self._runs += 1

    def text(self) -> str:
        """All of it in Prometheus' text format."""
        with self._lock:
            requests = [
                f'flowc_http_requests_total{{method="{method}",status="{status}"}} {count}'
                for (method, status), count in sorted(self._requests.items())
            ]
            lines = [
                "# HELP flowc_http_requests_total Requests that were answered.",
                "# TYPE flowc_http_requests_total counter",
                *requests,
                "# HELP flowc_events_accepted_total Events that are durable and were told so.",
                "# TYPE flowc_events_accepted_total counter",
                f"flowc_events_accepted_total {self._events}",
                "# HELP flowc_runs_submitted_total Runs that were made over HTTP.",
                "# TYPE flowc_runs_submitted_total counter",
                f"flowc_runs_submitted_total {self._runs}",
                "# HELP flowc_engine_turn_age_seconds How long ago the engine's last turn was.",
                "# TYPE flowc_engine_turn_age_seconds gauge",
                f"flowc_engine_turn_age_seconds {self.turn_age_s():.3f}",
            ]
        return "\n".join(lines) + "\n"


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
