"""View: what a run looks like from outside: its steps, what it waits for, its result.

In: a store. Out: a `RunView`, made by folding the journal with an observer that notes the steps.
"""

from dataclasses import dataclass, field

from flowrt.command import AwaitEvent, AwaitLock, AwaitTimer
from flowrt.core.path import LIMIT
from flowrt.core.state import State
from flowrt.encoding.pack import decode_program, decode_record
from flowrt.engine.fold import fold
from flowrt.errors import FlowrtError
from flowrt.listing import status_of
from flowrt.observer import StepEnd, StepKind
from flowrt.record import Computed, Failure, Received, Reopened, Succeeded
from flowrt.store.port import Store
from flowrt.store.rows import RunRow, RunStatus
from flowrt.value import Handle


class UnknownStep(FlowrtError):
    """The run has no recorded result for that step."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that waits: `kind` is `sleep`, `event`, `pause` (of a block, before its next attempt) or `lock`.

    The name of a lock is the `key`. `until` is in microseconds, None for no time-out.
    """

    step: str
    kind: str
    event: str | None
    key: str | None
    until: int | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A block, or the whole run (`step` is empty), that may take until an instant."""

    step: str
    until: int


@dataclass(slots=True)
class StepView:
    """A step as `show` tells it; instants in microseconds, None where the journal has none.

    `status` is `running waiting retrying succeeded failed stopped`, or `open` for a step that was begun in a
    run that nobody has now.
    """

    id: str
    kind: StepKind
    status: str = "running"
    attempts: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run from outside."""

    row: RunRow
    status: RunStatus
    inputs: tuple[tuple[str, Handle], ...]
    value: Handle | None
    failure: Failure | None
    waiting: tuple[Waiting, ...]
    bounds: tuple[Bound, ...]
    steps: tuple[StepView, ...]


@dataclass(slots=True)
class StepNotes:
    """An observer that keeps what it is told."""

    steps: dict[str, StepView] = field(default_factory=dict[str, StepView])

    def opened(self, step: str, kind: StepKind) -> None:
        """Note a new step."""
        self.steps[step] = StepView(step, kind)

    def expanded(self, step: str, count: int) -> None:
        """Nothing is kept of this."""

    def attempted(self, step: str, attempt: int, error: str, started_at: int, ended_at: int) -> None:
        """Note an attempt."""
        view = self.steps[step]
        view.attempts = attempt
        view.started_at = view.started_at or started_at
        view.ended_at = ended_at
        view.error = error or None
        if error:
            view.status = "retrying"

    def waiting(self, step: str, event: str, key: str | None, due_at: int) -> None:  # noqa: ARG002
        """Note that the step waits."""
        self.steps[step].status = "waiting"

    def queued(self, step: str, lock: str) -> None:  # noqa: ARG002
        """Note that the step waits."""
        self.steps[step].status = "waiting"

    def admitted(self, step: str) -> None:
        """Note that it does no more."""
        self.steps[step].status = "running"

    def closed(self, step: str, end: StepEnd, error: str) -> None:
        """Note the end."""
        view = self.steps[step]
        view.status = end
        view.error = error or None


def view(store: Store, run_id: str) -> RunView:
    """Look at a run. Raises UnknownRun, StoreError."""
    row = store.run(run_id)
    program = decode_program(store.program(row.program_digest))
    notes = StepNotes()
    state = fold(store, run_id, program, notes).state
    ended = state.ended
    status = ended.status if ended else status_of(row)
    if status not in ("running", "waiting"):
        for step in notes.steps.values():
            # Nobody works on it, whatever was under way when somebody last did.
            step.status = "open" if step.status == "running" else step.status
    # A run that was terminated has ended with steps open.
    waits = [] if ended else [_waiting(command, state) for command in state.open_commands]
    return RunView(
        row=row,
        status=status,
        inputs=state.started.inputs if state.started else (),
        value=ended.value if ended else None,
        failure=ended.failure if ended else None,
        waiting=tuple(found for found in waits if isinstance(found, Waiting)),
        bounds=tuple(found for found in waits if isinstance(found, Bound)),
        steps=tuple(notes.steps.values()),
    )


def _waiting(command: object, state: State) -> Waiting | Bound | None:
    match command:
        case AwaitTimer(step, due_at):
            kind = state.timer_kind(step)
            if kind in ("bound", "limit"):
                return Bound("" if step == LIMIT else step, due_at)
            return Waiting(step, kind, None, None, due_at)
        case AwaitEvent(step, wait, _, key, due_at):
            return Waiting(step, "event", wait.event, key, due_at or None)
        case AwaitLock(step, lock):
            return Waiting(step, "lock", None, lock, None)
        case _:
            return None


def step_value(store: Store, run_id: str, step: str) -> Handle:
    """The recorded value of a step. Raises UnknownRun, UnknownStep."""
    found: tuple[int, Handle] | None = None
    voided: set[int] = set()
    for row in store.journal(run_id):
        record = decode_record(row.data)
        if isinstance(record, Reopened):
            voided.update(record.voided)
        match record:
            case Succeeded(path, value) | Computed(path, value) if path == step:
                found = (row.seq, value)
            case Received(path, _, value) if path == step:
                found = (row.seq, value)
            case _:
                pass
    if found is None or found[0] in voided:
        message = (
            f"Run {run_id} has no recorded result of a step `{step}`; see `flowc show {run_id}`. A loop or "
            "a block has none of its own: name a step inside it."
        )
        raise UnknownStep(message)
    return found[1]
