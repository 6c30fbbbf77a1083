"""Inputs of a run. In: a flow and JSON-shaped values by name. Out: Python values of the declared types.

All problems are found before one exception tells them, each with the input's name, what was expected
and what came. An input that is left out and has a default stays out: the runtime fills it in, so that
a run's recorded inputs are what its author gave.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from flowrt.errors import BadInput
from flowrt.expr.evaluate import evaluate
from flowrt.inputs.checked import refused
from flowrt.inputs.convert import Problem, convert, name_of, told
from flowrt.inputs.input_types import hint_of
from flowrt.program import Flow
from flowrt.type_ref import Input


def convert_inputs(flow: Flow, given: Mapping[str, object], python_path: Sequence[str]) -> dict[str, object]:
    """Convert what was given to the declared types of the flow's inputs.

    Args:
        flow: the flow that is to run.
        given: JSON-shaped values, or values that are of the declared types already.
        python_path: the folders to import the classes of declared types from.

    Raises:
        BadInput: an input is unknown, missing or of the wrong type; the message has a line for each.
    """
    declared = {one.name: one for one in flow.inputs}
    problems = [_unknown(flow, name) for name in given if name not in declared]
    converted: dict[str, object] = {}
    for name, one in declared.items():
        if name in given:
            converted[name] = _convert(one, given[name], python_path, problems)
        elif one.default is None:
            doc = f" ({one.doc.strip()})" if one.doc.strip() else ""
            problems.append(f"Input `{name}`{doc} is missing; expected {_type_name(one, python_path)}.")
    if problems:
        raise BadInput("\n".join(problems))
    return converted


def _convert(one: Input, value: object, python_path: Sequence[str], problems: list[str]) -> object:
    found: list[Problem] = []
    hint = hint_of(one.type, python_path)
    result = convert(value, hint, (), found)
    found = found or refused(value, hint)
    problems.extend(
        f"Input `{one.name}{problem.place}`: expected {problem.expected}, got {problem.got}."
        for problem in found
    )
    if not found:
        problems.extend(_out_of_bounds(one, result))
    return result


def _out_of_bounds(one: Input, value: object) -> list[str]:
    """What `min`, `max` and `choices` say against a value."""
    said: list[str] = []
    if one.choices is not None:
        choices = cast("Sequence[object]", evaluate(one.choices, {}))
        if value not in choices:
            listed = ", ".join(told(choice) for choice in choices)
            said.append(f"Input `{one.name}`: expected one of {listed}, got {told(value)}.")
    for bound, word, beyond in ((one.minimum, "at least", _less), (one.maximum, "at most", _greater)):
        if bound is None or value is None:
            continue
        limit = evaluate(bound, {})
        try:
            if beyond(value, limit):
                said.append(f"Input `{one.name}`: expected {word} {told(limit)}, got {told(value)}.")
        except TypeError:
            said.append(f"Input `{one.name}`: {told(value)} cannot be compared with its bound {told(limit)}.")
    return said


def _less(value: Any, limit: Any) -> bool:  # noqa: ANN401 - whether they can be compared is the question
    return bool(value < limit)


def _greater(value: Any, limit: Any) -> bool:  # noqa: ANN401
    return bool(value > limit)


def _unknown(flow: Flow, name: str) -> str:
    names = [one.name for one in flow.inputs]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Flow `{flow.name}` has no input `{name}`. Did you mean `{near[0]}`?"
    has = "its inputs are " + ", ".join(f"`{one}`" for one in names) if names else "it has none"
    return f"Flow `{flow.name}` has no input `{name}`; {has}."


def _type_name(one: Input, python_path: Sequence[str]) -> str:
    return name_of(hint_of(one.type, python_path))
