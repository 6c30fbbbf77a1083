"""Callables by name: a `Callee` goes in, the Python callable that it means comes out.

Loading imports the author's module, so whatever that module does happens here. Everything that can go
wrong becomes one `ImportFailed` whose message tells apart: no such module, a module that fails while it
is imported, a module without that name, a name that is not callable. A callable is kept once it was
loaded; a failure is not, so that a corrected module is found by the next attempt.

A process has one module of a name, and runs of different code have modules of the same names: see
`flowrt.executor.own_modules`. A callable belongs to the code that it was loaded for.
"""

import difflib
import importlib
import pickle
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from types import ModuleType
from typing import cast

from flowrt.executor.own_modules import Place, enter, importing
from flowrt.program import Callee, Imported, Pickled


class ImportFailed(ImportError):
    """A callable could not be loaded; the message says which, why, and where it was searched."""


_LOADED: dict[tuple[str, Place], Callable[..., object]] = {}


def load(
    callee: Callee, code: bytes | None, python_path: Sequence[str], snapshot: str | None = None
) -> Callable[..., object]:
    """The callable that `callee` names.

    Args:
        callee: An import path, or the digest of pickled code.
        code: The pickled code of a `Pickled` callee.
        python_path: Directories to search before those of the interpreter, in this order.
        snapshot: Which code it is that lies there; other code may have lain there before.

    Raises:
        ImportFailed: It cannot be loaded.
    """
    place = Place(snapshot, tuple(python_path))
    enter(place)
    match callee:
        case Imported(path):
            key = (path, place)
        case Pickled(digest):
            key = (f"sha256:{digest}", place)
    known = _LOADED.get(key)
    if known is not None:
        return known
    put_first(python_path)
    with importing(place):
        match callee:
            case Imported(path):
                loaded = _imported(path, python_path)
            case Pickled(_, name):
                loaded = _unpickled(name, code)
    _LOADED[key] = loaded
    return loaded


def put_first(python_path: Sequence[str]) -> None:
    """Make `python_path` the head of `sys.path`."""
    head = list(python_path)
    if sys.path[: len(head)] != head:
        sys.path[:] = head + [place for place in sys.path if place not in head]


def find(path: str) -> object:
    """The object at an import path `package.module:Name.name`, on the present `sys.path`.

    Raises:
        ImportFailed: It cannot be loaded.
    """
    module_name, _, names = path.partition(":")
    found: object = _module(module_name, path, ())
    return _attribute(found, names, path)


def _imported(path: str, python_path: Sequence[str]) -> Callable[..., object]:
    module_name, _, names = path.partition(":")
    found = _undecorated(_attribute(_module(module_name, path, python_path), names, path))
    if not callable(found):
        raise ImportFailed(f"`{path}` cannot be called: it is of type {type(found).__name__}.")
    return found


def _unpickled(name: str, code: bytes | None) -> Callable[..., object]:
    if code is None:
        raise ImportFailed(f"The code of `{name}` did not come with the attempt.")
    try:
        loaded = _undecorated(pickle.loads(code))  # noqa: S301 - the run's own code, out of its store
    except Exception as error:
        raise ImportFailed(
            f"The pickled code of `{name}` cannot be loaded here: {_reason(error)}."
        ) from error
    if not callable(loaded):
        raise ImportFailed(f"The pickled `{name}` cannot be called: it is of type {type(loaded).__name__}.")
    return loaded


def _undecorated(found: object) -> object:
    """The function inside `@ray.remote`; told by the name of its class, so that Ray is not imported."""
    if type(found).__module__ == "ray.remote_function":
        return cast("object", getattr(found, "_function", found))
    return found


_LOOKING_ANEW = Lock()


def _look_anew() -> None:
    """Let a file be found that is younger than what the finders know of its directory.

    Two threads must not do this at once: each removes what the other has just removed, a KeyError.
    """
    with _LOOKING_ANEW:
        importlib.invalidate_caches()


def _module(name: str, path: str, python_path: Sequence[str]) -> ModuleType:
    if name not in sys.modules:
        _look_anew()
    try:
        return importlib.import_module(name)  # Waits, should another thread be importing it just now.
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise ImportFailed(_no_module(missing, path, python_path)) from error
        raise ImportFailed(
            f"`{path}` cannot be loaded: its module imports `{missing}`, which is not installed"
            f"{_place(error)}."
        ) from error
    except (Exception, SystemExit) as error:
        raise ImportFailed(
            f"`{path}` cannot be loaded: importing `{name}` failed: {_reason(error)}."
        ) from error


def _no_module(missing: str, path: str, python_path: Sequence[str]) -> str:
    parent, _, last = missing.rpartition(".")
    if parent:
        package = sys.modules.get(parent)
        places = [str(place) for place in getattr(package, "__path__", ())]
        where = f"the package `{parent}`" if places else f"`{parent}`, which is a module and not a package"
    else:
        places = list(python_path)
        where = ", ".join([*places, "the interpreter's own path"])
    hint = _did_you_mean(last, (found.name for found in pkgutil.iter_modules(places)))
    return f"`{path}` cannot be loaded: there is no module `{missing}`{hint}. Searched: {where}."


def _attribute(module: object, names: str, path: str) -> object:
    found = module
    where = f"the module `{path.partition(':')[0]}`"
    for name in names.split("."):
        public = [known for known in dir(found) if not known.startswith("_")]
        try:
            found = cast("object", getattr(found, name))
        except AttributeError as error:
            hint = _did_you_mean(name, public)
            raise ImportFailed(f"`{path}` cannot be loaded: {where} has no `{name}`{hint}.") from error
        where = f"`{name}`"
    return found


def _did_you_mean(word: str, candidates: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(candidates), n=1)
    return f", did you mean `{close[0]}`?" if close else ""


def _reason(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the author's own `__str__`
        text = "(its text cannot be had)"
    return f"{type(error).__name__}: {text.rstrip('.')}{_place(error)}"


def _place(error: BaseException) -> str:
    """The line of the author's file that an import failed at; a syntax error names its own."""
    if isinstance(error, SyntaxError):
        return ""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<")
        and frame.filename != __file__
        and "importlib" not in frame.filename
    ]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
