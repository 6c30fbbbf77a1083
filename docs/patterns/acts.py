"""What the flows of the patterns do: each act is a line in a file, with the run that it belongs to."""

import os
from pathlib import Path

import flowrt


def act(what: str) -> str:
    """Do something that can be seen afterwards. A run that was started by another one acts in its name."""
    current = flowrt.current()
    run = current.labels.get("flowc.parent", current.run_id)
    with Path(os.environ.get("ACTS", "acts.log")).open("a") as file:
        file.write(f"{run} {what}\n")
    return what
