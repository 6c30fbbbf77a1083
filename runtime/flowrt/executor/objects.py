"""Objects with a durable state: a class and what was stored go in, an object comes out; and the way back.

What is stored of an object is what pickle would take of it, in parts: the arguments of `__new__`, the state
(`__getstate__`, else the attributes), and for kinds of lists and dicts what is in them. So classes say in the
usual way what their objects are made of, and a state that is data is stored as data, without pickle. Only a
class that is pickled in a way of its own (`__reduce__`) is left to pickle as a whole.

    (1, arguments, state, items, pairs)    put together again by the class
    (0, object)                            pickled
"""

import copyreg
import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import cast

from flowrt.errors import CodecError, StoreCorrupt
from flowrt.executor.callee import ImportFailed

_PARTS, _WHOLE = 1, 0
_PROTOCOL = 4
_NEW_OBJECT: object = vars(copyreg)["__newobj__"]
"""What pickle notes for objects that `__new__` makes, which are nearly all."""


class Method:
    """A method of the object of a key. Called, it makes the object if there is none yet."""

    def __init__(self, path: str, cls: object, name: str, key: object) -> None:
        """The method `name` of the class that was found at `path`.

        Raises:
            ImportFailed: It is not a class, or has no such method.
        """
        if not isinstance(cls, type):
            raise ImportFailed(f"`{path}` is not a class: an actor is an object of a class.")
        self._cls: type = cls
        self._name = name
        self._key = key
        self._object: object = None
        if not callable(getattr(cls, name, None)):
            known = [one for one in dir(cls) if not one.startswith("_") and callable(getattr(cls, one))]
            close = difflib.get_close_matches(name, known, n=1)
            hint = f", did you mean `{close[0]}`?" if close else ""
            raise ImportFailed(f"The class `{path}` has no method `{name}`{hint}.")

    def restore(self, stored: object) -> None:
        """Make the object out of what was stored of it. Raises StoreCorrupt, and what the class raises."""
        self._object = _restored(self._cls, stored)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the method. Raises what it raises, and what the making of the object does."""
        if self._object is None:
            self._object = _made(self._cls, self._key)
        method: Callable[..., object] = getattr(self._object, self._name)
        return method(*args, **kwargs)

    def stored(self) -> object:
        """What is to be stored of the object. Raises what the class raises."""
        return _stored(self._cls, self._object)


def _made(cls: type, key: object) -> object:
    """A new object: with its key, if the class asks for an argument."""
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # A class of an extension, which does not tell.
        return cls()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    asked = [one for one in parameters if one.kind in positional and one.default is one.empty]
    return cls(key) if asked else cls()


def _stored(cls: type, instance: object) -> object:
    reduced = cast("tuple[object, ...] | str", instance.__reduce_ex__(_PROTOCOL))
    if isinstance(reduced, str) or reduced[0] is not _NEW_OBJECT:
        return (_WHOLE, instance)
    args = cast("tuple[object, ...]", reduced[1])
    if args[0] is not cls:
        return (_WHOLE, instance)
    state, items, pairs = (*reduced[2:5], None, None, None)[:3]
    in_list = None if items is None else list(cast("Iterable[object]", items))
    in_dict = None if pairs is None else list(cast("Iterable[object]", pairs))
    return (_PARTS, args[1:], state, in_list, in_dict)


def _restored(cls: type, stored: object) -> object:
    kind, *parts = cast("tuple[object, ...]", stored) if isinstance(stored, tuple) else (None,)
    if kind == _WHOLE and len(parts) == 1:
        return parts[0]
    if kind != _PARTS or len(parts) != len(("args", "state", "items", "pairs")):
        raise StoreCorrupt("What is stored of an actor is not the state of one.")
    args, state, items, pairs = parts
    instance: object = cls.__new__(cls, *cast("tuple[object, ...]", args))
    for item in cast("Iterable[object]", items or ()):
        cast("list[object]", instance).append(item)
    for key, value in cast("Iterable[tuple[object, object]]", pairs or ()):
        cast("dict[object, object]", instance)[key] = value
    if state is not None:
        _set_state(instance, state)
    return instance


def _set_state(instance: object, state: object) -> None:
    setter = getattr(instance, "__setstate__", None)
    if setter is not None:
        setter(state)
        return
    attributes, slots, given = state, None, type(state).__name__
    if isinstance(state, tuple):
        attributes, slots = cast("tuple[object, object]", state)
    if isinstance(attributes, dict):
        vars(instance).update(cast("dict[str, object]", attributes))
    elif attributes is not None:
        raise CodecError(
            f"`{type(instance).__qualname__}` has a `__getstate__` that gives a {given}, and "
            "no `__setstate__` that takes it."
        )
    if isinstance(slots, dict):
        for name, value in cast("dict[str, object]", slots).items():
            object.__setattr__(instance, name, value)
