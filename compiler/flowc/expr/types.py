"""The types of the language, in one place for the stages that need them: read, inferred, and written."""

from flowc.expr.infer import infer
from flowc.expr.read_type import parse_type
from flowc.expr.type_refs import ANY, show, union

__all__ = ["ANY", "infer", "parse_type", "show", "union"]
