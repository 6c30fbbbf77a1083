"""What a step asks of Ray: the options of the language go in, Ray's own options come out.

Names and meanings are Ray's; Ray itself judges the values. Only three things are ours: sizes may be text
such as `4GiB`, `isolated` means that the step shares its worker call with no other step, and what flowrt
decides itself (retries, the number of results) is refused with the way out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flowrt.expr.durations import parse_size

_OURS = {
    "max_retries": "write `retry` at the step",
    "retry_exceptions": "write `retry: {catch: […]}` at the step",
    "num_returns": "return a tuple or a dict and take it apart in a later step",
    "name": "the step's id names it",
}
_SIZES = ("memory", "object_store_memory")


class BadOption(ValueError):
    """An option that cannot be given to Ray; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Options for Ray, and how attempts that have them travel.

    `cpus` is what one attempt occupies. `alone`: it needs more than CPUs, so no batches.
    """

    named: Mapping[str, object]
    cpus: float
    alone: bool


def wish(options: Mapping[str, object]) -> Wish:
    """Take the options of a step apart.

    Raises:
        BadOption: One of them is not for the author to set, or not a size.
    """
    named = dict(options)
    isolated = named.pop("isolated", False)
    if not isinstance(isolated, bool):
        raise BadOption(f"The option `isolated` is true or false, not {isolated!r}.")
    for name, way_out in _OURS.items():
        if name in named:
            raise BadOption(f"The option `{name}` is set by flowc itself: {way_out}.")
    for name in named:
        if name.startswith("_"):
            raise BadOption(f"The option `{name}` is Ray's own and not for flows.")
    for name in _SIZES:
        if isinstance(named.get(name), str):
            named[name] = _bytes(name, cast("str", named[name]))
    named = {name: value for name, value in named.items() if value is not None}
    cpus = named.get("num_cpus", 1)
    occupied = float(cpus) if isinstance(cpus, int | float) else 1.0
    return Wish(named, occupied, isolated or bool(named.keys() - {"num_cpus"}))


def apart(named: Mapping[str, object], place: Sequence[str]) -> Mapping[str, object]:
    """Options that get worker processes of their own for a place: a snapshot of code, and a search path.

    A process that has imported a project's modules has them for good; another project with modules of
    the same names needs other processes. Ray gives each runtime environment its own.
    """
    given = named.get("runtime_env")
    runtime_env = dict(cast("Mapping[str, object]", given)) if isinstance(given, Mapping) else {}
    variables = runtime_env.get("env_vars")
    env_vars = dict(cast("Mapping[str, str]", variables)) if isinstance(variables, Mapping) else {}
    return {
        **named,
        "runtime_env": {**runtime_env, "env_vars": {**env_vars, "FLOWRT_CODE": ":".join(place)}},
    }


def options_key(options: Mapping[str, object]) -> str:
    """A text that is equal for equal options."""
    return json.dumps(options, sort_keys=True, default=repr) if options else ""


def _bytes(name: str, text: str) -> int:
    size = parse_size(text)
    if size is None:
        raise BadOption(f"The option `{name}` is a size such as 512MiB or 4GiB, not {text!r}.")
    return size
