"""Journals of earlier versions fold to the same states and commands for ever."""

import pytest
from journals import JOURNALS, read, written

from flowrt.core.state import State
from flowrt.encoding.pack import decode_program, decode_record, encode_program, encode_record
from flowrt.record import Reopened

FILES = sorted(path.name for path in JOURNALS.glob("*.journal"))


def test_there_are_journals() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("name", FILES)
def test_each_record_gives_the_commands_that_it_gave(name: str) -> None:
    text = (JOURNALS / name).read_text()
    assert written(*read(text)).splitlines() == text.splitlines()


@pytest.mark.parametrize("name", FILES)
def test_program_and_records_are_written_as_they_were(name: str) -> None:
    program, records = read((JOURNALS / name).read_text())
    assert encode_program(decode_program(program)) == program
    assert [encode_record(decode_record(data)) for data in records] == records


@pytest.mark.parametrize("name", FILES)
def test_a_fold_in_one_go_gives_everything_that_is_still_to_do(name: str) -> None:
    program, records = read((JOURNALS / name).read_text())
    decoded = [decode_record(data) for data in records]
    voided = {seq for record in decoded if isinstance(record, Reopened) for seq in record.voided}
    state = State(decode_program(program))
    for seq, record in enumerate(decoded):
        if seq not in voided:
            state.apply(record, seq)
    assert (state.ended is None) == (name == "suspended.journal")
    to_do = {command.step: command for command in state.take()}
    assert to_do == {command.step: command for command in state.open_commands}
    assert bool(to_do) == (state.ended is None)
