"""Sagas of a plain execution: in a `Saga` and its values, out how it ended, taken back if it ended badly."""

from dataclasses import replace

from flowrt.plain.loops import RunBody, describe
from flowrt.plain.scene import Ended, PlainUndo, Scene, Values
from flowrt.program import Saga, Task


def note_undo(op: Task, value: object, env: Values, scene: Scene) -> None:
    """A task has returned: if something takes it back, the saga around keeps that."""
    if op.undo is None or scene.undos is None:
        return
    read = {name: env[name] for name in op.undo.reads}
    if op.undo.own:
        read[op.undo.own] = value
    scene.undos.append(PlainUndo(op.undo.body, read))


def run_saga(op: Saga, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run the body. When it raises, the steps that are completed are taken back, the newest first."""
    undos: list[PlainUndo] = []
    try:
        ended = run_body(op.body, env, replace(scene, undos=undos))
    except Exception as error:
        for undo in reversed(undos):
            try:
                run_body(undo.body, undo.env, replace(scene, undos=None))
            except Exception as failed:  # noqa: BLE001 - one that fails does not stop the others
                error.add_note("An undo failed: {}: {}".format(*describe(failed)))
        raise
    if scene.undos is not None:
        scene.undos.extend(undos)
    return ended
