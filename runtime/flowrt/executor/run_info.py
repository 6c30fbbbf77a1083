"""`run` in expressions: the facts of a run as an author reads them, in the engine and in workers alike."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flowrt.executor.port import RunFacts
from flowrt.noun import noun

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@noun
class RunInfo:
    """What `run` is in an expression."""

    id: str
    flow: str
    started_at: datetime
    labels: Mapping[str, str]


def run_info(facts: RunFacts) -> RunInfo:
    """`run` as an expression sees it."""
    started_at = _EPOCH + timedelta(microseconds=facts.started_at)
    return RunInfo(facts.id, facts.flow, started_at, dict(facts.labels))
