"""Instants of the store for output. In: microseconds since 1970-01-01 UTC. Out: text."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local(at: int | None) -> str:
    """For people: local time, to the second; `-` for none."""
    if at is None:
        return "-"
    return f"{(EPOCH + timedelta(microseconds=at)).astimezone():%Y-%m-%d %H:%M:%S}"


def length(start: int | None, end: int | None) -> str:
    """For people: the time from one instant to another; `-` when one is missing."""
    if start is None or end is None:
        return "-"
    from flowc.cli.progress import format_seconds

    return format_seconds((end - start) / 1e6)
