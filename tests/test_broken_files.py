"""No file, however broken, gives `flowc validate` a traceback, a signal, or more than two seconds."""

import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowc.cli.main import main

BROKEN = runpy.run_path(str(Path(__file__).resolve().parent / "corpus" / "broken.py"))
FILES: list[tuple[str, bytes]] = list(BROKEN["broken_flows"]())
SECONDS = 2.0


def file_name(name: str) -> str:
    return f"{name.replace('/', '-')}.flow.yaml"


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 200
    assert len({name for name, _ in FILES}) == len(FILES)


def test_each_gets_findings_or_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data in FILES:
        file = tmp_path / file_name(name)
        file.write_bytes(data)
        began = time.process_time()
        code = main(["validate", str(file)])
        took_s = time.process_time() - began
        said = capsys.readouterr()
        assert code in (0, 1, 2), f"{name}: exit {code}"
        assert "internal error" not in said.err, f"{name}: {said.err}"
        assert "Traceback" not in said.out + said.err, name
        assert (code == 0) == ("error[" not in said.out), name
        assert took_s < SECONDS, f"{name} took {took_s:.2f} s"


def test_all_of_them_in_one_process_end_without_a_signal(tmp_path: Path) -> None:
    for name, data in FILES:
        (tmp_path / file_name(name)).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "flowc", "validate", "--format", "concise", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-2000:]
