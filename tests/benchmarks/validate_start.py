"""How long `flowc validate` of a 12-step file takes, in units of `python -c pass`, in the same run.

    python tests/benchmarks/validate_start.py

Prints both medians and their ratio; exits with 1 when it is above the bar.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BAR = 8.0
ROUNDS = 31
HEAD = "flowc: 1\nuse: {t: shop.etl}\nflow: twelve\ninputs: {day: date}\nsteps:\n"
STEP = """\
  - id: s{number}
    call: t.work(s{before}, day=day, n={number} * 2)
    retry: {{max: 3, delay: 1s, catch: [OSError]}}
"""


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Seconds that a process takes from start to end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def main() -> int:
    """Measure both in turn, so that what else the machine does hits both."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "twelve.flow.yaml"
        steps = "".join(STEP.format(number=number, before=number - 1) for number in range(1, 12))
        file.write_text(f"{HEAD}  - id: s0\n    call: t.first(day)\n{steps}")
        bare = [sys.executable, "-c", "pass"]
        full = [sys.executable, "-m", "flowc", "validate", str(file)]
        # As an installed package has it: with bytecode, whatever this environment says.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for command in (bare, full):  # The first run writes the bytecode.
            timed(command, environment)
        pairs = [(timed(bare, environment), timed(full, environment)) for _ in range(ROUNDS)]
    base = statistics.median(pair[0] for pair in pairs)
    whole = statistics.median(pair[1] for pair in pairs)
    ratio = whole / base
    print(f"medians of {ROUNDS} runs, taken in turn, on Python {sys.version.partition(' ')[0]}")
    print(f"python -c pass: {base * 1000:.1f} ms; flowc validate: {whole * 1000:.1f} ms")
    print(f"ratio {ratio:.2f}; the bar is {BAR:g}")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
