"""Every example runs as its README says, on a real Ray."""

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray_cluster import ray_cluster

pytestmark = [pytest.mark.ray, pytest.mark.slow]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tasks of order_approval write: the workers have the environment of their Ray."""
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def address(shop: Path) -> Iterator[str]:
    """One Ray for all examples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_DIR", str(shop))
        with ray_cluster() as started:
            yield started


@pytest.fixture
def flowc(address: str, tmp_path: Path):
    """The command, in an empty directory, as a process."""

    def command(*words: str, code: int = 0) -> str:
        done = flowc_process(address, tmp_path, *words)
        out, err = done.communicate(timeout=240)
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{out}\n{err}"
        return out

    return command


def flowc_process(address: str, directory: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "RAY_ADDRESS": address}
    return subprocess.Popen(
        [sys.executable, "-m", "flowc", *words],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def flow(name: str) -> str:
    return str(EXAMPLES / name / f"{name}.flow.yaml")


def test_every_example_has_a_readme_and_is_valid(flowc) -> None:
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name[0] != "_")
    assert len(folders) >= 9
    for name in folders:
        assert (EXAMPLES / name / "README.md").read_text().startswith(f"# {name}\n")
    flowc("validate", str(EXAMPLES))


def test_hello(flowc) -> None:
    assert flowc("run", flow("hello"), "-i", "name=Ada", "--quiet") == "Hello, Ada!\n"


def test_stdlib_report(flowc) -> None:
    """Every file that Python itself can compile is in the report, every other one is listed as unreadable."""
    report = flowc("run", flow("stdlib_report"), "--id", "report", "--quiet")
    head = re.match(r"(\d+) files, ([\d,]+) lines, ([\d,]+) functions", report)
    assert head is not None, report
    found = json.loads(flowc("output", "report", "--step", "files"))
    unreadable = re.search(r"(\d+) files that Python cannot read:\n((?:  .*\n?)*)", report)
    assert unreadable is not None, report
    assert int(head[1]) + int(unreadable[1]) == len(found)
    assert int(head[1]) > 400
    for line in unreadable[2].splitlines():
        assert re.fullmatch(r"  \S+\.py: (SyntaxError|UnicodeDecodeError)", line), line


def test_digits(flowc, tmp_path: Path) -> None:
    shown = json.loads(
        flowc("run", flow("digits"), "-i", "target=0.88", "--id", "digits", "--json", "--quiet")
    )
    assert shown["status"] == "succeeded"
    flowc("output", "digits", "--pickle", "model.pkl")
    sys.path.insert(0, str(EXAMPLES / "digits"))
    try:
        trained = pickle.loads((tmp_path / "model.pkl").read_bytes())
    finally:
        sys.path.remove(str(EXAMPLES / "digits"))
    assert trained.accuracy >= 0.88
    assert all(score < 0.88 for score in trained.history[:-1])
    assert trained.history[-1] == round(trained.accuracy, 4)
    assert trained.model.classes_.tolist() == list(range(10))


def order(number: str, *words: str) -> tuple[str, ...]:
    given = {"id": number, "item": "lamp", "count": 2, "cents": 4500}
    return ("run", flow("order_approval"), "-i", f"order={json.dumps(given)}", "--quiet", *words)


def done_for(number: str, path: Path) -> list[str]:
    """What was done for an order, as the shop's own file has it."""
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [entry["do"] for entry in entries if entry["order"] == number]


def waits(flowc, directory: Path) -> bool:
    if not (directory / ".flowc" / "journal.db").exists() or "yes" not in flowc("list"):
        return False
    return any(wait["event"] == "approval" for wait in json.loads(flowc("show", "yes", "--json"))["waiting"])


def test_an_approved_order_is_charged(flowc, address: str, shop: Path, tmp_path: Path) -> None:
    process = flowc_process(address, tmp_path, *order("A7", "--id", "yes"))
    while not waits(flowc, tmp_path):
        assert process.poll() is None, process.communicate()
    flowc("send", "approval", "--key", "B1", "--data", '{"approved": false}')
    flowc("send", "approval", "--key", "A7", "--data", '{"approved": true}')
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out) == {"order": "A7", "approved": True, "receipt": "receipt-A7"}
    assert done_for("A7", shop / "stock.jsonl") == ["reserve"]
    assert done_for("A7", shop / "ledger.jsonl") == ["charge"]


def test_an_order_that_nobody_approves_is_released(flowc, shop: Path) -> None:
    flowc(*order("A8", "-i", "patience=1s"), code=1)
    assert done_for("A8", shop / "stock.jsonl") == ["reserve", "release"]
    assert done_for("A8", shop / "ledger.jsonl") == []


def test_training_without_a_gpu_uses_cpus(flowc) -> None:
    trained = json.loads(flowc("run", flow("gpu_training"), "-i", "target=0.01", "--quiet"))
    assert re.search(r"epoch=\d+, .*devices=\['cpu'(, 'cpu')*\]\)$", trained["repr"]), trained
