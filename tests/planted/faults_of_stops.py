"""Faults around what ends or holds up a run: cancels, attempts that may be made once, clocks."""

from campaign import Fault

CANCELLING = ("tests/core/test_cancelling.py",)
ONCE = ("tests/core/test_once.py",)
SERVING = ("tests/core/test_serving.py",)

STOPS = (
    Fault(
        "cancel does not wait until the owner has heard it",
        "engine/cancelling.py",
        "        if row.status in ENDED or (told and somebody_has_it):\n",
        "        if row.status in ENDED or somebody_has_it:\n",
        CANCELLING,
    ),
    Fault(
        "what does not stop when asked is never forced",
        "engine/conduct.py",
        '            self.timers.set(Timer(self.clock.now() + GRACE_US, self.run.run_id, step, "force"))',
        "            pass",
        CANCELLING,
    ),
    Fault(
        "cancel --now gives time all the same",
        "engine/conduct.py",
        "        self.executor.stop(key, force=self.forced)\n        if not self.forced:\n",
        "        self.executor.stop(key, force=False)\n        if True:\n",
        CANCELLING,
    ),
    Fault(
        "cancel --now behind a cancel is not heard",
        "engine/conduct.py",
        "        elif cancel.force and not self.forced:",
        "        elif False:",
        CANCELLING,
    ),
    Fault(
        "the intent of an attempt that may be made once is not recorded",
        "core/constructs.py",
        "    elif task.once:\n        open_once(machine, step)\n",
        "",
        ONCE,
    ),
    Fault(
        "an attempt that was begun is made again by whoever takes the run up",
        "engine/engine.py",
        "for lost in unknown_outcomes(run.state, self.clock.now()):",
        "for lost in ():",
        ONCE,
    ),
    Fault(
        "an attempt that was stopped in a saga is made again with it in silence",
        "engine/fold.py",
        "        if not isinstance(record, Begun | Stopped):",
        "        if not isinstance(record, Begun):",
        ONCE,
    ),
    Fault(
        "who reopens a run does not void the intent",
        "core/constructs.py",
        "Broken(failure, (*step.begun, *(step.retried or ()), seq, *told))",
        "Broken(failure, (*(step.retried or ()), seq, *told))",
        ONCE,
    ),
    Fault(
        "a clock that was put back holds everything up",
        "engine/care.py",
        "        if now < last:\n",
        "        if False:\n",
        SERVING,
    ),
    Fault(
        "what an engine did before it took its own run again goes on",
        "engine/held.py",
        "        if before is not None:\n            self.drop(before)\n",
        "",
        SERVING,
    ),
    Fault(
        "a blob that waited for its record is not put again",
        "engine/conduct.py",
        "            if now - put_at > STALE_US:\n",
        "            if False:\n",
        ("tests/core/test_durability.py",),
    ),
    Fault(
        "a run that cannot go on here is laid aside for ever",
        "engine/serve.py",
        "        self._release(row, wake_at=wake_at, problem=problem)",
        '        self._release(row, "suspended", problem=problem)',
        ("tests/core/test_serving_trouble.py",),
    ),
)
