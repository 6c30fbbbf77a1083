"""Flows for tests of serving, their tasks, and a folder with both."""

from pathlib import Path

FLOWS = """\
flowc: 1
use: {t: flowc_served_tasks}
events: {approval: {type: any, external: true}}
flow: doubled
inputs: {n: int, day: {type: date, default: 2026-01-01}}
labels: {team: core}
steps:
  - id: twice
    call: t.double(n)
  - return: twice
---
flow: waits
inputs: {key: {type: str, default: a}}
steps:
  - id: first
    call: t.effect(key)
  - id: answer
    wait: approval
    key: key
  - return: answer
---
flow: fails
steps:
  - call: t.fail()
---
flow: naps
inputs: {count: int}
steps:
  - id: naps
    for: n in range(count)
    do: t.nap(n)
  - return: sum(naps)
---
flow: pulse
schedule: {every: 1s}
steps:
  - call: t.effect("pulse " + run.labels["slot"])
"""
TASKS = """
import os
import time
from pathlib import Path


def effect(name):
    path = Path(os.environ.get("SERVED_EFFECTS") or Path(__file__).parent / "effects")
    with path.open("a") as file:
        file.write(name + "\\n")
        file.flush()
        os.fsync(file.fileno())
    return name


def double(n):
    return 2 * n


def fail():
    raise ValueError("as told")


def nap(n):
    time.sleep(0.2)
    effect(f"nap {n} {os.getppid()}")
    return n
"""


def write_flows(folder: Path, flows: str = FLOWS) -> Path:
    """Write the tasks and the flows; the file of the flows."""
    (folder / "flowc_served_tasks.py").write_text(TASKS)
    file = folder / "served.flow.yaml"
    file.write_text(flows)
    return file
