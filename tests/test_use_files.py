"""Flow files that use others: read once, checked where they are wrong, run as one program."""

import os
from pathlib import Path

import pytest

from flowc.cli.main import main
from flowc.compile import InvalidFlow, compile_file
from flowc.link import BYTES_MAX, DEPTH_MAX, Library
from flowc.linked import every_file
from flowc.write.program import write_text
from flowrt.encoding.pack import encode_program

MAIN = """\
flowc: 1
use: {c: ./lib/common.flow.yaml, again: ./lib/../lib/common.flow.yaml, o: ./other.flow}
flow: main
inputs: {n: int}
steps:
  - id: a
    call: c.double(n)
  - id: b
    value: again.double(a) + o.double(n)
  - return: c.double(b)
---
flow: double
steps:
  - return: 1
"""
COMMON = """\
flowc: 1
use: {h: helpers}
flow: double
inputs: {x: int}
returns: int
steps:
  - return: h.twice(x)
---
flow: never_called
steps:
  - call: double(1)
"""
OTHER = """\
use ./lib/common.flow.yaml as c

flow double(x: int) -> int:
    y = c.double(x)
    return y + 100
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def project(tmp_path):
    files = {"main.flow.yaml": MAIN, "lib/common.flow.yaml": COMMON, "other.flow": OTHER}
    return write(tmp_path, {**files, "lib/helpers.py": "def twice(x):\n    return 2 * x\n"})


def chain(length: int) -> dict[str, bytes]:
    """Files of which each uses the next."""
    last = "flowc: 1\nflow: f\nresult: 1\n"
    uses = "flowc: 1\nuse: {{n: ./{}.flow.yaml}}\nflow: f\nresult: n.f()\n"
    files = {f"{i}.flow.yaml": uses.format(i + 1).encode() for i in range(length)}
    return {**files, f"{length}.flow.yaml": last.encode()}


def found_in(files: dict[str, bytes], name: str) -> list[str]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    linked = Library(read).link(name, files[name])
    return [f"{each.source.name}: {each.code}" for one in every_file(linked) for each in one.found]


def test_flows_of_all_files_are_one_program_under_their_own_names(project):
    compiled = compile_file(project / "main.flow.yaml")
    assert list(compiled.program.flows) == ["main", "lib/common.flow.yaml:double", "other.flow:double"]
    assert compiled.program.main == "main"
    shown = write_text(compiled.program)
    assert "a = call lib/common.flow.yaml:double(x=n)" in shown
    assert "go on as lib/common.flow.yaml:double(x=b)" in shown


def test_identity_depends_neither_on_the_place_nor_on_the_alias(project, tmp_path, monkeypatch):
    program = encode_program(compile_file(project / "main.flow.yaml").program)
    monkeypatch.chdir(project / "lib")
    assert encode_program(compile_file("../main.flow.yaml").program) == program
    copy = tmp_path / "elsewhere"
    for name in ("main.flow.yaml", "lib/common.flow.yaml", "other.flow"):
        write(copy, {name: (project / name).read_text().replace("again", "second")})
    assert encode_program(compile_file(copy / "main.flow.yaml").program) == program


def test_callables_of_a_used_file_are_found_beside_it(project, monkeypatch):
    monkeypatch.chdir("/")
    found = compile_file(project / "main.flow.yaml").python_path
    assert found == (str(project), str(project / "lib"), "/")
    assert compile_file(project / "main.flow.yaml", python_path=["x"]).python_path == ("x",)


def test_runs_and_shows(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    assert main(["run", "--executor", "local", "main.flow.yaml", "-i", "n=3", "--id", "r"]) == 0
    assert capsys.readouterr().out.strip() == str(((3 * 2) * 2 + 3 * 2 + 100) * 2)
    for name in ("main.flow.yaml", "lib/common.flow.yaml", "other.flow"):
        (project / name).unlink()
    for command in (["why", "r", "a.step#1"], ["show", "r"], ["graph", "--run", "r"]):
        assert main(command) == 0
    assert "lib/common.flow.yaml:double" in capsys.readouterr().out


def test_becomes_one_python_program(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    assert main(["compile", "main.flow.yaml", "--emit", "python"]) == 0
    text = capsys.readouterr().out
    assert "import helpers as h" in text
    assert [line for line in text.splitlines() if line.startswith("async def ")][-3:] == [
        "async def main_flow(n: int):",
        "async def c_double(x: int):",
        "async def o_double(x: int):",
    ]


def test_every_file_is_read_and_reported_once():
    reads: list[str] = []
    files = {
        "a.flow.yaml": b"flowc: 1\nuse: {b: ./b.flow.yaml, c: ./c.flow.yaml}\nflow: a\nresult: b.b()\n",
        "b.flow.yaml": b"flowc: 1\nuse: {c: ./c.flow.yaml}\nflow: b\nresult: c.c()\n",
        "c.flow.yaml": b"flowc: 1\nflow: c\nresult: nothing\n",
    }

    def read(path: str) -> bytes:
        reads.append(path)
        return files[path]

    library = Library(read)
    linked = [library.link(name, data) for name, data in files.items()]
    assert reads == ["b.flow.yaml", "c.flow.yaml"]
    found = {f"{each.source.name}: {each.code}" for one in linked for each in one.found}
    assert found == {"a.flow.yaml: F0130", "b.flow.yaml: F0130", "c.flow.yaml: F0201"}
    assert linked[2] is linked[0].used["c"]


def test_validate_tells_of_used_files_once(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    write(project, {"lib/common.flow.yaml": COMMON.replace("twice(x)", "twice(y)")})
    assert main(["validate", "--format", "concise", "main.flow.yaml", "other.flow"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "lib/common.flow.yaml:7:21",
        "main.flow.yaml:2:10",
        "main.flow.yaml:2:41",
        "other.flow:1:5",
    ]
    assert main(["validate", "."]) == 1
    assert capsys.readouterr().out.count("`y` is not defined") == 1
    with pytest.raises(InvalidFlow, match="`y` is not defined"):
        compile_file("main.flow.yaml")


def test_stdin_uses_files_beside_the_name_it_is_given(project, monkeypatch, capsys):
    monkeypatch.chdir("/")
    for given, code in ((str(project / "new.flow.yaml"), 0), ("/nowhere/new.flow.yaml", 1)):
        with (project / "main.flow.yaml").open("rb") as file:
            monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": file}))
            assert main(["validate", "-", "--stdin-filename", given]) == code
    assert "does not exist" in capsys.readouterr().out


def test_circles_are_shown_from_any_side():
    use = "flowc: 1\nuse: {{n: ./{0}.flow.yaml}}\nflow: f\nresult: n.f()\n"
    files = {f"{a}.flow.yaml": use.format(b).encode() for a, b in (("a", "b"), ("b", "c"), ("c", "b"))}
    assert found_in(files, "a.flow.yaml") == ["c.flow.yaml: F0131"]
    assert found_in(files, "b.flow.yaml") == ["c.flow.yaml: F0131"]
    assert found_in(files, "c.flow.yaml") == ["b.flow.yaml: F0131"]


def test_chains_have_a_bound():
    assert found_in(chain(DEPTH_MAX - 1), "0.flow.yaml") == []
    assert found_in(chain(DEPTH_MAX), "0.flow.yaml") == [f"{DEPTH_MAX - 1}.flow.yaml: F0130"]


def test_too_much_is_refused():
    big = b"flowc: 1\nflow: f\nresult: 1\n" + b"#" * BYTES_MAX
    files = {"big.flow.yaml": big, "small.flow.yaml": b"flowc: 1\nflow: f\nresult: 1\n"}
    files["a.flow.yaml"] = (
        b"flowc: 1\nuse: {b: ./big.flow.yaml, s: ./small.flow.yaml}\nflow: a\nresult: s.f()\n"
    )
    assert found_in(files, "a.flow.yaml")[:2] == ["a.flow.yaml: F0130", "a.flow.yaml: F0130"]


@pytest.mark.parametrize("what", ["pipe", "null"])
def test_what_is_no_file_is_not_waited_for(tmp_path, what):
    os.mkfifo(tmp_path / "pipe.flow")
    path = {"pipe": "./pipe.flow", "null": '"./a\\0b.flow"'}[what]
    write(tmp_path, {"a.flow.yaml": f"flowc: 1\nuse: {{p: {path}}}\nflow: a\nresult: p.f()\n"})
    with pytest.raises(InvalidFlow) as caught:
        compile_file(tmp_path / "a.flow.yaml")
    assert [each.code for each in caught.value.diagnostics] == ["F0130"]
