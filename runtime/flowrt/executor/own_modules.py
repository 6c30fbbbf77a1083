"""The modules of each run's code in one process. In: the code wanted now. Out: its modules in `sys.modules`.

Two runs may have different code under the same module names: two projects with a `tasks.py`, or one
project before and after it was mended. Executors give each code worker processes of its own as far as
they can. Where one process serves both (threads; an engine that decodes values), the modules of the code
that was in use are put aside when other code is entered, and put back when it is entered again: each keeps
its state, and is never taken for the other.

What counts as a code's own: modules that came in while its callables were loaded, and whatever lies in
packed code. A module that somebody else in this process has imported before stays what it is for all.
Code of two places that runs at the same time in threads shares `sys.modules` all the same: an import that
a task makes late finds what was entered last.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import RLock
from types import ModuleType
from typing import NamedTuple


class Place(NamedTuple):
    """Code: the digest of its snapshot, if it has one, and the folders that it is imported from."""

    snapshot: str | None
    folders: tuple[str, ...]


_OURS = frozenset(("flowc", "flowrt", "flowc_schemas"))
_INSTALLED = ("/site-packages/", "/dist-packages/", f"{os.path.dirname(os.__file__)}/")  # noqa: PTH120
"""An environment may lie in the project's folder; what is installed there is everybody's."""

_LOCK = RLock()
_OWN: dict[Place, set[str]] = {}
_ASIDE: dict[Place, dict[str, ModuleType]] = {}
_CURRENT: list[Place] = []


def enter(place: Place) -> None:
    """Make `sys.modules` that of a code."""
    if _CURRENT and _CURRENT[0] == place:
        return
    with _LOCK:
        for before in _CURRENT:
            _ASIDE[before] = _taken_out(before)
        _CURRENT[:] = [place]
        sys.modules.update(_ASIDE.pop(place, {}))


@contextmanager
def importing(place: Place) -> Generator[None]:
    """What is imported meanwhile from the folders of a code is its own."""
    before = set(sys.modules)
    try:
        yield
    finally:
        new = sys.modules.keys() - before
        own = {
            name
            for name in new
            if name.partition(".")[0] not in _OURS and _lies_in(sys.modules.get(name), place.folders)
        }
        _OWN.setdefault(place, set()).update(own)


def _taken_out(place: Place) -> dict[str, ModuleType]:
    names = set(_OWN.get(place, ()))
    packed = tuple(folder for folder in place.folders if place.snapshot and place.snapshot in folder)
    if packed:
        names.update(name for name, module in list(sys.modules.items()) if _lies_in(module, packed))
    return {name: sys.modules.pop(name) for name in names if name in sys.modules}


def _lies_in(module: ModuleType | None, folders: tuple[str, ...]) -> bool:
    # Some modules import others when they are asked for an attribute: their dictionary is silent.
    known = getattr(module, "__dict__", {})
    file: object = known.get("__file__") or next(iter(known.get("__path__") or ()), None)
    if not isinstance(file, str) or any(part in file for part in _INSTALLED):
        return False
    return file.startswith(tuple(f"{folder}{os.sep}" for folder in folders))
