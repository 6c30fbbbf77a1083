"""The map under `inputs` comes in; inputs with their types and checked defaults go out."""

from collections.abc import Mapping as Table

from flowc.expr.names import free_names
from flowc.expr.types import parse_type, show
from flowc.ir import Ident, Input
from flowc.resolve.constants import Misfit, convert
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.found import Found, excerpt, listing, shape
from flowc.resolve.keys import INPUT
from flowc.resolve.lift import Barrier, Place, Where, lift
from flowc.resolve.names import alias_names, read_name
from flowc.resolve.places import read_data
from flowc.resolve.setting import Names, Setting, stand_in
from flowc.resolve.step_text import read_text
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import Const, Expr, ListOf
from flowrt.type_ref import TypeRef

ANY = TypeRef("any")
_MOST = 6


def read_inputs(setting: Setting, node: Node) -> tuple[Input, ...]:
    """The inputs of a flow."""
    found = setting.found
    if not isinstance(node, Mapping):
        if not (isinstance(node, Scalar) and node.value is None):
            found.error(
                "F0103",
                f"`inputs` takes a map of names to types, not {shape(node)}",
                excerpt(node),
                help=f"write `inputs: {{{_listed(node) or 'day: date, limit: {type: int, default: 10}'}}}`",
            )
        return ()
    inputs: list[Input] = []
    for entry in node.entries:
        name = read_name(found, entry.key, "an input", alias_names(setting.names.every_alias))
        if name is not None:
            inputs.append(_input(setting, entry, name))
    return tuple(inputs)


def _listed(node: Node) -> str:
    """The inputs of a list of `{name, type}`, as other languages have it; empty for anything else."""
    shown: list[str] = []
    for item in node.items if isinstance(node, Sequence) else ():
        fields = {each.key.text: each.value for each in item.entries} if isinstance(item, Mapping) else {}
        name, of_type = fields.get("name"), fields.get("type")
        if not isinstance(name, Scalar) or not name.text.isidentifier():
            return ""
        shown.append(f"{name.text}: {of_type.text if isinstance(of_type, Scalar) else 'any'}")
    return ", ".join(shown) if len(shown) <= _MOST else ""


def read_type(found: Found, node: Node, what: str, names: Names) -> TypeRef:
    """A type; `any` when it cannot be understood, which is reported."""
    if not isinstance(node, Scalar) or (node.value is None and node.text != "null"):
        found.error(
            "F0103",
            f"the type of {what} has to be text, not {shape(node)}",
            excerpt(node) if node.span.end > node.span.start else node.span,
            help="write a type such as `int`, `list[str]`, `date | None`, `t.Report`; quote it inside `{ }`",
        )
        return ANY
    root = node.text.partition(".")[0].strip()
    if root in names.lost or (names.all_lost and "." in node.text):
        return ANY
    if root in names.files:
        wanted = node.text[len(root) + 1 :] or "Class"
        found.error(
            "F0312",
            f"`{root}` is a flow file, and types are classes of modules",
            node.span,
            help=f"use the module of the class too, `use: {{m: package.module}}`, and write `m.{wanted}`",
        )
        return ANY
    ref, wrong = parse_type(node.text, node.at, found.source, names.aliases)
    found.add(wrong)
    return ref


def _input(setting: Setting, entry: Entry, name: Ident) -> Input:
    found, node = setting.found, entry.value
    if not isinstance(node, Mapping):
        if isinstance(node, Scalar) and not node.text:
            found.error(
                "F0102",
                f"the input `{name.text}` has no type",
                entry.key.span,
                help=f"write `{name.text}: int`, or `any` for every value",
            )
            return Input(name, ANY, None, "", None, None, None)
        return Input(
            name, read_type(found, node, f"`{name.text}`", setting.names), None, "", None, None, None
        )
    fields = read_fields(found, node, INPUT)
    if "type" in fields:
        ref = read_type(found, fields["type"].value, f"`{name.text}`", setting.names)
    else:
        ref = ANY
        if "default" not in fields:
            found.error(
                "F0102", f"the input `{name.text}` has no type", entry.key.span, help="add `type: int`"
            )
    doc = read_text(found, fields["doc"].value, "doc") if "doc" in fields else ""
    return _limits(setting, fields, Input(name, ref, None, doc, None, None, None))


def _limits(setting: Setting, fields: Fields, plain: Input) -> Input:
    """The input with its default, bounds and choices; each has to be a constant of its type."""
    values: dict[str, Expr] = {
        key: _constant(setting, fields[key].value, key, plain)
        for key in ("default", "min", "max")
        if key in fields
    }
    choices = _choices(setting, fields["choices"].value, plain) if "choices" in fields else None
    result = Input(
        plain.name,
        plain.type,
        values.get("default"),
        plain.doc,
        values.get("min"),
        values.get("max"),
        choices,
    )
    _check_default(setting.found, fields, values, choices)
    return result


def _choices(setting: Setting, node: Node, plain: Input) -> Expr | None:
    if not isinstance(node, Sequence):
        setting.found.error(
            "F0103",
            f"`choices` takes a list, not {shape(node)}",
            excerpt(node),
            help="write `choices: [a, b]`",
        )
        return None
    parts = tuple(_constant(setting, item, "choices", plain) for item in node.items)
    return ListOf(parts, (node.span.start, node.span.end))


def _constant(setting: Setting, node: Node, key: str, plain: Input) -> Expr:
    found = setting.found
    where = Where(
        setting,
        Place(key),
        None,
        Barrier(f"`{key}` has to be a constant", "compute it in a step of the flow"),
    )
    expr = lift(read_data(found, node), where)
    names = free_names(expr)
    if names:
        found.error(
            "F0119",
            f"`{key}` of the input `{plain.name.text}` has to be a constant",
            excerpt(node),
            hint=f"`{names[0].id}` is not known before the flow runs",
            help="compute it in the flow: make the input `… | None` with `default: null`, and test it there",
        )
        return stand_in((node.span.start, node.span.end))
    converted = convert(expr, plain.type)
    if isinstance(converted, Misfit):
        value = f"`{node.text}`" if isinstance(node, Scalar) and node.text else f"this {shape(node)[2:]}"
        found.error(
            "F0119",
            f"{value} is not `{show(plain.type)}`, the type of `{plain.name.text}`",
            excerpt(node),
            help=converted.advice,
        )
        return stand_in((node.span.start, node.span.end))
    return converted


def _check_default(found: Found, fields: Fields, values: Table[str, Expr], choices: Expr | None) -> None:
    default = values.get("default")
    low, high = values.get("min"), values.get("max")
    if _less(high, low):
        found.error("F0119", "`max` is less than `min`", fields["max"].value.span, help="exchange the two")
    if not isinstance(default, Const):
        return
    span = fields["default"].value.span
    if _less(default, low):
        found.error("F0119", "the default is less than `min`", span)
    if _less(high, default):
        found.error("F0119", "the default is greater than `max`", span)
    if isinstance(choices, ListOf):
        allowed = [part.value for part in choices.parts if isinstance(part, Const)]
        if len(allowed) == len(choices.parts) and default.value not in allowed and default.value is not None:
            found.error(
                "F0119",
                f"the default `{default.value}` is not one of the choices",
                span,
                help=f"the choices are {listing(str(value) for value in allowed)}",
            )


def _less(a: Expr | None, b: Expr | None) -> bool:
    """Whether both are constants and one is less than the other."""
    match a, b:
        case Const(value=int() | float() as x), Const(value=int() | float() as y):
            return x < y
        case _:
            return False
