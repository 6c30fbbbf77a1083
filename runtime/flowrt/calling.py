"""What a task calls, and when it is called again: the nouns of a program for that."""

from typing import Literal, TypeAlias

from flowrt.expr.tree import Expr
from flowrt.noun import noun


@noun
class Imported:
    """A callable by import path, `package.module:name` or `package.module:Class.name`."""

    path: str


@noun
class Pickled:
    """A callable of a hand-written graph: the digest of its cloudpickled code in the store."""

    digest: str
    name: str


Callee: TypeAlias = Imported | Pickled


@noun
class Retry:
    """When an attempt that raised is made again. Expressions are evaluated when an attempt fails.

    `max` is the most retries after the first attempt. `delay`, `cap` and `within` are durations
    (`timedelta`). `catch` and `unless` are import paths of exception classes; an empty `catch` is every
    `Exception`.
    """

    max: Expr
    delay: Expr
    factor: Expr
    cap: Expr
    jitter: Literal["full", "none"] = "full"
    catch: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    within: Expr | None = None


@noun
class Cache:
    """That the value of a task is taken over from a run that made the same call.

    Which calls are the same says `key`, with the callable's name; without it, the callable's source and its
    arguments. A value is not older than `ttl`, a duration.
    """

    key: Expr | None = None
    ttl: Expr | None = None


@noun
class Actor:
    """That a task is a method of an object with a state of its own: the callee is the class of the object.

    There is one object for each class and `key`, a text, a whole number or a truth value.
    """

    key: Expr
    method: str


@noun
class CallFlow:
    """Run a flow of the library; `args` pairs each of its inputs with a name of the environment."""

    flow: str
    args: tuple[tuple[str, str], ...] = ()


@noun
class Start:
    """Make a run of a flow of the library, which goes on by itself; the node's value is the run's id.

    `args` pairs each input with a name of the environment.
    """

    flow: str
    args: tuple[tuple[str, str], ...] = ()
