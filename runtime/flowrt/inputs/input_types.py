"""Types of the language as Python's own. In: a `TypeRef`. Out: a hint that `flowrt.inputs.convert` takes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from types import GenericAlias, NoneType
from typing import Union

from flowrt.errors import BadInput
from flowrt.executor.callee import ImportFailed, find, put_first
from flowrt.type_ref import TypeRef

SCALARS: Mapping[str, object] = {
    "None": NoneType,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "date": date,
    "datetime": datetime,
    "duration": timedelta,
    "any": object,
    "list": list,
    "dict": dict,
    "set": set,
    "tuple": tuple,
    "...": ...,
}
CONTAINERS: Mapping[str, type] = {"list": list, "dict": dict, "set": set, "tuple": tuple}


def hint_of(ref: TypeRef, python_path: Sequence[str]) -> object:
    """The type hint for a type of the language; classes are imported. Raises BadInput when that fails."""
    args = tuple(hint_of(arg, python_path) for arg in ref.args)
    if ref.name == "|":
        return Union[args]  # noqa: UP007 - made of values
    if ref.name in CONTAINERS and args:
        return GenericAlias(CONTAINERS[ref.name], args)
    if ref.name in SCALARS:
        return SCALARS[ref.name]
    return load_class(ref.name, python_path)


def load_class(path: str, python_path: Sequence[str]) -> type:
    """Import a class by its path `package.module:Class`. Raises BadInput."""
    put_first(python_path)
    try:
        found = find(path)
    except ImportFailed as error:
        raise BadInput(f"The type of an input cannot be loaded. {error}") from error
    if not isinstance(found, type):
        raise BadInput(f"The type `{path}` of an input is not a class but of type {type(found).__name__}.")
    return found
