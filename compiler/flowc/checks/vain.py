"""Values that nobody can read: steps without a name that compute something and do nothing else."""

from collections.abc import Iterator

from flowc.diagnostic import Diagnostic, Fix
from flowc.ir import Block, Steps, Value
from flowc.scope.blocks import blocks_of, steps_in
from flowc.scope.facts import FlowFacts
from flowc.span import Source, Span
from flowrt.expr.tree import Attribute, Compare, Const, Expr, Name


def vain_values(facts: FlowFacts) -> Iterator[Diagnostic]:
    """A `value` without a name that is not the last of its block, whose value would be that of the block."""
    body = facts.flow.body
    inner = (block for step in steps_in(body) for block in blocks_of(step))
    for block in (body, *inner):
        for step in _before_last(block):
            if (
                isinstance(step, Value)
                and step.meta.id is None
                and not step.meta.prelude
                and _is_read(step.expr)
            ):
                yield _finding(step, facts.file.source)


def _before_last(block: Block) -> tuple[object, ...]:
    return block.steps[:-1] if isinstance(block, Steps) else ()


def _is_read(expr: Expr) -> bool:
    """Whether an expression was understood: nothing more is said of what `resolve` puts in its place."""
    return not (isinstance(expr, Attribute) and isinstance(expr.value, Const))


def _finding(step: Value, source: Source) -> Diagnostic:
    span = Span(*step.expr.at)
    hint, fixes = "", tuple[Fix, ...]()
    match step.expr:
        case Compare(Name(name), (("==", value),)):
            text = source.text[slice(*value.at)]
            better = source.either(f"id: {name}` with `value: {text}", f"{name} = {text}")
            hint = f"did you mean `{better}`?"
            fixes = (Fix(span, better, f"write `{better}`"),) if source.is_dsl else ()
        case _:
            pass
    return Diagnostic(
        "F0224",
        "this value has no name, so nothing can read it",
        source,
        span,
        hint=hint,
        help=source.either(
            "give the step an `id`, or leave it out", "write `name = …`, or leave the line out"
        ),
        fixes=fixes,
        severity="warning",
    )
