"""A JSON value and a type come in; whether the JSON Schema of the type refuses it goes out, with the reasons.

What is no JSON (a date that a Python program gives as one) is not looked at, and neither is a large value:
`jsonschema` takes ten microseconds for each element, `flowrt.inputs.convert` less than one, and it finds the
same. So this is a second opinion by other people's code, for what arrives from outside; messages are those of
`convert` where it has any.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol, cast

from flowrt.inputs.convert import Problem, told
from flowrt.inputs.json_schema import SchemaMaker

ELEMENTS_LIMIT = 10_000
DEPTH_LIMIT = 50
PROBLEMS_LIMIT = 20
SHOWN = 200


class _Error(Protocol):
    """What is used of a finding of `jsonschema`."""

    message: str
    instance: object
    absolute_path: Iterable[str | int]


class _Validator(Protocol):
    """What is used of a validator of `jsonschema`."""

    def iter_errors(self, instance: object) -> Iterable[_Error]:
        """What is wrong with a value."""
        ...


def refused(value: object, hint: object) -> list[Problem]:
    """What the schema of a type says against a value."""
    if hint is object or not _is_small_json(value):
        return []
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 0.2 s that a flow without inputs saves

    make = cast("Callable[[object], _Validator]", Draft202012Validator)
    find = make(SchemaMaker(foreign=False).whole(hint)).iter_errors
    return [
        Problem(
            _place(error.absolute_path),
            f"what its schema allows ({error.message[:SHOWN]})",
            told(error.instance),
        )
        for error in islice(find(value), PROBLEMS_LIMIT)
    ]


def _place(path: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _is_small_json(value: object) -> bool:
    """Whether a value is what JSON can write, of a size and depth that may be looked at twice."""
    count = 0
    level = [value]
    for _ in range(DEPTH_LIMIT):
        below: list[object] = []
        for one in level:
            if type(one) is list:
                below += cast("list[object]", one)
            elif type(one) is dict:
                entries = cast("dict[object, object]", one)
                if not all(type(key) is str for key in entries):
                    return False
                below += entries.values()
            elif one is not None and type(one) not in (bool, int, float, str):
                return False
        count += len(below)
        if count > ELEMENTS_LIMIT:
            return False
        if not below:
            return True
        level = below
    return False
