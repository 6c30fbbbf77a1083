"""A run and its code: gone on with elsewhere, mended, and refused where it was not at home."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cloudpickle
import msgpack
import pytest
from ray_cluster import ray_cluster

from flowc.cli.main import main
from flowc.compile import compile_file
from flowrt.encoding.values import Values
from flowrt.engine.called import modules_of
from flowrt.engine.drive import start
from flowrt.executor.callee import load
from flowrt.executor.local import LocalExecutor
from flowrt.executor.port import Attempt, AttemptKey, Returned, RunFacts
from flowrt.executor.ray import RayExecutor
from flowrt.program import Body, Flow, Imported, Node, Pickled, Program, Task
from flowrt.snapshot import versions
from flowrt.snapshot.cache import code_folders
from flowrt.snapshot.imports import distributions
from flowrt.snapshot.pack import Packed, pack
from flowrt.store.blobs import LocalBlobs
from flowrt.store.open import open_store

FLOW = """\
flowc: 1
use: {t: shop.tasks}
flow: x
steps:
  - id: first
    call: t.first()
  - if: first.total > 0
    then:
      - id: second
        call: t.second(first)
    else:
      - id: second
        value: None
  - return: second
"""
TASKS = """
import os, signal
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

@dataclass
class Order:
    total: int

def first():
    return Order(int((HERE / "data.txt").read_text()))

def second(order):
    from shop.late import answer
    return answer(order)
