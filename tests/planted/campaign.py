"""Plant faults into a copy of the source, one at a time, and see whether the tests catch each.

    python tests/planted/campaign.py                    every fault, against the tests named for it
    python tests/planted/campaign.py --only fence       those whose name holds a word
    python tests/planted/campaign.py --all-tests        against the whole default suite
    python tests/planted/campaign.py --check            plant nothing, see that each could be planted

The faults stand in `faults.py`: each takes one promise out of `runtime/flowrt` by an exact replacement of
text. The checkout is never changed: a copy is, in a directory for temporary files. Before anything is
planted the tests named must pass on the copy as it is; else a failure would say nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COPIED = ("compiler", "runtime", "schemas", "examples", "tests", "docs", "pyproject.toml", "README.md")
TIMEOUT_S = 240
WHOLE = ("tests",)


@dataclass(frozen=True)
class Fault:
    """A fault: what it breaks, in which file of `runtime/flowrt`, which text for which, and who notices."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def planted(self, text: str) -> str:
        """The file with the fault in it. Raises ValueError when its text is not there exactly once."""
        found = text.count(self.old)
        if found != 1:
            message = f"`{self.name}`: its text stands {found} times in runtime/flowrt/{self.file}"
            raise ValueError(message)
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Verdict:
    """Whether tests caught a fault. `told` is the test that failed first, or what survived."""

    fault: str
    caught: bool
    told: str
    took_s: float


@contextmanager
def copy_of_tree() -> Iterator[Path]:
    """A copy of the checkout that may be broken."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=ignored)
            else:
                shutil.copy(source, copy / name)
        yield copy


def run_tests(copy: Path, tests: Sequence[str], timeout_s: float | None) -> tuple[bool, str]:
    """Whether tests pass on a copy; if not, the first that does not."""
    path = os.pathsep.join(str(copy / name) for name in ("compiler", "runtime", "schemas"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    if tuple(tests) != WHOLE:
        command += ["-k", "not postgres"]  # No fault is of that store alone, and its server takes its time.
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return False, "it never ended"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    told = failed[0] if failed else (done.stdout + done.stderr).strip()[-300:]
    return done.returncode == 0, told


def plant(fault: Fault, *, all_tests: bool = False) -> Verdict:
    """Plant a fault and run the tests that should notice."""
    began = time.monotonic()
    with copy_of_tree() as copy:
        place = copy / "runtime" / "flowrt" / fault.file
        place.write_text(fault.planted(place.read_text()))
        passed, told = run_tests(copy, *((WHOLE, None) if all_tests else (fault.tests, TIMEOUT_S)))
    return Verdict(fault.name, not passed, told, time.monotonic() - began)


def sound(subsets: Sequence[tuple[str, ...]], jobs: int) -> bool:
    """Whether the tests pass as long as nothing is planted: each subset as it is run later."""

    def failure(tests: tuple[str, ...]) -> str:
        with copy_of_tree() as copy:
            passed, told = run_tests(copy, tests, None)
        return "" if passed else told

    with ThreadPoolExecutor(jobs) as pool:
        failures = [told for told in pool.map(failure, subsets) if told]
    for told in failures:
        print(f"a test fails with nothing planted: {told}", flush=True)
    return not failures


def campaign(faults: Sequence[Fault], jobs: int, *, all_tests: bool) -> int:
    """Plant every fault and say which were caught."""
    subsets = [WHOLE] if all_tests else sorted({fault.tests for fault in faults})
    if not sound(subsets, jobs):
        return 2
    survivors = 0
    with ThreadPoolExecutor(jobs) as pool:
        for verdict in pool.map(lambda fault: plant(fault, all_tests=all_tests), faults):
            survivors += not verdict.caught
            word = "caught  " if verdict.caught else "SURVIVED"
            print(f"{word} {verdict.took_s:5.1f} s  {verdict.fault}: {verdict.told}", flush=True)
    print(f"{len(faults)} faults planted, {len(faults) - survivors} caught, {survivors} survived")
    return 1 if survivors else 0


def check(faults: Sequence[Fault]) -> int:
    """Whether every fault can be planted, and the tests named for it are there."""
    problems: list[str] = []
    for fault in faults:
        try:
            fault.planted((ROOT / "runtime" / "flowrt" / fault.file).read_text())
        except (ValueError, OSError) as error:
            problems.append(str(error))
        for test in fault.tests:
            file, _, name = test.partition("::")
            if not (ROOT / file).exists() or (name and f"def {name}(" not in (ROOT / file).read_text()):
                problems.append(f"`{fault.name}`: there is no test {test}")
    print(*problems, f"{len(faults)} faults, {len(problems)} problems", sep="\n")
    return 1 if problems else 0


def main() -> int:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all-tests", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    from faults import FAULTS  # noqa: PLC0415 - it imports this file

    faults = [fault for fault in FAULTS if given.only in fault.name]
    if given.check:
        return check(faults)
    return campaign(faults, given.jobs, all_tests=given.all_tests)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.modules.setdefault("campaign", sys.modules["__main__"])
    sys.exit(main())
