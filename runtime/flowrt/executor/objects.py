"""Objects with a durable state: a class and what was stored go in, an object comes out; and the way back.

What is stored of an object is what pickle would take of it, in parts: the arguments of `__new__`, the state
(`__getstate__`, else the attributes), and for kinds of lists and dicts what is in them. So classes say in the
usual way what their objects are made of, and a state that is data is stored as data, without pickle. Left to
pickle as a whole are objects of a class that is pickled in a way of its own (`__reduce__`), and those that
are part of their own state, as with a bound method or a child that knows its parent: in parts, they would
become two objects.

A state that could not be taken back is refused when it is made, as far as that can be seen: later nobody
would have the object any more.

    (1, arguments, state, items, pairs)    put together again by the class
    (0, object)                            pickled
"""

import copyreg
import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import cast

from flowrt.amounts import keyed_lock_name
from flowrt.encoding.reach import reaches
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
        self._path = path
        self._name = name
        self._key = key
        self._object: object = None
        if isinstance(inspect.getattr_static(cls, name, None), property):
            raise ImportFailed(
                f"`{name}` of the class `{path}` is a property, and what is called are methods."
            )
        if not callable(getattr(cls, name, None)):
            known = [one for one in dir(cls) if not one.startswith("_") and callable(getattr(cls, one))]
            close = difflib.get_close_matches(name, known, n=1)
            hint = f", did you mean `{close[0]}`?" if close else ""
            raise ImportFailed(f"The class `{path}` has no method `{name}`{hint}.")

    def __str__(self) -> str:
        """The name of the actor."""
        return keyed_lock_name(self._path, self._key)

    def restore(self, stored: object) -> None:
        """Make the object out of what was stored of it. Raises StoreCorrupt, CodecError."""
        try:
            self._object = _restored(self._cls, stored)
        except (StoreCorrupt, CodecError):
            raise
        except Exception as error:
            raise CodecError(
                f"The actor {self} cannot be put together from its state: {_said(error)}. The state is kept: "
                "mend the class, such as by a `__setstate__` that takes it."
            ) from error

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the method. Raises what it raises, and what the making of the object does."""
        if self._object is None:
            self._object = _made(self._cls, self._key)
        method: Callable[..., object] = getattr(self._object, self._name)
        return method(*args, **kwargs)

    def stored(self) -> object:
        """What is to be stored of the object. Raises CodecError."""
        try:
            parts = _stored(self._cls, self._object)
        except CodecError:
            raise
        except Exception as error:
            raise CodecError(_said(error)) from error
        return (_WHOLE, self._object) if reaches(parts[1:], self._object) else parts

    @property
    def attributes(self) -> dict[str, object]:
        """What the object has by name, as far as that is known."""
        return dict(getattr(self._object, "__dict__", {}))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).rstrip('.')}"


def _made(cls: type, key: object) -> object:
    """A new object: with its key, if the class asks for an argument."""
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # A class of an extension, which does not tell.
        return cls()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    asked = [one for one in parameters if one.kind in positional and one.default is one.empty]
    return cls(key) if asked else cls()


def _stored(cls: type, instance: object) -> tuple[object, ...]:
    reduced = cast("tuple[object, ...] | str", instance.__reduce_ex__(_PROTOCOL))
    if isinstance(reduced, str) or reduced[0] is not _NEW_OBJECT:
        return (_WHOLE, instance)
    args = cast("tuple[object, ...]", reduced[1])
    if args[0] is not cls:
        return (_WHOLE, instance)
    state, items, pairs = (*reduced[2:5], None, None, None)[:3]
    if _setter(cls) is None:
        _by_name(cls, state)
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
    setter = _setter(type(instance))
    if setter is not None:
        setter(instance, state)
        return
    attributes, slots = _by_name(type(instance), state)
    if any("__dict__" in vars(cls) for cls in type(instance).__mro__):
        vars(instance).update(attributes)
    else:
        slots = {**attributes, **slots}
    for name, value in slots.items():
        object.__setattr__(instance, name, value)


def _setter(cls: type) -> Callable[[object, object], object] | None:
    """How a class takes a state. It is asked itself: an object without attributes may ask itself for ever."""
    setter: Callable[[object, object], object] | None = getattr(cls, "__setstate__", None)
    return setter


def _by_name(cls: type, state: object) -> tuple[dict[str, object], dict[str, object]]:
    """Attributes and slots by name, of a state that no `__setstate__` takes. Raises CodecError."""
    given = type(state).__name__
    parts = cast("tuple[object, ...]", state if isinstance(state, tuple) else (state, None))
    found = [
        cast("dict[str, object]", part or {}) for part in parts if part is None or isinstance(part, dict)
    ]
    if len(parts) == len(found) == len(("attributes", "slots")):
        return found[0], found[1]
    raise CodecError(
        f"`{cls.__qualname__}` has a `__getstate__` that gives a value of type {given}, and no "
        "`__setstate__` that takes it."
    )
