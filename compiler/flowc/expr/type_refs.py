"""Types of the language as values: their names, their text, and their alternatives."""

from flowrt.type_ref import TypeRef

ANY = TypeRef("any")
SIMPLE = ("None", "bool", "int", "float", "str", "bytes", "date", "datetime", "duration", "any")
GENERIC = ("list", "dict", "set", "tuple")


def show(ref: TypeRef) -> str:
    """A type as the author would write it; a class by its name alone."""
    if ref.name == "|":
        return " | ".join(show(part) for part in ref.args)
    name = ref.name.rpartition(":")[2]
    return f"{name}[{', '.join(show(part) for part in ref.args)}]" if ref.args else name


def union(*parts: TypeRef) -> TypeRef:
    """The alternatives of some types, each once, in order; `any` when one of them is."""
    flat: list[TypeRef] = []
    for part in parts:
        flat.extend(item for item in (part.args if part.name == "|" else (part,)) if item not in flat)
    if ANY in flat or not flat:
        return ANY
    return flat[0] if len(flat) == 1 else TypeRef("|", tuple(flat))
