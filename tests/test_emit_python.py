"""`flowc compile --emit python`: the program is well formed, and does what the flow does."""

import asyncio
import os
import py_compile
import subprocess
import sys
from ast import literal_eval
from importlib import import_module
from pathlib import Path
from textwrap import indent

import pytest
from ray_cluster import ray_cluster

from flowc.cli.main import main
from flowc.compile import check_source, checked_file
from flowc.span import Source
from flowc.write_python.merged import merged
from flowc.write_python.program import write_python
from flowc.write_python.support import parts

ROOT = Path(__file__).resolve().parent.parent
FLOWS = sorted(ROOT.glob("tests/compile/ok/*.flow.yaml")) + sorted(ROOT.glob("examples/*/*.flow.yaml"))
PLAIN = ROOT / "tests" / "plain"
HEAD = """\
flowc: 1
use: {t: plain_tasks}
events: {ping: {key: any}}
actors: {account: t.Account}
flow: main
inputs: {n: {type: int, default: 3}, xs: {type: 'list[int]', default: [1, 2, 3]}}
steps:
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The program of every flow of every file, by the name of its file."""
    folder = tmp_path_factory.mktemp("emitted")
    for path in FLOWS:
        file = merged(checked_file(path))
        for flow in file.flows:
            stem = path.name.removesuffix(".flow.yaml")
            (folder / f"{stem}_{flow.name.text}.py").write_text(write_python(file, flow.name.text))
    return folder


def test_every_program_compiles(programs) -> None:
    for path in programs.glob("*.py"):
        py_compile.compile(str(path), str(path.with_suffix(".pyc")), doraise=True)


def called(*words):
    return subprocess.run(words, check=False, capture_output=True, text=True)


def test_every_program_is_formatted_and_knows_its_names(programs) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is of the extra dev")
    said = subprocess.run(
        [ruff, "format", "--isolated", "--diff", programs], check=False, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout
    rules = ["--select", "F,E9,PLE", "--ignore", "F841"]
    # The test of an `until` stands above its body when a `continue` has to come to it.
    rules += ["--per-file-ignores", "loops_loops.py:F821"]
    said = subprocess.run(
        [ruff, "check", "--isolated", *rules, programs], check=False, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout


def test_names_that_the_program_needs_for_itself_are_left_to_it(tmp_path, monkeypatch, capsys) -> None:
    """A flow may call its steps as it likes: `task`, `json`, `sum`, and be called `race`."""
    (tmp_path / "x.flow.yaml").write_text(
        "flowc: 1\nflow: race\ninputs: {each: {type: int, default: 2}}\nsteps:\n"
        "  - {id: sum, value: 'sum([each, 3])'}\n"
        "  - {id: json, value: '[task for task in range(sum)]'}\n"
        '  - return: \'{"field": first(None, json), "at": run.flow}\'\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["compile", "x.flow.yaml", "--emit", "python"]) == 0
    names: dict[str, object] = {"__name__": "emitted"}
    exec(compile(capsys.readouterr().out, "emitted.py", "exec"), names)
    assert asyncio.run(names["race_flow"]()) == {"field": [0, 1, 2, 3, 4], "at": "race"}


def test_modules_do_not_take_the_names_that_the_program_needs(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "x.flow").write_text(
        "use shop.tasks as task\nuse shop.data as json\nuse random as random\nuse shop.etl as t\n\n"
        "flow f():\n    a = task.go(random.random())\n    b = json.load(a)\n    return t.end(b)\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["compile", "x.flow", "--emit", "python"]) == 0
    text = capsys.readouterr().out
    imports = [line for line in text.split("\n") if line.startswith("import ")]
    assert {"import shop.tasks as task_module", "import shop.data as json_module"} < set(imports)
    assert {"import json", "import random", "import shop.etl as t"} < set(imports)
    assert "await task(task_module.go)(" in text
    assert "await task(json_module.load)(a)" in text


def test_every_piece_of_support_is_whole() -> None:
    for name, part in parts().items():
        compile(part.source, name, "exec")
        assert set(part.needs) <= set(parts())


def steps_and_values():
    found = []
    for chunk in (PLAIN / "steps.txt").read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, _, rest = chunk.partition("\n")
        if name == "items without an order of their own":
            continue  # Python iterates over a set as it comes.
        steps, _, value = rest.partition("\n--- ")
        found.append(pytest.param(steps + "\n", literal_eval(value), id=name))
    return found


@pytest.fixture(scope="module")
def _ray_here():
    if str(PLAIN) not in sys.path:
        sys.path.insert(0, str(PLAIN))
    import_module("plain_tasks")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PLAIN), *([before] if before else [])])
    with ray_cluster():
        yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.mark.ray
@pytest.mark.usefixtures("_ray_here")
@pytest.mark.parametrize(("steps", "value"), steps_and_values())
def test_a_program_comes_to_what_its_flow_comes_to(steps, value) -> None:
    text = steps if steps.startswith("flowc") else HEAD + indent(steps, "  ")
    file, _ = check_source(Source("x.flow.yaml", text))
    program = write_python(file, file.flows[0].name.text)
    names: dict[str, object] = {"__name__": "emitted"}
    exec(compile(program, "emitted.py", "exec"), names)
    name = file.flows[0].name.text
    made = asyncio.run((names.get(f"{name}_flow") or names[name])())
    assert made == value, program


LEFT_OUT = """\
  - id: a
    call: t.double(n)
    cache: {key: n, ttl: 7d}
    heartbeat: 5m
    retry: {max: 1, within: 1h}
  - lock: account
    key: n
    do:
      - do:
          - call: t.double(a)
            cache: true
        retry: {max: 1, within: 2h}
"""


def test_what_needs_a_store_is_left_out_and_said() -> None:
    file, _ = check_source(Source("x.flow.yaml", HEAD + LEFT_OUT))
    program = write_python(file, "main")
    compile(program, "x.py", "exec")
    said = [line.strip() for line in program.splitlines() if line.strip().startswith(("# Left", "# No"))]
    assert said == [
        "# Left out: the cache of n, by which runs take values over from each other.",
        '# Left out: a heartbeat every duration("5m"): nobody looks for it here.',
        '# Left out: the bound of duration("1h") over all attempts.',
        "# No other run is there to hold the lock account of n.",
        '# Left out: the bound of duration("2h") over all attempts.',
        "# Left out: the cache, by which runs take values over from each other.",
    ]
