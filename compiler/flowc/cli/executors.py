"""Who makes the attempts: `--executor`, `--address`. In: arguments. Out: an executor for the engine."""

import argparse
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from flowc.cli.exits import UsageError
from flowc.cli.places import StoreArguments

if TYPE_CHECKING:
    from flowrt.executor.port import Attempt, AttemptKey, Executor, Report
    from flowrt.store.port import Blobs


class DriveArguments(StoreArguments):
    """The arguments of the commands that drive a run."""

    executor: Literal["ray", "local"]
    address: str | None
    json: bool
    quiet: bool
    verbose: bool = False


def add_drive_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--executor`, `--address`, `--json` and `--quiet`."""
    add_executor_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say what the engine does, and what code was packed",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")


def add_executor_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--executor` and `--address`."""
    parser.add_argument(
        "--executor",
        choices=("ray", "local"),
        default="ray",
        help="ray: tasks run on Ray (default); local: in threads of this process, for trying a flow out "
        "(resource options and memory limits have no effect there)",
    )
    parser.add_argument(
        "--address", help="the Ray cluster to join (else RAY_ADDRESS, else a local Ray is started)"
    )


def require_executor(args: DriveArguments) -> None:
    """Raise when the chosen executor is not installed; cheap, and before anything is stored."""
    if args.executor == "local" and args.address:
        raise UsageError("`--address` is the address of a Ray cluster; leave out `--executor local`.")
    if args.executor == "ray" and find_spec("ray") is None:
        raise ModuleNotFoundError("No module named 'ray'", name="ray")


def make_executor(args: DriveArguments, *, after_start: Callable[[], None]) -> "Executor":
    """The chosen executor, made when it is needed; `after_start` is called once it has begun."""
    from flowrt.executor.lazy import LazyExecutor

    return LazyExecutor(lambda: AfterStart(_chosen(args), after_start))


def _chosen(args: DriveArguments) -> "Executor":
    if args.executor == "local":
        import faulthandler

        from flowrt.executor.local import LocalExecutor

        # A crash in C code ends this process with the step: at least its last lines say where it was.
        with suppress(OSError, ValueError):
            faulthandler.enable(2)
        return LocalExecutor()
    # By default Ray hides lines that resemble others: of ten tasks that print, one would be seen.
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    from flowrt.executor.ray import RayExecutor

    return RayExecutor(address=args.address)


class AfterStart:
    """An executor that does one more thing once another has started, and is that other in all else."""

    def __init__(self, inner: "Executor", after_start: Callable[[], None]) -> None:
        """Wrap `inner`."""
        self._inner = inner
        self._after_start = after_start

    def start(self, report: "Report", blobs: "Blobs") -> None:
        """Begin."""
        self._inner.start(report, blobs)
        self._after_start()

    def submit(self, attempts: "Sequence[Attempt]") -> None:
        """Take attempts on."""
        self._inner.submit(attempts)

    def stop(self, key: "AttemptKey", *, force: bool) -> None:
        """Stop an attempt."""
        self._inner.stop(key, force=force)

    def close(self) -> None:
        """Stop everything."""
        self._inner.close()
