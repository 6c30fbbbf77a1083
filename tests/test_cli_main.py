"""The command's frame: dispatch, help, exit codes, streams, and what happens when we are at fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowc.cli import explain
from flowc.cli.main import COMMANDS, main

FLOWC = [sys.executable, "-m", "flowc"]


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]])
def test_the_overview_names_every_command(capsys, argv):
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(capsys, name):
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"example:\n  flowc {name}" in shown or f"| flowc {name}" in shown
    assert main(["help", name]) == 0
    assert capsys.readouterr().out == shown


def test_no_command_is_wrong_usage(capsys):
    assert main([]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "commands:" in streams.err


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("vaidate", "Did you mean `validate`?"),
        ("formatt", ""),
        ("frobnicate", ""),
        ("--verison", ""),
        ("paint", ""),
    ],
)
def test_an_unknown_command_is_wrong_usage(capsys, word, hint):
    assert main([word]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert f"error: `{word}` is not" in streams.err
    assert hint in streams.err
    assert "flowc --help" in streams.err


def test_an_unknown_option_is_wrong_usage_with_a_suggestion(capsys):
    assert main(["validate", "x.flow.yaml", "--fromat", "json"]) == 2
    assert (
        "`--fromat` is not an option of `flowc validate`. Did you mean `--format`?" in capsys.readouterr().err
    )
    assert main(["show", "a", "b"]) == 2
    assert "`b` is one argument too many." in capsys.readouterr().err
    assert main(["show"]) == 2
    assert "RUN" in capsys.readouterr().err
    assert main(["show", "--st", "x", "a"]) == 2, "options are not abbreviated"


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("flowc ")


def test_explain_lists_finds_and_suggests(capsys):
    assert main(["explain"]) == 0
    assert "\nF0201  " in capsys.readouterr().out
    assert main(["explain", "f0201"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("F0201: ")
    assert "\nBad:\n" in out
    assert "\nGood:\n" in out
    assert main(["explain", "F0021x"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "Did you mean `F0021`?" in streams.err
    assert main(["explain", "F0201", "--json"]) == 0
    assert capsys.readouterr().out.startswith('{\n  "code": "F0201"')


def test_a_fault_of_ours_leaves_its_traceback_in_a_file(capsys, monkeypatch):
    def broken(_given):
        raise KeyError("inside")

    monkeypatch.setattr(explain, "_find", broken)
    assert main(["explain", "F0201"]) == 70
    err = capsys.readouterr().err
    assert err.startswith("flowc: internal error: KeyError: 'inside'\n")
    assert "Traceback" not in err
    log = Path(err.strip().rpartition(" ")[2])
    assert "in broken" in log.read_text(encoding="utf-8")
    log.unlink()


def test_ctrl_c_ends_any_command_quietly(capsys, monkeypatch):
    def interrupted(_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "_find", interrupted)
    assert main(["explain", "F0201"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*FLOWC, "explain"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == b""


def test_results_are_printed_in_any_locale():
    command = [*FLOWC, "validate", "/no/such/ünï.flow.yaml"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("package", "argv"),
    [
        ("ray", ["run", "x.flow.yaml"]),
        ("sqlalchemy", ["list"]),
        ("msgpack", ["run", "x.flow.yaml", "--executor", "local"]),
        ("ray", ["resume", "x"]),
    ],
)
def test_a_missing_extra_names_the_way_out(tmp_path, package, argv):
    (tmp_path / "x.flow.yaml").write_text("flowc: 1\nflow: x\nresult: 1\n")
    code = (
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from flowc.cli.main import main\n"
        f"sys.exit(main({argv!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"The package `{package}` is not installed" in done.stderr
    assert 'pip install "flowc[ray]"' in done.stderr
    assert not (tmp_path / ".flowc").exists()
