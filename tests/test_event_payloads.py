"""Payloads of events are held to the declared type where they are sent."""

from datetime import UTC, date, datetime

import pytest
from stories import story_of

from flowc.cli.main import main
from flowc.compile import compile_file
from flowrt.encoding.pack import decode_program, encode_program
from flowrt.errors import BadInput
from flowrt.inputs.payload import hold_payload
from flowrt.program import Wait
from flowrt.record import Emitted
from flowrt.serve.payloads import Waiter, check_payload, payload_types
from flowrt.type_ref import TypeRef

FLOW = """\
flowc: 1
use: {o: payload_orders}
events:
  approval: {key: str, type: o.Decision, external: true}
  count: {type: "list[int]", external: true}
  loose: {external: true}
flow: waits
steps:
  - {id: d, wait: approval, key: "'a'"}
  - {id: c, wait: count}
  - wait: loose
  - return: [d.approved, c]
"""
CLASSES = "from dataclasses import dataclass\n\n\n@dataclass\nclass Decision:\n    approved: bool\n"


@pytest.fixture
def compiled(tmp_path):
    (tmp_path / "x.flow.yaml").write_text(FLOW)
    (tmp_path / "payload_orders.py").write_text(CLASSES)
    return compile_file(tmp_path / "x.flow.yaml")


def test_the_program_knows_the_types_and_keeps_them(compiled) -> None:
    waits = [node.op for node in compiled.program.flows["waits"].body.nodes if isinstance(node.op, Wait)]
    assert [wait.type for wait in waits] == [
        TypeRef("payload_orders:Decision"),
        TypeRef("list", (TypeRef("int"),)),
        None,
    ]
    assert decode_program(encode_program(compiled.program)) == compiled.program


def test_a_payload_that_nobody_could_take_is_refused(compiled) -> None:
    waiter = Waiter(payload_types(compiled.program), lambda: compiled.python_path)
    check_payload("approval", {"approved": True}, [waiter])
    check_payload("loose", object(), [waiter])
    check_payload("unheard_of", 1, [waiter])
    check_payload("count", [1, 2.0], [waiter])
    with pytest.raises(BadInput, match=r"event `count` at `\[1\]`: expected int, got \"x\""):
        check_payload("count", [1, "x"], [waiter])
    with pytest.raises(BadInput, match=r"event `approval` at `\.approved`: expected bool"):
        check_payload("approval", {"approved": "yes"}, [waiter])
    nowhere = Waiter(payload_types(compiled.program), lambda: ())
    check_payload("count", [1], [waiter, nowhere])


def test_send_refuses_it_before_anything_is_stored(compiled, tmp_path, monkeypatch, capsys) -> None:
    assert compiled
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWC_STORE", raising=False)
    assert main(["run", "x.flow.yaml", "--detach", "--id", "r", "--quiet"]) == 0
    sent = ["send", "approval", "--key", "a", "--run", "r", "--data"]
    assert main([*sent, '{"approved": "yes"}']) == 2
    assert "Payload of the event `approval` at `.approved`: expected bool" in capsys.readouterr().err
    assert main([*sent, '{"approved": true}']) == 0
    assert "warning" not in capsys.readouterr().err
    assert main(["send", "aproval", "--run", "r"]) == 0
    assert "waits for the event `aproval`. Did you mean `approval`?" in capsys.readouterr().err
    assert main(["send", "count", "--data", '"x"']) == 0  # Nobody has said what it is.


EMITS = """
events:
  count: {type: "list[int] | None"}
  when: {type: date}
flow: f
inputs: {x: any}
steps:
  - emit: count
    with: ${{ x }}
  - return: 1
"""


def test_what_a_flow_emits_is_held_to_the_type_as_well() -> None:
    assert story_of(EMITS).play({"x": [1, 2]}).status == "succeeded"
    assert story_of(EMITS).play({"x": None}).status == "succeeded"
    for story in (story_of(EMITS), story_of(EMITS.replace("emit: count", "emit: when"))):
        result = story.play({"x": [1, "two"]})
        assert (result.status, result.failure.type, result.failure.step) == ("failed", "TypeError", "step#1")
        assert "Payload of the event `" in result.failure.message
        assert not any(isinstance(record, Emitted) for record in story.records())
    assert (
        story_of(EMITS.replace("emit: count", "emit: when")).play({"x": date(2026, 1, 2)}).status
        == "succeeded"
    )


def test_in_a_step_the_classes_of_a_type_stand_for_anything() -> None:
    ref = TypeRef("list", (TypeRef("payload_orders:Decision"),))
    hold_payload("approval", [{"approved": "yes"}, 3], ref)
    hold_payload("approval", 3, None)
    with pytest.raises(TypeError, match="expected list"):
        hold_payload("approval", {"approved": True}, ref)


def test_a_value_of_a_subclass_is_of_the_type() -> None:
    class Level(int):
        pass

    hold_payload("x", [Level(3)], TypeRef("list", (TypeRef("int"),)))
    for wrong, name in ((True, "int"), (datetime(2026, 1, 2, tzinfo=UTC), "date")):
        with pytest.raises(TypeError, match="expected"):
            hold_payload("x", wrong, TypeRef(name))
