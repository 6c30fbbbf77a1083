"""The Python face of flowrt: hand-written graphs, with tasks in threads, and a script on real Ray."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import ray
from ray.dag import InputNode, MultiOutputNode

import flowrt
from flowrt.errors import BadInput, FlowrtError, RunFailed, RunMismatch, UnsupportedGraph


@ray.remote
def double(x):
    return 2 * x


@ray.remote
def add(a, b):
    return a + b


@ray.remote
def total(numbers, more):
    return sum(numbers) + sum(more.values())


@ray.remote
def shaky(path):
    if not Path(path).exists():
        raise OSError(f"{path} is missing")
    return "there"


@pytest.fixture
def run(tmp_path):
    def run(dag, *args, **kwargs):
        return flowrt.run(dag, *args, store=tmp_path / "store", executor="local", **kwargs)

    return run


def test_a_graph_runs_once(run, tmp_path):
    dag = add.bind(double.bind(1), double.bind(2))
    assert run(dag, run_id="sum") == 6
    assert run(dag, run_id="sum") == 6
    assert flowrt.output("sum", store=tmp_path / "store") == 6
    with pytest.raises(RunMismatch, match="another program"):
        run(add.bind(1, 2), run_id="sum")


def test_inputs_outputs_options_and_containers(run):
    with InputNode() as given:
        whole = double.bind(given)
    with InputNode() as given:
        parts = add.bind(double.bind(given[0]), given.k)
    assert run(whole, 21) == 42
    assert run(parts, 5, k=7) == 17
    assert run(MultiOutputNode([double.bind(1), add.bind(1, 2)])) == [2, 3]
    assert run(total.bind([double.bind(1), 3], {"a": double.options(num_cpus=0.5).bind(3)})) == 11


def test_a_failure_is_told_in_words_and_can_be_mended(run, tmp_path):
    mark = tmp_path / "mark"
    with pytest.raises(RunFailed) as caught:
        run(add.bind(shaky.bind(str(mark)), "!"), run_id="r")
    assert str(caught.value) == (
        f"Run r failed at step `shaky`: OSError: {mark} is missing\n"
        "Once the cause is mended, `flowrt.resume('r', failed=True)` continues the run."
    )
    assert "in shaky" in caught.value.__notes__[0]
    with pytest.raises(RunFailed):
        flowrt.resume("r", store=tmp_path / "store", executor="local")
    mark.touch()
    assert flowrt.resume("r", store=tmp_path / "store", executor="local", failed=True) == "there!"


@pytest.mark.parametrize("wrong", [5, double, None])
def test_what_is_no_graph_is_refused(run, wrong):
    with pytest.raises(UnsupportedGraph, match="A bind graph was expected"):
        run(wrong)


def test_wrong_use_is_told(run, tmp_path):
    with pytest.raises(BadInput, match="takes no inputs"):
        run(double.bind(1), 4)
    with pytest.raises(ValueError, match='`executor` is "ray", "local" or an executor, not \'locl\''):
        flowrt.run(double.bind(1), store=tmp_path / "store", executor="locl")
    with pytest.raises(FlowrtError, match="is no id of a run"):
        run(double.bind(1), run_id="../x")


SCRIPT = """\
import os, sys
import ray, flowrt

class Busy(Exception):
    pass

class VeryBusy(Busy):
    pass

@ray.remote(retry_exceptions=[Busy], max_retries=2)
def third_time(path):
    with open(path, "a") as file:
        file.write("x")
    if os.path.getsize(path) < 3:
        raise VeryBusy
    return os.path.getsize(path)

if __name__ == "__main__":
    print(flowrt.run(third_time.bind(sys.argv[1]), run_id="script"))
"""


@pytest.mark.ray
def test_a_script_retries_on_exceptions_of_its_own(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "FLOWC_"))
    }
    done = subprocess.run(
        [sys.executable, "script.py", str(tmp_path / "count")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
