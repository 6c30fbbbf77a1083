"""Each block of the README is run, or is what a run prints."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowc.compile import check_source
from flowc.render.render import render_text
from flowc.span import Source

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def flowc(directory: Path, *words: str) -> str:
    command = [sys.executable, "-m", "flowc", *words]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (yaml,) = blocks("yaml")
    (tmp_path / "shop.flow.yaml").write_text(yaml)
    tasks = next(block for block in blocks("python") if block.startswith("# shop.py"))
    (tmp_path / "shop.py").write_text(tasks)
    return tmp_path


def test_the_flow_of_the_readme(shop: Path) -> None:
    words = next(block for block in blocks("sh") if "flowc run shop.flow.yaml" in block)
    assert words.splitlines() == [
        "flowc validate shop.flow.yaml",
        """flowc run shop.flow.yaml -i items='["tea", "coffee beans", "milk"]'""",
    ]
    flowc(shop, "validate", "shop.flow.yaml")
    given = 'items=["tea", "coffee beans", "milk"]'
    out = flowc(shop, "run", "shop.flow.yaml", "-i", given, "--executor", "local")
    assert out == "ordered tea, milk\n"


@pytest.mark.ray
def test_the_night_a_node_died(tmp_path: Path) -> None:
    block = next(block for block in blocks("sh") if "kill -9" in block)
    words = block.splitlines()[0].removesuffix(" &").split()[1:]
    words[1] = str(ROOT / words[1])
    process = subprocess.Popen([sys.executable, "-m", "flowc", *words], cwd=tmp_path)
    time.sleep(4)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert "files that Python cannot read" in flowc(tmp_path, "resume", "night")
    assert "batches" in flowc(tmp_path, "show", "night")


@pytest.mark.ray
def test_the_hand_written_graph(tmp_path: Path) -> None:
    script = next(block for block in blocks("python") if "import ray, flowrt" in block)
    text = script.replace("flowrt.run(", "print(flowrt.run(", 1).replace('"sum-1")', '"sum-1"))', 1)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", text],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        assert done.stdout == "6\n"


def test_the_service_of_the_readme(shop: Path) -> None:
    lines = next(block for block in blocks("sh") if "flowc serve" in block).splitlines()
    serve, run, output = (shlex.split(line, comments=True)[1:] for line in lines)
    command = [sys.executable, "-m", "flowc", *serve[:-1], "--executor", "local", "--port", "0"]
    with subprocess.Popen(command, cwd=shop, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert any("listening at" in line for line in server.stderr)
            assert flowc(shop, *run) == "shop-1\n"
            assert flowc(shop, *output) == "ordered tea\n"
        finally:
            server.terminate()


def test_the_finding_of_the_readme() -> None:
    (shown,) = [block for block in blocks("text") if block.startswith("error[F0201]")]
    head = "flowc: 1\nuse: {o: shop.orders}\nflow: pay\ninputs: {total: int}\nsteps:\n"
    filler = "".join(f"  # {number}\n" for number in range(6, 13))
    text = f"{head}{filler}  - id: receipt\n      call: o.charge(totl)\n"
    text = text.replace("  - id: receipt", "    - id: receipt")
    _, found = check_source(Source("orders.flow.yaml", text))
    assert render_text(found, color=False).strip() == shown.strip()


def test_the_two_commands_are_what_ci_runs() -> None:
    first, second = (block.strip() for block in blocks("sh")[:2])
    assert first.endswith("flowc run examples/stdlib_report/stdlib_report.flow.yaml")
    assert second.endswith("tests/gate.py")
    script = (ROOT / ".ci" / "run").read_text()
    assert "'.[dev]'" in script
    assert "tests/gate.py" in script
