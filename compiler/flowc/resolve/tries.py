"""A `try` step comes in as text; `Try` goes out, with a `Catch` for each way in which it goes on."""

import builtins

from flowc.diagnostic import Fix, Label
from flowc.ir import Catch, Ident, Step, TaskCallee, Try
from flowc.resolve.arms import loose_body
from flowc.resolve.corrected import as_do, column, shown
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.found import excerpt, shape
from flowc.resolve.keys import CATCH
from flowc.resolve.mismatch import is_step
from flowc.resolve.names import alias_names, read_name
from flowc.resolve.retry import read_exception
from flowc.resolve.step_text import StepText
from flowc.tree import Mapping, Node, Scalar, Sequence

_EVERY = "builtins:Exception"


def resolve_try(step: StepText) -> Step:
    """`try`, `catch`, `finally`. A flow that is called at the end of a guarded block is not gone on as."""
    setting = step.setting
    setting.guard_depth += 1
    body = step.block("try")
    assert body is not None
    if "finally" not in step.fields:
        setting.guard_depth -= 1
    catches = _catches(step)
    if "finally" in step.fields:
        setting.guard_depth -= 1
    final = step.block("finally")
    if "catch" not in step.fields and final is None:
        step.found.error(
            "F0102",
            "this `try` deals with no failure",
            step.main.key.span,
            help=step.found.source.either(
                "add `catch:` with `{type, as, do}`, or `finally:` with the steps that run in any case",
                "add `catch OSError as e:` with what is done then, or `finally:` with what runs in any case",
            ),
        )
    return Try(step.meta(), body, catches, final)


def _catches(step: StepText) -> tuple[Catch, ...]:
    node = step.node("catch")
    if node is None:
        return ()
    nodes: tuple[Node, ...] = node.items if isinstance(node, Sequence) else (node,)
    if isinstance(node, Mapping | Sequence) and nodes and all(map(_is_plain_step, nodes)):
        return (_steps_for_catch(step, node),)
    if not nodes:
        step.found.error(
            "F0103",
            "`catch` is empty",
            step.fields["catch"].key.span,
            help="write `catch: {type: OSError, as: e, do: […]}`, or leave `catch` out",
        )
    catches = tuple(catch for each in nodes if (catch := _catch(step, each)) is not None)
    for earlier, later in _covered(catches):
        _report_covered(step, earlier, later)
    return catches


def _said_type(node: Node) -> str:
    """The class that stands where a map should."""
    said = node.text.strip() if isinstance(node, Scalar) else ""
    return said if said.replace(".", "").isidentifier() else "OSError"


def _catch(step: StepText, node: Node) -> Catch | None:
    if not isinstance(node, Mapping) or _is_plain_step(node):
        step.found.error(
            "F0103",
            f"`catch` takes a map with `type`, `as` and `do`, not {shape(node)}"
            if not isinstance(node, Mapping)
            else "`catch` takes a map with `type`, `as` and `do`, and this is a step",
            excerpt(node) if node.span.end > node.span.start else step.fields["catch"].key.span,
            help=f"write `catch: {{type: {_said_type(node)}, as: e, do: […]}}`; without `type` it deals with "
            "every failure",
        )
        return None
    fields = read_fields(step.found, node, CATCH)
    types = _types(step, fields)
    name = _name(step, fields)
    if "do" not in fields:
        return None
    caught = step.setting.caught
    step.setting.caught = caught if name is None else (*caught, name.text)
    body = step.read_block(step.setting, fields["do"])
    step.setting.caught = caught
    return Catch(types, name, body, excerpt(node))


def _steps_for_catch(step: StepText, node: Mapping | Sequence) -> Catch:
    """Steps right under `catch`: one that deals with every failure, without its `do`."""
    found = step.found
    better = as_do(found, node)
    found.error(
        "F0103",
        "`catch` takes a map with `type`, `as` and `do`, and these are steps",
        excerpt(node),
        help="write them under `do`; without `type` the catch deals with every failure:\n"
        + shown(column(found, node.span), better),
        fixes=(Fix(node.span, better, "write `do`", safe=True),),
    )
    body = loose_body(step, step.fields["catch"].key, node)
    return Catch((), None, body, excerpt(node))


def _is_plain_step(node: Node) -> bool:
    """Whether a node is a step, and no catch."""
    return (
        isinstance(node, Mapping)
        and is_step(node)
        and not all(entry.key.text in CATCH.keys for entry in node.entries)
    )


def _types(step: StepText, fields: Fields) -> tuple[TaskCallee, ...]:
    entry = fields.get("type")
    if entry is None:
        return ()
    node = entry.value
    nodes = node.items if isinstance(node, Sequence) else (node,)
    if not nodes:
        step.found.error(
            "F0103",
            "`type` is empty",
            entry.key.span,
            help="name the exception classes, `type: [OSError, t.Busy]`, or leave `type` out for all",
        )
    names = step.setting.names
    return tuple(path for each in nodes if (path := read_exception(step.found, each, "type", names)))


def _name(step: StepText, fields: Fields) -> Ident | None:
    if "as" not in fields:
        return None
    return read_name(
        step.found, fields["as"].value, "a caught error", alias_names(step.setting.names.aliases)
    )


def _covered(catches: tuple[Catch, ...]) -> list[tuple[Catch, Catch]]:
    """The catches with nothing left to deal with behind an earlier one, as far as names tell that."""
    found: list[tuple[Catch, Catch]] = []
    for index, later in enumerate(catches):
        wanted = [each.path for each in later.types] or [_EVERY]
        for earlier in catches[:index]:
            known = {each.path for each in earlier.types} or {_EVERY}
            if all(_is_covered(path, known) for path in wanted):
                found.append((earlier, later))
                break
    return found


def _is_covered(path: str, known: set[str]) -> bool:
    if path in known:
        return True
    module, _, name = path.partition(":")
    cls = vars(builtins).get(name) if module == "builtins" else None
    if not isinstance(cls, type):
        return False
    return any(f"builtins:{each.__name__}" in known for each in cls.__mro__)


def _report_covered(step: StepText, earlier: Catch, later: Catch) -> None:
    step.found.error(
        "F0134",
        "this `catch` is never reached",
        later.span,
        help="put the more special types first, or leave this one out",
        labels=(Label(earlier.span, "this one deals with all of its failures"),),
    )
