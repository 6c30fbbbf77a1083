"""What `flowc run` of the smallest flow costs more than a bare Ray script, in one run.

    python tests/benchmarks/hello_start.py [--times 5]

Bar: the medians differ by at most 1.5 s.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BARE = """
import ray
ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
@ray.remote
def hello(): return "Hello, world!"
print(ray.get(hello.remote()))
"""


def seconds(command: list[str], directory: str) -> float:
    began = time.monotonic()
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    flow = str(Path(__file__).resolve().parent / "one_task.flow.yaml")
    bare: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(times):
            bare.append(seconds([sys.executable, "-c", BARE], directory))
            ours.append(seconds([sys.executable, "-m", "flowc", "run", flow], directory))
    more = statistics.median(ours) - statistics.median(bare)
    print(
        f"bare {statistics.median(bare):.2f} s, flowc {statistics.median(ours):.2f} s: "
        f"{more:+.2f} s (bar +1.5)"
    )
    return 0 if more <= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
