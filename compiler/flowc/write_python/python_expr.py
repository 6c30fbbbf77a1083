"""An expression of the language comes in; the text of a Python expression goes out.

The language is a subset of Python, so what differs is little: `a.b` may read a key of a mapping, durations
and instants are constants, a few functions have other names, and the values of calls that stood inside an
expression have names that no author can write. The tree is turned into one that the writer of expressions can
write: a name may hold any text.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import cast

from flowc.write.expr import write_expr
from flowrt.expr.tree import Attribute, Call, Clause, Const, Expr, Index, Keyword, Name, Target
from flowrt.noun import noun, replace

_OWN = frozenset({"first", "duration", "from_json", "to_json", "datetime", "secret"})


@noun(frozen=False)
class PythonExpr:
    """Writes expressions.

    `use` is told of what the program has to import or define; `named` gives what a name of the flow is called
    in the program; `direct` are names whose attributes are attributes in Python too.
    """

    use: Callable[[str], None]
    named: Callable[[str], str]
    direct: set[str]

    def text(self, expr: Expr) -> str:
        """The text of an expression."""
        return write_expr(self._turned(expr))

    def _turned(self, expr: Expr) -> Expr:  # noqa: PLR0911 - one arm a kind
        match expr:
            case Const(value):
                return self._constant(expr, value)
            case Name(name):
                if name == "run":
                    self.use("run")
                    return expr
                return Name(self.named(name))
            case Attribute(Name("run"), attribute):
                self.use("run")
                return Index(Name("run"), Const(attribute))
            case Attribute(Name(name), attribute) if self.named(name) in self.direct:
                return Attribute(self._turned(expr.value), attribute)
            case Attribute(value, name):
                self.use("field")
                return Call(Name("field"), (self._turned(value), Const(name)), ())
            case Call(Attribute(value, method), args, kwargs):
                return self._call(Attribute(self._turned(value), method), args, kwargs)
            case Call(Name(name), args, kwargs):
                return self._call(Name(self._function(name)), args, kwargs)
            case _:
                return self._parts(expr)

    def _call(self, func: Expr, args: tuple[Expr, ...], kwargs: tuple[Keyword, ...]) -> Expr:
        turned = tuple(self._turned(arg) for arg in args)
        return Call(func, turned, tuple(replace(one, value=self._turned(one.value)) for one in kwargs))

    def _function(self, name: str) -> str:
        if name not in _OWN:
            return name
        self.use(name)
        return {
            "from_json": "json.loads",
            "to_json": "json.dumps",
            "datetime": "datetime.fromisoformat",
            "secret": "os.environ.__getitem__",
        }.get(name, name)

    def _constant(self, expr: Const, value: object) -> Expr:
        if isinstance(value, timedelta):
            self.use("timedelta")
            return Name(timedelta_text(value))
        if isinstance(value, datetime):
            self.use("datetime")
            return Name(f'datetime.fromisoformat("{value.isoformat()}")')
        if isinstance(value, date):
            self.use("date")
            return Name(f"date({value.year}, {value.month}, {value.day})")
        return expr

    def _parts(self, expr: Expr) -> Expr:
        """The same node with each of its parts turned."""
        changed = {one.name: self._any(getattr(expr, one.name)) for one in fields(expr) if one.name != "at"}
        return replace(expr, **changed)

    def _any(self, value: object) -> object:
        if isinstance(value, Expr):
            return self._turned(value)
        if isinstance(value, tuple):
            return tuple(self._any(part) for part in cast("tuple[object, ...]", value))
        if isinstance(value, Clause):
            return Clause(
                self._target(value.targets),
                self._turned(value.items),
                tuple(self._turned(each) for each in value.conditions),
            )
        if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value,
                **{
                    one.name: self._any(getattr(value, one.name)) for one in fields(value) if one.name != "at"
                },
            )
        return value

    def _target(self, target: Target) -> Target:
        return self.named(target) if isinstance(target, str) else tuple(self._target(each) for each in target)


def timedelta_text(value: timedelta) -> str:
    """A duration in the largest unit that measures it whole."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
        count = value / timedelta(seconds=length)
        if count == int(count) and (count or unit == "seconds"):
            return f"timedelta({unit}={int(count)})"
    return f"timedelta(seconds={value.total_seconds()!r})"
