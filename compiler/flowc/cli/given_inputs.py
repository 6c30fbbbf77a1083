"""Inputs from the command line. In: `-i NAME=VALUE` and `--inputs FILE|-`. Out: JSON-shaped values by name.

What `-i` means depends on the declared type, because nobody wants to quote a text twice: the value of a
text input is the text itself, that of any other is JSON when it is JSON, and else text, which is how
dates, durations and members of enums are written. A bool may be `1` or `0` too.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from flowc.cli.exits import UsageError
from flowrt.errors import BadInput
from flowrt.inputs.strict_json import BadNumber, load_json
from flowrt.program import Flow
from flowrt.type_ref import TypeRef

BOOLS: Mapping[str, bool] = {"1": True, "0": False, "True": True, "False": False}


def read_given(flow: Flow, assignments: Sequence[str], file: str | None) -> dict[str, object]:
    """All given inputs; an assignment wins over the file."""
    given = {} if file is None else _read_file(file)
    types = {one.name: one.type for one in flow.inputs}
    seen: set[str] = set()
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"`-i {assignment}` is not an assignment; write `-i NAME=VALUE`.")
        if name in seen:
            raise UsageError(f"Input `{name}` is given twice on the command line.")
        seen.add(name)
        try:
            given[name] = read_value(text, types.get(name))
        except ValueError as error:
            raise BadInput(f"Input `{name}` is not JSON: {error}.") from error
    return given


def read_value(text: str, type_: TypeRef | None) -> object:
    """The value of one assignment; the type is None for an unknown input, which is reported later.

    Raises:
        ValueError: It can only be meant as JSON, and is none.
    """
    match type_:
        case TypeRef("str"):
            return text
        case TypeRef("bool") if text in BOOLS:
            return BOOLS[text]
        case TypeRef("|", members):
            return _read_union(text, members)
        case TypeRef("list" | "dict" | "set" | "tuple"):
            return _json(text)
        case _:
            return _json_or_text(text)


def _read_union(text: str, members: Sequence[TypeRef]) -> object:
    """A union with text in it takes JSON only for what text is not meant to be."""
    names = {member.name for member in members}
    if "bool" in names and text in ("True", "False"):
        return BOOLS[text]
    value = _json_or_text(text)
    if "str" not in names or (value is None and "None" in names):
        return value
    fits: dict[type, bool] = {
        bool: "bool" in names,
        int: bool({"int", "float"} & names),
        float: "float" in names,
        list: bool({"list", "set", "tuple"} & names),
        dict: any(name == "dict" or ":" in name for name in names),
    }
    return value if fits.get(type(value), False) else text


def _json_or_text(text: str) -> object:
    try:
        return load_json(text)
    except BadNumber:
        raise
    except (ValueError, RecursionError):
        return text


def _json(text: str) -> object:
    try:
        return load_json(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _read_file(file: str) -> dict[str, object]:
    where = "stdin" if file == "-" else f"the file `{file}`"
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        value = load_json(data.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"The inputs cannot be read from {where}: {error.strerror}.") from error
    except RecursionError as error:
        raise BadInput(f"The inputs in {where} are nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"The inputs in {where} are not UTF-8: byte {error.start} cannot be read.") from error
    except ValueError as error:
        raise BadInput(f"The inputs in {where} are not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadInput(f'The inputs in {where} must be one JSON object, such as {{"day": "2026-01-01"}}.')
    return cast("dict[str, object]", value)
