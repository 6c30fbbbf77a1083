"""Who may take a run. In: what the store knows of a run, who asks, the time; out: nothing, or RunOwned."""

from datetime import UTC, datetime

from flowrt.errors import RunOwned
from flowrt.store.owner import alive
from flowrt.store.rows import Owner


def check_free(run_id: str, holder: Owner | None, lease_until: int, owner: Owner, now: int) -> None:
    """Raise RunOwned when `holder` holds the run and may not be passed over by `owner`.

    A holder is passed over when it is the one who asks, when its lease has run out, or when it was a
    process of this machine and boot that lives no more.
    """
    if holder is None or holder == owner or lease_until <= now or alive(holder) is False:
        return
    raise owned(run_id, holder, lease_until)


def owned(run_id: str, holder: Owner, lease_until: int) -> RunOwned:
    """The error that names the holder of a run and when its lease ends."""
    until = datetime.fromtimestamp(lease_until / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return RunOwned(
        f"Run {run_id} is owned by process {holder.pid} on {holder.host}, whose lease ends at {until} UTC. "
        "Stop that process, or try again after that."
    )
