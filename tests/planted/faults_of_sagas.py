"""The faults that are planted in sagas: see `faults.py`."""

from campaign import Fault

STOPPED = ("tests/core/test_saga_stopped.py",)
REOPENED = ("tests/core/test_saga_reopened.py",)

SAGAS = (
    Fault(
        "a cancel stops the undos of a saga",
        "core/constructs.py",
        "    elif is_undoing(step) or is_finishing(step):\n",
        "    elif is_finishing(step):\n",
        STOPPED,
    ),
    Fault(
        "force stops an undo that is under way",
        "engine/conduct.py",
        "if step not in self.ready and isinstance(run.state.command(step), StopTask):",
        "if step not in self.ready:",
        STOPPED,
    ),
    Fault(
        "a cancelled run does not tell of undos that failed",
        "core/saga.py",
        "            machine.undo_failures.add(path, outcome.failure)\n",
        "",
        STOPPED,
    ),
    Fault(
        "a reopened saga takes what was undone for done",
        "core/saga.py",
        "    return (*blamed, Anew(block_prefix(step.path), saga.first))",
        "    return blamed",
        REOPENED,
    ),
    Fault(
        "sagas around are not told of the first completion inside",
        "core/saga.py",
        "        owner = owner.frame.owner\n",
        "        return\n",
        REOPENED,
    ),
    Fault(
        "what is made anew has the idempotency key of what was undone",
        "core/state.py",
        "                self._anew.update(record.anew)\n",
        "                pass\n",
        REOPENED,
    ),
    Fault(
        "undos run in the order in which sagas inside ended",
        "core/saga.py",
        "        saga.completed.sort(key=lambda one: one.seq)\n",
        "",
        ("tests/core/test_saga.py",),
    ),
)
