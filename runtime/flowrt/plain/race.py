"""Races of a plain execution: in a `Race` and its values, out how it ended.

Branches run one after another, so it is the first in the order of the text that win. A branch that waits
for what never comes is one that never ends: the others go on without it.
"""

from flowrt.core.race import too_few
from flowrt.plain.loops import RunBody, count_of, describe
from flowrt.plain.scene import Done, Ended, Left, NeverEnds, PlainFailure, Scene, Values
from flowrt.program import Race


def run_race(op: Race, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run branches until enough have ended well."""
    need = 1 if op.need is None else count_of("need", scene.evaluate(op.need, env))
    if need > len(op.branches):
        raise PlainFailure("flowrt.NeedNotMet", too_few(need, len(op.branches), 0, ()))
    values: list[object] = []
    failed: list[tuple[str, str, str]] = []
    waits: NeverEnds | None = None
    for branch in op.branches:
        try:
            ended = run_body(branch.body, env, scene)
        except NeverEnds as error:
            waits = error
            continue
        except Exception as error:
            if op.errors == "fail":
                raise
            failed.append((branch.id, *describe(error)))
            if len(op.branches) - len(failed) < need:
                message = too_few(need, len(op.branches), len(values), failed)
                raise PlainFailure("flowrt.NeedNotMet", message) from error
            continue
        if isinstance(ended, Left):
            return ended
        values.append(ended.value)
        if len(values) == need:
            return Done(values[0] if op.need is None else values)
    assert waits is not None, "every other branch has ended, one way or another"
    raise waits
