"""Nouns: frozen data classes with slots that cost next to nothing to define.

`flowc validate` defines more than a hundred classes and uses a part of them. `dataclass` writes and compiles
five functions for each class when it is defined, 0.4 ms a class, and brings `inspect` along; that was
half of the command's time. Here a class's `__init__` is written when its first object is made, and the
other methods are shared. For type checkers, `match`, `copy`, `pickle` and `dataclasses.fields` and
`dataclasses.replace`, a noun is a data class.

    @noun
    class Span:
        start: int
        end: int = 0
"""

# Classes are made here out of their own annotations, so what a field holds has no type in this room.
# ruff: noqa: ANN401
# pyright: basic
# mypy: disable-error-code="no-any-return"

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")

_MISSING: Any = object()


class _Field:
    """What `field` says of a field."""

    __slots__ = ("compare", "default", "factory", "repr")

    def __init__(self, default: object, factory: object, *, compare: bool, show: bool) -> None:
        self.default = default
        self.factory = factory
        self.compare = compare
        self.repr = show


def field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    compare: bool = True,
    repr: bool = True,  # noqa: A002 - as in `dataclasses`
) -> Any:
    """Say more of a field: its default or a maker of it, whether it is compared, whether it is shown."""
    return _Field(default, default_factory, compare=compare, show=repr)


@overload
def noun(cls: type[T]) -> type[T]: ...
@overload
def noun(*, frozen: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def noun(cls: type[T] | None = None, *, frozen: bool = True) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class of annotated fields a noun; with `frozen=False` its fields can be assigned."""
    if cls is None:
        return lambda given: _made(given, frozen=frozen)
    return _made(cls, frozen=frozen)


def replace(obj: T, **changes: object) -> T:
    """A noun like this one, with some fields changed."""
    names = obj.__match_args__  # type: ignore[attr-defined]
    values = [changes.pop(name) if name in changes else getattr(obj, name) for name in names]
    if changes:
        raise TypeError(f"{type(obj).__qualname__} has no field {next(iter(changes))!r}")
    return type(obj)(*values)


def _made(cls: Any, *, frozen: bool) -> Any:
    body = dict(cls.__dict__)
    names = tuple(cls.__annotations__)
    fields = {name: _field_of(body.pop(name, _MISSING)) for name in names}
    for unwanted in (*names, "__dict__", "__weakref__"):
        body.pop(unwanted, None)
    compared = tuple(name for name in names if fields[name].compare)
    body.update(
        __slots__=names,
        __match_args__=names,
        __noun_fields__=fields,
        __noun_compared__=compared,
        __dataclass_fields__=_DataclassFields(),
        __init__=_first_init,
        __eq__=_eq,
        __hash__=_hash if frozen else None,
        __reduce__=_reduce,
    )
    body.setdefault("__repr__", _repr)
    if frozen:
        body.update(__setattr__=_refuse_set, __delattr__=_refuse_delete)
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made


def _field_of(given: object) -> _Field:
    return given if isinstance(given, _Field) else _Field(given, _MISSING, compare=True, show=True)


def _first_init(self: Any, *args: object, **kwargs: object) -> None:
    """Write the `__init__` of a class when its first object is made."""
    cls = type(self)
    scope: dict[str, Any] = {}
    parameters = ["self"]
    lines: list[str] = []
    for name, field_ in cls.__noun_fields__.items():
        scope[f"_set_{name}"] = cls.__dict__[name].__set__
        value = name
        if field_.factory is not _MISSING:
            scope["_missing"], scope[f"_make_{name}"] = _MISSING, field_.factory
            parameters.append(f"{name}=_missing")
            value = f"_make_{name}() if {name} is _missing else {name}"
        elif field_.default is not _MISSING:
            scope[f"_default_{name}"] = field_.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"  _set_{name}(self, {value})")
    text = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or "  pass")
    exec(text, scope)  # noqa: S102 - the names are those of the class, none is from outside
    cls.__init__ = scope["__init__"]
    self.__init__(*args, **kwargs)


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in self.__noun_compared__)


def _hash(self: Any) -> int:
    return hash(tuple([getattr(self, name) for name in self.__noun_compared__]))


def _repr(self: Any) -> str:
    fields = self.__noun_fields__.items()
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, given in fields if given.repr)
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> tuple[type, tuple[object, ...]]:
    return type(self), tuple(getattr(self, name) for name in self.__match_args__)


def _refuse_set(self: object, name: str, value: object) -> None:  # noqa: ARG001
    raise AttributeError(f"cannot assign to field {name!r} of a {type(self).__qualname__}")


def _refuse_delete(self: object, name: str) -> None:
    raise AttributeError(f"cannot delete field {name!r} of a {type(self).__qualname__}")


class _DataclassFields:
    """`__dataclass_fields__`, made when somebody asks for it."""

    def __get__(self, obj: object, cls: Any) -> dict[str, Any]:
        import dataclasses  # noqa: PLC0415 - the point is not to import it

        made: dict[str, Any] = {}
        for name, given in cls.__noun_fields__.items():
            arguments: dict[str, Any] = {"compare": given.compare, "repr": given.repr}
            if given.default is not _MISSING:
                arguments["default"] = given.default
            if given.factory is not _MISSING:
                arguments["default_factory"] = given.factory
            field_: Any = dataclasses.field(**arguments)
            field_.name, field_.type = name, cls.__annotations__[name]
            field_._field_type = dataclasses._FIELD  # type: ignore[attr-defined]  # noqa: SLF001
            made[name] = field_
        cls.__dataclass_fields__ = made
        return made
