"""`flowc schema`: what it prints is a schema, and what the commands print as JSON is as the schemas say."""

import json

import pytest
from jsonschema import Draft202012Validator

from flowc.cli.main import main
from flowc.schema.published import PUBLISHED

FLOW = """\
flowc: 1
events: {go: {type: int, external: true}}
flow: adds
inputs: {n: {type: int, default: 2}, bad: {type: bool, default: false}}
steps:
  - if: bad
    then:
      - fail: bad news
  - id: total
    value: sum(range(n))
  - return: total
---
flow: waits
steps:
  - wait: go
"""
SCHEMAS = [name for name in PUBLISHED if name != "openapi"]


@pytest.fixture
def flowc(tmp_path, monkeypatch, capsys):
    (tmp_path / "x.flow.yaml").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWC_STORE", raising=False)

    def call(*argv):
        capsys.readouterr()
        code = main(list(argv))
        return code, capsys.readouterr()

    return call


def assert_valid(flowc, name, shown):
    schema = json.loads(flowc("schema", name)[1].out)
    Draft202012Validator(schema).validate(json.loads(shown))


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema(flowc, name) -> None:
    code, said = flowc("schema", name)
    assert code == 0
    Draft202012Validator.check_schema(json.loads(said.out))
    assert "components" not in said.out


def test_flow_files_are_the_default(flowc) -> None:
    assert flowc("schema")[1].out == flowc("schema", "flow")[1].out
    assert json.loads(flowc("schema", "openapi")[1].out)["openapi"].startswith("3.1")


def test_names_are_listed_and_wrong_ones_told(flowc) -> None:
    assert [line.split()[0] for line in flowc("schema", "--list")[1].out.splitlines()] == list(PUBLISHED)
    code, said = flowc("schema", "finding")
    assert (code, said.out) == (2, "")
    assert "Did you mean `findings`?" in said.err


def test_findings_are_as_described(flowc, tmp_path) -> None:
    assert_valid(flowc, "findings", flowc("validate", "--format", "json", "x.flow.yaml")[1].out)
    (tmp_path / "y.flow.yaml").write_text("flowc: 1\nflow: f\nstep:\n  - if: items\n    then: [brek]\n")
    shown = flowc("validate", "--format", "json", "y.flow.yaml")[1].out
    assert len(json.loads(shown)["findings"]) >= 2
    assert_valid(flowc, "findings", shown)


def test_runs_are_as_described(flowc) -> None:
    run = ("run", "x.flow.yaml", "--executor", "local", "--json", "--quiet")
    good = flowc(*run, "--id", "good")[1].out
    bad = flowc(*run, "--id", "bad", "-i", "bad=true")[1].out
    assert [json.loads(good)["status"], json.loads(bad)["status"]] == ["succeeded", "failed"]
    for shown in (good, bad):
        assert_valid(flowc, "run", shown)
    flowc("run", "x.flow.yaml:waits", "--detach", "--id", "waits")
    for run_id in ("good", "bad", "waits"):
        assert_valid(flowc, "show", flowc("show", run_id, "--json")[1].out)
    listed = flowc("list", "--json")[1].out
    assert len(json.loads(listed)) == 3
    assert_valid(flowc, "list", listed)
