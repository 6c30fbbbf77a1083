"""`flowc validate`: formats, exit codes, streams, and what it must not import."""

import io
import json
import os
import subprocess
import sys

import pytest

from flowc.cli.main import main

GOOD = """\
flowc: 1
use: {t: shop.etl}
flow: report
inputs: {day: date}
steps:
  - id: parts
    call: t.parts(day)
  - return: len(parts)
"""
BAD = GOOD.replace("len(parts)", "len(part)")
WARNS = GOOD + "  - call: t.more()\n"
HEAVY = ("ray", "lark", "jsonschema", "sqlalchemy", "msgpack", "cloudpickle", "numpy", "asyncio", "shop")
SLOW = ("dataclasses", "inspect", "pathlib", "shutil", "argparse", "gettext", "locale")
"""From the standard library, a millisecond or more each."""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.flow.yaml").write_text(GOOD)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def write(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.flow.yaml").write_text(text)


def test_a_good_file_prints_nothing_on_stdout(capsys):
    assert main(["validate", "good.flow.yaml"]) == 0
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == "No findings in 1 file.\n"


def test_findings_are_rendered_on_stdout_and_counted_on_stderr(tmp_path, capsys):
    write(tmp_path, bad=BAD, worse=BAD.replace("return", "retrun"))
    assert main(["validate", "."]) == 1
    streams = capsys.readouterr()
    assert "error[F0201]: `part` is not defined\n --> bad.flow.yaml:8:17\n" in streams.out
    assert "did you mean `parts`?" in streams.out
    assert "worse.flow.yaml:8" in streams.out
    assert "\x1b" not in streams.out
    assert streams.err.endswith("errors in 2 files\n")


def test_colour_is_forced_and_forbidden_by_the_environment(tmp_path, capsys, monkeypatch):
    write(tmp_path, bad=BAD)
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(["validate", "bad.flow.yaml"])
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    main(["validate", "bad.flow.yaml"])
    assert "\x1b[" not in capsys.readouterr().out


def test_concise_is_one_line_a_finding(tmp_path, capsys):
    write(tmp_path, bad=BAD)
    assert main(["validate", "bad.flow.yaml", "--format", "concise"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("bad.flow.yaml:8:17: error F0201: `part` is not defined")
    assert out.count("\n") == 1


def test_json_is_one_document_whatever_is_found(tmp_path, capsys):
    write(tmp_path, bad=BAD)
    assert main(["validate", "bad.flow.yaml", "good.flow.yaml", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["files"] == 2
    assert report["not_checked"] == ["signatures of callables"]
    [finding] = report["findings"]
    assert {"code": "F0201", "severity": "error", "file": "bad.flow.yaml"}.items() <= finding.items()
    assert (finding["line"], finding["column"], finding["end_line"], finding["end_column"]) == (8, 17, 8, 21)
    assert main(["validate", "good.flow.yaml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_github_gets_workflow_commands(tmp_path, capsys):
    write(tmp_path, bad=BAD)
    assert main(["validate", "bad.flow.yaml", "--format", "github"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "::error file=bad.flow.yaml,line=8,endLine=8,col=17,endColumn=21,title=F0201::`part`"
    )


def test_paths_alone_mean_what_they_mean_beside_the_defaults(tmp_path, capsys):
    write(tmp_path, bad=BAD)
    alone = main(["validate", "bad.flow.yaml", "good.flow.yaml"]), capsys.readouterr()
    defaults = ["--format", "text", "--level", "wiring", "--fail-on", "error", "--"]
    assert (main(["validate", *defaults, "bad.flow.yaml", "good.flow.yaml"]), capsys.readouterr()) == alone
    assert alone[0] == 1


def test_level_syntax_leaves_names_alone_and_says_so(tmp_path, capsys):
    write(tmp_path, bad=BAD)
    assert main(["validate", "bad.flow.yaml", "--level", "syntax", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["not_checked"] == [
        "names and graphs",
        "signatures of callables",
    ]


@pytest.mark.parametrize(
    ("fail_on", "with_error", "with_warning"), [("error", 1, 0), ("warning", 1, 1), ("never", 0, 0)]
)
def test_fail_on_says_which_findings_count(tmp_path, fail_on, with_error, with_warning):
    write(tmp_path, bad=BAD, warns=WARNS)
    assert main(["validate", "bad.flow.yaml", "--fail-on", fail_on]) == with_error
    assert main(["validate", "warns.flow.yaml", "--fail-on", fail_on]) == with_warning


def test_stdin_has_the_name_that_it_is_given(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["validate", "-", "--stdin-filename", "x.flow.yaml", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("x.flow.yaml:8:17: ")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["validate", "-", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("<stdin>:8:17: ")


@pytest.mark.parametrize(
    "argv",
    [
        ["missing.flow.yaml"],
        ["other_syntax.flow"],
        ["empty"],
        ["-", "good.flow.yaml"],
        ["good.flow.yaml", "--stdin-filename", "x"],
        ["good.flow.yaml", "--level", "types"],
        [],
    ],
)
def test_what_cannot_be_checked_is_wrong_usage(tmp_path, capsys, argv):
    (tmp_path / "empty").mkdir()
    assert main(["validate", *argv]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "Traceback" not in streams.err


def test_the_other_files_are_checked_when_one_cannot_be_read(tmp_path, capsys):
    write(tmp_path, bad=BAD)
    assert main(["validate", "missing.flow.yaml", "bad.flow.yaml"]) == 2
    streams = capsys.readouterr()
    assert "F0201" in streams.out
    assert "`missing.flow.yaml` cannot be read" in streams.err


def test_bytes_that_are_no_text_are_a_finding(tmp_path, capsys):
    (tmp_path / "junk.flow.yaml").write_bytes(b"\x00\xff\xfe" * 10)
    assert main(["validate", "junk.flow.yaml"]) == 1
    assert "F0001" in capsys.readouterr().out


def test_validate_imports_only_what_it_needs(tmp_path):
    """Not when all is well, nor when there is something to say."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "etl.py").write_text("raise SystemExit('imported')\n")
    write(tmp_path, bad=BAD)
    for file in ("good.flow.yaml", "bad.flow.yaml"):
        own = imported("-m", "flowc", "validate", file) - imported("-c", "pass")
        assert "flowc.read_yaml.read" in own
        assert not {name for name in own if name.partition(".")[0] in (*HEAVY, *SLOW)}


def imported(*words):
    """The modules that a Python process loads."""
    command = [sys.executable, "-X", "importtime", *words]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return {line.rpartition("|")[2].strip() for line in told.splitlines() if "|" in line}


def test_what_goes_on_for_ever_is_not_read_to_its_end(tmp_path, capsys):
    endless = tmp_path / "zero.flow.yaml"
    endless.symlink_to("/dev/zero")
    for command in ("validate", "fmt", "convert", "compile"):
        assert main([command, str(endless)]) != 0
        said = capsys.readouterr()
        assert "larger than 4 MiB" in said.out + said.err


def test_a_search_passes_by_what_is_no_file(tmp_path, capsys):
    (tmp_path / "zero.flow.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.flow")
    (tmp_path / "good.flow.yaml").write_text("flowc: 1\nflow: f\nsteps: []\n")
    assert main(["validate", str(tmp_path)]) == 0
    assert "in 1 file" in capsys.readouterr().err
