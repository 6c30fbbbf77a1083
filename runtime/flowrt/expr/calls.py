"""The parts of a call, as closures, in; the closure that makes the call out."""

from collections.abc import Mapping

from flowrt.expr.attributes import nearest
from flowrt.expr.budget import ExpressionError
from flowrt.expr.builtins_table import BUILTINS
from flowrt.expr.frame import Code, Frame
from flowrt.expr.methods import call_method, owner_of


def method_call(of: Code, name: str, args: tuple[Code, ...], kwargs: tuple[tuple[str, Code], ...]) -> Code:
    """`of.name(*args, **kwargs)`."""

    def call(frame: Frame) -> object:
        value = of(frame)
        owner = owner_of(value, name)  # As in Python, before the arguments are evaluated.
        given = tuple([arg(frame) for arg in args])
        return call_method(
            owner, value, name, given, {key: code(frame) for key, code in kwargs}, frame.budget
        )

    return call


def builtin_call(name: str, args: tuple[Code, ...], kwargs: tuple[tuple[str, Code], ...]) -> Code:
    """`name(*args, **kwargs)`."""
    function = BUILTINS.get(name)

    def call(frame: Frame) -> object:
        if function is None:
            near = nearest(name, BUILTINS)
            raise NameError(f"there is no function `{name}`" + (f"; did you mean `{near}`?" if near else ""))
        given = tuple([arg(frame) for arg in args])
        return function(given, {key: value(frame) for key, value in kwargs}, frame.budget)

    return call


def secret_of(frame: Frame, args: list[object], *, named: bool) -> str:
    """The secret that `secret(*args)` asks for."""
    if named or len(args) != 1 or not isinstance(args[0], str):
        raise TypeError('secret() takes the name of a secret: `secret("NAME")`')
    if frame.secret is None:
        raise ExpressionError("`secret` may stand only in an argument of a task; secrets are never recorded.")
    return frame.secret(args[0])


def undefined(name: str, env: Mapping[str, object]) -> str:
    """The message for a name that the environment does not have."""
    if name in BUILTINS:
        return f"`{name}` is a function; call it: `{name}(…)`"
    near = nearest(name, env)
    return f"name {name!r} is not defined" + (f"; did you mean `{near}`?" if near else "")
