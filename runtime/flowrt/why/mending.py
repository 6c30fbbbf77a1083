"""What can be done about the failure of a run. In: the failure and the journal; out: a sentence.

What a task did is done again when a failed run goes on, with mended code or in a mended world. What the flow
itself came to, an expression or a `fail`, would come out the same: its text and its values are recorded.
"""

from flowrt.encoding.pack import decode_record
from flowrt.record import Failed, Failure
from flowrt.store.port import Store

_OF_THE_FLOW = frozenset({"flowrt.LoopLimit", "flowrt.RecursionLimit"})


def way_out(store: Store, run_id: str, failure: Failure | None, resume: str) -> str:
    """How a run that has failed can be mended; `resume` is the command that continues it."""
    if failure is not None and failure.type == "flowrt.FlowFailed":
        return "the flow says so by `fail`, and what led to it is recorded: start a new run"
    if failure is not None and _flow_decides(store, run_id, failure):
        return (
            "the flow itself comes to that, and a run keeps its flow and the values it has: "
            "mend the flow, or the task that gave the value, and start a new run"
        )
    return f"once the cause is mended, `{resume}` continues the run"


def _flow_decides(store: Store, run_id: str, failure: Failure) -> bool:
    """Whether the failure is one of the flow's own text: no attempt of a task had it."""
    if failure.type.startswith("flowrt.") and failure.type not in _OF_THE_FLOW:
        return False
    if failure.traceback or not failure.step:
        return False
    step = failure.step.encode()
    for row in store.journal(run_id):
        if step not in row.data:
            continue
        match decode_record(row.data):
            case Failed(at, _, attempt) if at == failure.step and attempt > 0:
                return False
            case _:
                pass
    return True
