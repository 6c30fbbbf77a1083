"""What a call names, and what may stand beside it: the nouns of the IR for that."""

from typing import Literal, TypeAlias

from flowc.span import Span
from flowrt.expr.tree import Expr
from flowrt.noun import noun


@noun
class Ident:
    """An identifier that the author wrote, and where."""

    text: str
    span: Span


@noun
class TaskCallee:
    """A Python callable or exception class: its import path `package.module:name`, and where it stands.

    `listener`: it is a method of a listener's class, `package.module:Class.method`. `method`: the path is an
    actor's class, and this is the method that is called.
    """

    path: str
    span: Span
    listener: bool = False
    method: str = ""


@noun
class FlowCallee:
    """A flow of this file, or of a file that it uses: then the name is `alias.flow`."""

    name: str
    span: Span


Callee: TypeAlias = TaskCallee | FlowCallee


@noun
class Retry:
    """A retry policy; fields the author left out hold the defaults of the language.

    `never`: there is at most one attempt, whatever happens to its worker.
    """

    max: Expr
    delay: Expr
    factor: Expr
    cap: Expr
    jitter: Literal["full", "none"]
    catch: tuple[TaskCallee, ...]
    unless: tuple[TaskCallee, ...]
    within: Expr | None
    span: Span
    never: bool = False


@noun
class Cache:
    """`cache`: by a key, or by the callable's source and arguments."""

    key: Expr | None
    ttl: Expr | None
    span: Span


@noun
class Modifiers:
    """What may stand beside a call; None where nothing was said."""

    options: Expr | None = None
    retry: Retry | None = None
    timeout: Expr | None = None
    heartbeat: Expr | None = None
    cache: Cache | None = None
