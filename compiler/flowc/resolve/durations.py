"""What stands in a place for a duration or a size comes in; a constant or an expression goes out."""

from flowc.diagnostic import Fix
from flowc.resolve.found import Found, excerpt, shape
from flowc.resolve.places import at, computed
from flowc.resolve.setting import stand_in
from flowc.tree import Node, Scalar
from flowrt.expr.durations import parse_duration, parse_size
from flowrt.expr.tree import Const, Expr

_EXAMPLES = "`250ms`, `30s`, `5m`, `1h30m`, `2d`"


def read_duration(found: Found, node: Node, key: str) -> Expr:
    """The duration under a key such as `timeout`."""
    expr = computed(found, node)
    if expr is not None:
        return expr
    if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
        found.error(
            "F0502",
            f"`{key}` takes a duration, not {shape(node)}",
            excerpt(node),
            help=f"write a duration such as {_EXAMPLES}",
        )
        return stand_in(at(node.span))
    text = node.text.strip()
    if _is_number(text):
        found.error(
            "F0501",
            f"`{key}` has no unit",
            node.span,
            hint=f"seconds? write `{text}s`",
            help=f"durations are written with their unit: {_EXAMPLES}",
            fixes=(Fix(node.span, f"{text}s", f"write `{text}s`"),),
        )
        return stand_in(at(node.span))
    duration = parse_duration(text)
    if duration is None:
        better = "${{ " + text + " }}"
        is_name = text.isidentifier()
        found.error(
            "F0502",
            f"`{text}` is not a duration",
            node.span,
            hint=f"is it a name? write `{better}`" if is_name else "",
            help=f"durations look like {_EXAMPLES}, or ISO 8601 `PT5M`; "
            + "a computed one stands in `${{ }}`: `${{ duration(text) * 2 }}`",
            fixes=(Fix(node.span, f'"{better}"', f"write `{better}`"),) if is_name else (),
        )
        return stand_in(at(node.span))
    return Const(duration, at(node.span))


def read_size(found: Found, node: Node, key: str) -> Expr:
    """The size under a key such as `memory`, in bytes; a bare number is a number of bytes, as in Ray."""
    expr = computed(found, node)
    if expr is not None:
        return expr
    if isinstance(node, Scalar):
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return Const(int(node.value), at(node.span))
        size = parse_size(node.text.strip())
        if size is not None:
            return Const(size, at(node.span))
    found.error(
        "F0503",
        f"`{key}` takes a size, not {f'`{node.text}`' if isinstance(node, Scalar) else shape(node)}",
        excerpt(node),
        help="sizes look like `512MiB`, `4GiB`, `2GB`; a bare number is a number of bytes",
    )
    return stand_in(at(node.span))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
