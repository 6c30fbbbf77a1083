"""Failpoints themselves: they count, they log, they know their names, and cost nothing when unused."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = "from flowrt.failpoint import hit\nfor n in range(3): hit('flush.done'); print(n, flush=True)"


def outcome(**environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )


def test_nothing_happens_unless_asked_for() -> None:
    assert outcome().stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize(("asked", "printed"), [("", ""), (":1", ""), (":2", "0"), (":3", "0 1")])
def test_a_process_dies_at_the_hit_that_is_named(asked: str, printed: str) -> None:
    done = outcome(FLOWC_FAILPOINT=f"flush.done{asked}")
    assert (done.returncode, " ".join(done.stdout.split())) == (137, printed)


def test_other_places_are_passed() -> None:
    assert outcome(FLOWC_FAILPOINT="append.done").stdout.split() == ["0", "1", "2"]


def test_every_place_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "seen"
    assert outcome(FLOWC_FAILPOINT_LOG=str(log), FLOWC_FAILPOINT="flush.done:3").returncode == 137
    assert log.read_text().split() == ["flush.done"] * 3


def test_a_process_can_stop_instead_and_go_on() -> None:
    environment = {**os.environ, "FLOWC_FAILPOINT": "flush.done:2:stop"}
    with subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE) as child:
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        child.send_signal(signal.SIGCONT)
        assert child.stdout is not None
        assert child.stdout.read().split() == [b"0", b"1", b"2"]


@pytest.mark.parametrize("asked", ["flush.gone", "flush.done:x", "flush.done:1:sleep"])
def test_what_is_no_failpoint_is_refused_at_the_start(asked: str) -> None:
    done = outcome(FLOWC_FAILPOINT=asked)
    assert done.returncode == 1
    assert done.stderr.startswith("FLOWC_FAILPOINT is for tests; `")
    assert "flush.done" in done.stderr
    assert "Traceback" not in done.stderr
