"""The gate: format, lint, types, import contracts, tests. One command for people and CI.

python tests/gate.py            everything
python tests/gate.py --fast     everything but the tests
"""

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sysconfig.get_path("scripts"))

CHECKS: tuple[tuple[str, ...], ...] = (
    (str(BIN / "ruff"), "format", "--check", "."),
    (str(BIN / "ruff"), "check", "."),
    (str(BIN / "mypy"),),
    (str(BIN / "pyright"), "--pythonpath", sys.executable),
    (str(BIN / "lint-imports"),),
)
# Two processes, whatever the machine has: that is what the bounds in the tests were made for.
TESTS: tuple[str, ...] = (
    *(sys.executable, "-m", "pytest", "-q", "--durations=15"),
    *("--numprocesses=2", "--dist=loadgroup"),
)


def run(command: tuple[str, ...]) -> bool:
    """Run one check and say how it went."""
    name = " ".join(Path(part).name if index == 0 else part for index, part in enumerate(command))
    print(f"== {name}", flush=True)
    began = time.monotonic()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    good = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
    print(f"== {'ok' if good else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    return good


def main() -> int:
    """Run every check even when one fails, so that one look shows all there is to mend."""
    fast = "--fast" in sys.argv[1:]
    commands = CHECKS if fast else (*CHECKS, TESTS)
    failed = [command for command in commands if not run(command)]
    for command in failed:
        print(f"failed: {Path(command[0]).name} {' '.join(command[1:])}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