"""
WORKS = "def answer(order):\n    return f'{order.total} of {type(order).__module__}'\n"
FAILS = "def answer(order):\n    raise ValueError('not mended')\n"
DIES_ONCE = """
import os, signal
def answer(order):
    mark = os.environ["MARK"]
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{order.total} of {type(order).__module__}"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "x.flow.yaml").write_text(FLOW)
    (root / "shop" / "tasks.py").write_text(TASKS)
    (root / "shop" / "data.txt").write_text("41")
    (root / "shop" / ".env").write_text("S3CRET")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("FLOWC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    return root


def late(project: Path, text: str) -> None:
    (project / "shop" / "late.py").write_text(text)


def flowc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowc", *words]
    if words[0] in ("run", "resume"):
        command += ["--executor", "local"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def row():
    store, _ = open_store(os.environ["FLOWC_STORE"], create=False)
    try:
        return store.run("r")
    finally:
        store.close()


def begun(project: Path, **recorded: str) -> None:
    """A run that was started in another environment, and has not come far."""
    late(project, WORKS)
    compiled = compile_file(project / "x.flow.yaml", None, [str(project)])
    packed = pack(compiled.python_path)
    assert isinstance(packed, Packed)
    store, blobs = open_store(os.environ["FLOWC_STORE"])
    try:
        start(
            store,
            blobs,
            compiled.program,
            {},
            run_id="r",
            labels={},
            python_path=compiled.python_path,
            snapshot=blobs.put([packed.data])[0],
            versions={**versions.versions_here((), ()), **recorded},
        )
    finally:
        store.close()


def asked(*words: str) -> int:
    """A command in this process."""
    return main([*words, *(["--executor", "local"] if words[0] in ("run", "resume") else [])])


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return flowc(project, "run", "x.flow.yaml", "--id", "r", *words)


# Elsewhere


def test_a_run_goes_on_without_its_submitters_folder(project):
    late(project, DIES_ONCE)
    died = run(project)
    assert died.returncode == -signal.SIGKILL
    assert "code: 4 files, " in died.stderr
    elsewhere = project.parent / "elsewhere"
    shutil.rmtree(project)
    done = flowc(elsewhere, "resume", "r")
    assert (done.returncode, done.stdout) == (0, "41 of shop.tasks\n"), done.stderr
    assert done.stderr == ""
    order = flowc(elsewhere, "output", "r", "--step", "first")
    assert json.loads(order.stdout)["repr"] == "Order(total=41)", "its class comes out of the snapshot"


def test_what_was_changed_meanwhile_does_not_count(project):
    late(project, DIES_ONCE)
    run(project)
    late(project, FAILS)
    assert flowc(project, "resume", "r").stdout == "41 of shop.tasks\n"


def test_what_was_packed_is_told(project):
    late(project, WORKS)
    told = run(project, "-v").stderr.splitlines()
    assert any(line.startswith(f"  {project}/shop/late.py (") for line in told)
    assert f"  left out: {project}/shop/.env (it may hold secrets)" in told
    assert "code:" not in flowc(project, "run", "x.flow.yaml", "--quiet").stderr
    late(project, FAILS)
    ended = run(project)
    assert (ended.returncode, ended.stdout) == (0, "41 of shop.tasks\n")
    assert "Run r has ended already; nothing of it runs again." in ended.stderr
    assert "code:" not in ended.stderr


def test_a_run_that_has_not_ended_goes_on_with_the_code_that_was_packed(project):
    late(project, DIES_ONCE)
    assert run(project).returncode != 0
    late(project, FAILS)
    attached = run(project)
    assert attached.returncode == 0, attached.stderr
    assert (
        "code: run r exists, and goes on with the code that was packed when it was started" in attached.stderr
    )


def test_a_home_is_not_packed_and_what_that_means_is_told(project, monkeypatch):
    late(project, WORKS)
    monkeypatch.setenv("HOME", str(project))
    told = run(project)
    assert (told.returncode, told.stdout) == (0, "41 of shop.tasks\n")
    assert "code: not packed: " in told.stderr
    assert f"can go on only where {project} can be read" in told.stderr
    assert row().snapshot is None


def test_a_run_without_its_code_is_refused_by_name(project, monkeypatch):
    late(project, DIES_ONCE)
    with monkeypatch.context() as patch:
        patch.setenv("HOME", str(project))
        run(project)
    project.rename(project.parent / "moved")
    refused = flowc(project.parent / "elsewhere", "resume", "r")
    assert refused.returncode == 2
    assert f"its code was not packed when it was started, and {project} is not here" in refused.stderr


# Failures


def test_a_failure_names_the_authors_file_though_it_ran_from_the_cache(project):
    late(project, DIES_ONCE.replace("return f", "raise ValueError('oh')  # f"))
    run(project)
    shutil.rmtree(project)
    failed = flowc(project.parent / "elsewhere", "resume", "r")
    assert failed.returncode == 1
    assert f'File "{project}/shop/late.py", line 8' in failed.stderr
    assert "raise ValueError('oh')" in failed.stderr
    assert str(project.parent / "cache") not in failed.stderr


def test_a_file_that_was_left_out_is_explained(project):
    late(
        project, DIES_ONCE.replace("return f", "return open(__file__.replace('late.py', '.env')).read()  # f")
    )
    run(project)
    failed = flowc(project, "resume", "r")
    assert failed.returncode == 1
    assert "the packed code has no such file" in failed.stderr
    assert "flowc run --verbose" in failed.stderr


# Mended


def test_a_failed_run_takes_the_code_that_was_mended(project):
    late(project, FAILS)
    assert run(project).returncode == 1
    before = row().snapshot
    late(project, WORKS)
    as_it_was = flowc(project, "resume", "r", "--failed", "--recorded-code")
    assert as_it_was.returncode == 1
    assert "not mended" in as_it_was.stderr
    assert row().snapshot == before
    mended = flowc(project, "resume", "r", "--failed")
    assert (mended.returncode, mended.stdout) == (0, "41 of shop.tasks\n")
    assert "code: packed anew, 1 file changed: shop/late.py\n" in mended.stderr
    assert row().snapshot != before


def test_mended_code_stays_with_the_run_when_it_moves(project):
    late(project, FAILS)
    run(project)
    late(project, DIES_ONCE)
    assert flowc(project, "resume", "r", "--failed").returncode == -signal.SIGKILL
    shutil.rmtree(project)
    assert flowc(project.parent / "elsewhere", "resume", "r").stdout == "41 of shop.tasks\n"


def test_another_project_in_the_same_place_is_not_taken_for_the_code(project):
    late(project, FAILS)
    run(project)
    before = row().snapshot
    shutil.rmtree(project)
    (project / "other").mkdir(parents=True)
    (project / "other" / "m.py").write_text("")
    again = flowc(project.parent / "elsewhere", "resume", "r", "--failed")
    assert again.returncode == 1
    assert f"({project} holds something else here)" in again.stderr
    assert row().snapshot == before


def test_a_failed_run_goes_on_with_its_code_where_its_folders_are_not(project):
    late(project, DIES_ONCE.replace("os.kill(os.getpid(), signal.SIGKILL)", "raise OSError('no network')"))
    assert run(project).returncode == 1
    shutil.rmtree(project)
    assert flowc(project.parent / "elsewhere", "resume", "r", "--failed").stdout == "41 of shop.tasks\n"


# Versions


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ({"python": "3.9.2"}, "it was started with Python 3.9.2 and this is 3."),
        ({"ray": "2.999.0"}, "it was started with Ray 2.999.0 and this is 2."),
        ({"ray": "1.13.0"}, "it was started with Ray 1.13.0 and this is 2."),
        ({"no-such-package": "4.5"}, "the package no-such-package (then 4.5) is not installed here"),
    ],
)
def test_another_environment_is_refused_before_anything_is_done(project, recorded, said, capsys):
    begun(project, **recorded)
    before = row()
    for words in (("resume", "r"), ("resume", "--all"), ("run", str(project / "x.flow.yaml"), "--id", "r")):
        assert asked(*words) == 2, words
        told = capsys.readouterr().err
        assert said in told
        assert "flowc resume r --any-version" in told
        assert row() == before


def test_all_that_is_amiss_is_named_at_once_and_can_be_overruled(project, capsys):
    begun(project, python="3.9.2", **{"no-such-package": "4.5"})
    assert asked("resume", "r") == 2
    told = capsys.readouterr().err
    assert "3.9.2" in told
    assert "no-such-package" in told
    assert flowc(project, "resume", "r", "--any-version").stdout == "41 of shop.tasks\n"


def test_a_newer_ray_and_another_version_of_a_package_will_do(project):
    begun(project, ray="2.1.0", msgpack="0.1")
    done = flowc(project, "resume", "r")
    assert done.returncode == 0
    assert "note: run r was started with other versions: msgpack 0.1 then, " in done.stderr


