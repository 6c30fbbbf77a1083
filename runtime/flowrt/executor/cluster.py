"""Starting, joining and leaving Ray: an address goes in, a connection that is quiet comes out.

A Ray that somebody else started in this process is used and left alone. Otherwise one is joined, at the
address given or in RAY_ADDRESS, or a local one is started; that connection, or that local Ray, ends with
`leave`. Ray found by accident (the last cluster started on this machine) is never joined.
"""

import logging
import os
import socket
import sys
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

import ray
from ray._private import worker as ray_worker
from ray.exceptions import RayError

from flowrt.errors import ExecutorUnavailable

_KNOCK_S = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """`ours`: this connection was made here and is ended here."""

    ours: bool


def join(address: str | None, num_cpus: float | None, *, quiet: bool, prints: bool) -> Connection:
    """Connect this process to Ray.

    Args:
        address: Of a running cluster; None for RAY_ADDRESS, or else for a local Ray of our own.
        num_cpus: CPUs of a local Ray; None for those of the machine.
        quiet: Say nothing but errors.
        prints: Show on stderr what tasks print.

    Raises:
        ExecutorUnavailable: There is no Ray at that address, or none could be started.
    """
    if ray.is_initialized():
        return Connection(ours=False)
    wanted = address or os.environ.get("RAY_ADDRESS") or "local"
    if quiet:
        # Ray 2.5x warns of a change in how it hides GPUs from tasks without any; the new way is fine.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if wanted not in ("local", "auto"):
        _knock(wanted)
    _print_on_stderr()
    if not sys.stderr.isatty():
        os.environ.setdefault("RAY_COLOR_PREFIX", "0")
    level = logging.ERROR if quiet else logging.INFO
    start = cast("Any", ray).init  # Its stubs know less than it does.
    try:
        if wanted == "local":
            # A Ray for the time of one command reports nothing to anybody.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            start(
                address="local",
                num_cpus=num_cpus,
                include_dashboard=False,
                log_to_driver=prints,
                logging_level=level,
            )
        else:
            start(address=wanted, log_to_driver=prints, logging_level=level)
    except (OSError, RuntimeError, ValueError, RayError) as error:
        if "Version mismatch" in str(error):
            raise ExecutorUnavailable(_other_version(wanted, str(error))) from error
        where = "started on this machine" if wanted == "local" else f"reached at {wanted}"
        raise ExecutorUnavailable(f"Ray could not be {where}: {error}") from error
    return Connection(ours=True)


def _other_version(address: str, said: str) -> str:
    """Ray wants the same Ray and Python on both sides, and says so in several lines."""
    facts = " ".join(said.split())
    return (
        f"The Ray cluster at {address} is of other versions than this process, and Ray wants the same on "
        f"both sides. Run this command with the Python and Ray of the cluster. Ray said: {facts}"
    )


_PRINT = "print_to_stdstream"


def _print_on_stderr() -> None:
    """What tasks print, and what Ray says of its workers, belongs beside the results and not among them.

    Ray shows each line where its process wrote it, on our stdout or stderr, and its own messages on
    stdout; it has no setting for that. Both go through this one function of its.
    """
    original = getattr(ray_worker, _PRINT, None)
    if original is None or hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def on_stderr(data: dict[str, object], *args: object, **kwargs: object) -> None:
        original({**data, "is_err": True}, *args, **kwargs)

    setattr(ray_worker, _PRINT, on_stderr)


def _print_as_before() -> None:
    original = getattr(getattr(ray_worker, _PRINT, None), "__wrapped__", None)
    if original is not None:
        setattr(ray_worker, _PRINT, original)


def _knock(address: str) -> None:
    """Ray itself tries for minutes, with pages of logs, to reach a cluster that is not there."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return  # Another form of address; Ray knows what it means.
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()
    except OSError as error:
        raise ExecutorUnavailable(
            f"Ray could not be reached at {address}: {error.strerror or error}."
            " Start it there with `ray start --head`, or leave the address out to use a local Ray."
        ) from error


def head_of_cluster() -> str:
    """Where the head of the cluster listens that this process is connected to; empty when not known."""
    try:
        return str(cast("Any", ray).get_runtime_context().gcs_address)
    except (AttributeError, RuntimeError, RayError):
        return ""


def listens(address: str) -> bool:
    """Whether anybody takes a connection at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=1.0).close()
    except OSError:
        return False
    return True


def leave(connection: Connection) -> None:
    """End the connection, and the local Ray, if they are ours."""
    if connection.ours and ray.is_initialized():
        cast("Any", ray).shutdown()
        _print_as_before()
