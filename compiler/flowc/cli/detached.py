"""`--detach`: handing runs over to whoever serves the store. In: a run. Out: its id on stdout, at once.

Whether anybody serves a store is not written down anywhere: it shows when a run is taken.
"""

import sys
import time
from typing import TYPE_CHECKING

from flowc.cli.executors import DriveArguments
from flowc.cli.exits import DONE
from flowrt.shown.json_value import dump

if TYPE_CHECKING:
    from flowrt.store.port import Store
    from flowrt.store.rows import RunRow

PATIENCE_S = 1.5
LOOK_S = 0.1


def hand_over(store: "Store", run_id: str, args: DriveArguments) -> int:
    """Leave a run to the servers of its store; says whether one has taken it."""
    from flowrt.clock import WallClock
    from flowrt.store.status import ENDED

    row = store.run(run_id)
    if row.status not in ENDED and (not row.served or row.status == "suspended"):
        store.serve(run_id, WallClock().now())
    if args.json:
        told = {"run": row.run_id, "flow": row.flow, "status": row.status}
        sys.stdout.write(dump(told, indent=None) + "\n")
    else:
        sys.stdout.write(run_id + "\n")
    sys.stdout.flush()
    if not args.quiet:
        sys.stderr.write(_said(store, row))
    return DONE


def _said(store: "Store", before: "RunRow") -> str:
    from flowrt.store.status import ENDED

    run_id = before.run_id
    if before.status in ENDED:
        return f"Run {run_id} has ended already; `flowc output {run_id}` has its result.\n"
    if before.owner is not None or _taken(store, before):
        return f"The run is being moved on; `flowc output {run_id} --wait` waits for its result.\n"
    return "Nobody has taken the run yet: it goes on as soon as `flowc serve` serves this store.\n"


def _taken(store: "Store", before: "RunRow") -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if store.run(before.run_id).epoch != before.epoch:
            return True
        time.sleep(LOOK_S)
    return False