def test_a_run_of_another_environment_can_be_cancelled_and_looked_at(project):
    begun(project, python="3.9.2")
    assert asked("show", "r") == 0
    assert asked("cancel", "r") == 0
    assert row().status == "cancelled"


def test_versions_are_those_of_what_the_code_needs(tmp_path):
    (tmp_path / "a.py").write_text(
        "import os, b.c\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import pytest\n"
        "try:\n    import hypothesis\nexcept ImportError:\n    hypothesis = None\n"
        "def f():\n    import yaml.nodes\n"
    )
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "__init__.py").write_text("")
    (tmp_path / "b" / "c.py").write_text("from . import d\nimport nobody_has_this\n")
    (tmp_path / "b" / "d.py").write_text("import msgpack\n'import click'\n")
    (tmp_path / "unused.py").write_text("import sqlalchemy\n")
    assert set(distributions({"a"}, [str(tmp_path)])) == {"PyYAML", "msgpack"}
    assert versions.versions_here({"a"}, [str(tmp_path)]).keys() == {
        "PyYAML", "msgpack", "python", "flowc", "ray",
    }  # fmt: skip


def test_the_modules_of_pickled_code_are_known():
    def packed(value):
        return msgpack.packb(value)

    code = cloudpickle.dumps(packed)
    program = Program({"f": Flow("f", Body((Node("n", Task(Pickled("d", "packed"))),)))}, "f", {"d": code})
    assert "msgpack" in modules_of(program)


# Two versions of one module


def version_of(tmp_path: Path, number: int) -> tuple[list[str], str, LocalBlobs]:
    folder = tmp_path / "project"
    (folder / "shop_twice").mkdir(parents=True, exist_ok=True)
    (folder / "shop_twice" / "__init__.py").write_text("")
    (folder / "shop_twice" / "inner.py").write_text(f"number = {number}\n")
    (folder / "shop_twice" / "tasks.py").write_text(
        "from shop_twice import inner\ncalls = []\n"
        "def tell():\n    import shop_twice.inner as late\n    calls.append(1)\n"
        "    return [inner.number, late.number, len(calls)]\n"
    )
    packed = pack([str(folder)])
    assert isinstance(packed, Packed)
    blobs = LocalBlobs(tmp_path / "blobs")
    return [str(folder)], blobs.put([packed.data])[0], blobs


def told_by(executor, tmp_path: Path) -> list[object]:
    """What two versions of a module tell, in turns, when one executor runs both."""
    path, first, blobs = version_of(tmp_path, 1)
    _, second, _ = version_of(tmp_path, 2)
    shutil.rmtree(tmp_path / "project")
    got: dict[AttemptKey, object] = {}
    arrived = threading.Semaphore(0)

    def report(key, outcome):
        got[key] = outcome
        arrived.release()

    executor.start(report, blobs)
    values = Values(blobs)
    told = []
    try:
        for number, snapshot in enumerate((first, second, first, second)):
            key = AttemptKey(f"r{number}", "s", 1)
            facts = RunFacts(key.run_id, "f", 0, {}, 1, path, snapshot)
            executor.submit([Attempt(key, Task(Imported("shop_twice.tasks:tell")), {}, facts, {})])
            assert arrived.acquire(timeout=60)
            outcome = got[key]
            assert isinstance(outcome, Returned), outcome
            told.append(values.load(outcome.value)[:2])
    finally:
        executor.close()
    return told


def test_one_process_serves_two_versions_of_a_module(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert told_by(LocalExecutor(threads=1), tmp_path) == [[1, 1], [2, 2], [1, 1], [2, 2]]


@pytest.mark.ray
def test_one_ray_serves_two_versions_of_a_module(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWC_CACHE", str(tmp_path / "cache"))
    with ray_cluster():
        assert told_by(RayExecutor(), tmp_path) == [[1, 1], [2, 2], [1, 1], [2, 2]]


def test_a_module_that_the_process_had_imported_stays_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    path, snapshot, blobs = version_of(tmp_path, 7)
    folders = code_folders(path, snapshot, blobs)
    json_before, tests_before = sys.modules["json"], sys.modules[__name__]
    assert load(Imported("shop_twice.tasks:tell"), None, folders, snapshot)()[:2] == [7, 7]
    load(Imported("json:dumps"), None, [str(tmp_path / "elsewhere")], None)
    assert "shop_twice" not in sys.modules
    assert sys.modules["json"] is json_before
    assert sys.modules[__name__] is tests_before
    assert load(Imported("shop_twice.tasks:tell"), None, folders, snapshot)()[2] == 2, "it kept its state"


# The whole of it, on Ray


@pytest.mark.ray
@pytest.mark.slow
def test_another_cluster_with_the_store_alone_finishes_the_run():
    campaign = Path(__file__).parent / "anywhere" / "campaign.py"
    done = subprocess.run(
        [sys.executable, str(campaign), "--times", "3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-2000:]}"
    assert "3 trials, 0 with violations" in done.stdout
