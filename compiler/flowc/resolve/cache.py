"""The `cache` of a call comes in as text; what tells its calls apart, and for how long, goes out."""

from flowc.calling import Cache
from flowc.resolve.durations import read_duration
from flowc.resolve.fields import read_fields
from flowc.resolve.keys import CACHE
from flowc.resolve.lift import lift
from flowc.resolve.places import read_expression
from flowc.resolve.step_text import StepText
from flowc.tree import Mapping, Scalar
from flowrt.expr.tree import Expr


def read_cache(step: StepText) -> Cache | None:
    """`true`, `false`, a key, or a map of a key and a `ttl`; None when nothing is cached."""
    node = step.node("cache")
    if node is None:
        return None
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return Cache(None, None, node.span) if node.value else None
    if not isinstance(node, Mapping):
        return Cache(lift(read_expression(step.found, node), step.where("cache")), None, node.span)
    fields = read_fields(step.found, node, CACHE)
    key: Expr | None = None
    ttl: Expr | None = None
    if "key" in fields:
        key = lift(read_expression(step.found, fields["key"].value), step.where("cache.key"))
    if "ttl" in fields:
        ttl = lift(read_duration(step.found, fields["ttl"].value, "ttl"), step.where("cache.ttl"))
    return Cache(key, ttl, node.span)
