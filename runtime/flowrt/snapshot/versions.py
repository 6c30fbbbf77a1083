"""With what a run was started, and whether that is here. In: recorded versions. Out: what differs, in words.

Refused is what would go wrong later and worse:

    Python      another minor version: pickled code and values, and their bytecode, are of one minor version
    Ray         another major version, or an older minor than the recorded one; newer ones are fine, for
                a run keeps nothing in Ray
    packages    one that the run's code imports and that is not installed here
    the code    it was not packed, and its folders are not here

A package of another version is told and not refused: which versions go together only its author knows.
"""

import platform
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flowrt.snapshot.imports import distributions
from flowrt.store.rows import RunRow

PYTHON = "python"
_OWN = (PYTHON, "flowc", "ray")


def versions_here(modules: Collection[str], python_path: Sequence[str]) -> dict[str, str]:
    """What is recorded of a run: the versions of Python, flowc, Ray, and of what its modules import."""
    found = {name: here for name in _OWN if (here := _here(name)) is not None}
    return {**distributions(modules, python_path), **found}


def mismatches(row: RunRow) -> list[str]:
    """Why a run cannot go on in this process as it was started; empty when it can."""
    told = [*_python(row.versions), *_ray(row.versions)]
    for name, recorded in _packages(row.versions):
        if _here(name) is None:
            told.append(f"the package {name} (then {recorded}) is not installed here")
    if row.snapshot is None:
        missing = [folder for folder in row.python_path if not Path(folder).is_dir()]
        if missing:
            told.append(f"its code was not packed when it was started, and {missing[0]} is not here")
    return told


def differences(row: RunRow) -> list[str]:
    """What is of another version here than when a run was started, and is not refused."""
    return [
        f"{name} {recorded} then, {here} here"
        for name, recorded in _packages(row.versions)
        if (here := _here(name)) is not None and here != recorded
    ]


def refusal(run_id: str, told: Sequence[str]) -> str:
    """The mismatches of a run as one message with the way out."""
    return (
        f"Run {run_id} cannot go on here as it was started: {'; '.join(told)}. "
        f"Use an environment like the first one, or go on all the same with "
        f"`flowc resume {run_id} --any-version`."
    )


def _python(versions: Mapping[str, str]) -> list[str]:
    recorded, here = versions.get(PYTHON), platform.python_version()
    if recorded is None or _minor(recorded) == _minor(here):
        return []
    return [
        f"it was started with Python {recorded} and this is {here} "
        "(what is pickled by one minor version, another one may not read)"
    ]


def _ray(versions: Mapping[str, str]) -> list[str]:
    recorded, here = versions.get("ray"), _here("ray")
    if recorded is None or here is None:
        return []
    then, now = _minor(recorded), _minor(here)
    if then[:1] == now[:1] and now >= then:
        return []
    return [
        f"it was started with Ray {recorded} and this is {here} (the same minor version or a newer one goes)"
    ]


def _packages(versions: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted((name, recorded) for name, recorded in versions.items() if name not in _OWN)


def _minor(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


@lru_cache(maxsize=1024)
def _here(name: str) -> str | None:
    if name == PYTHON:
        return platform.python_version()
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):
        return None
