"""What the journal of a run says, by step. In: a store and a run's id; out: `Facts`."""

from dataclasses import dataclass, field

from flowrt.command import Command
from flowrt.core.state import State
from flowrt.encoding.pack import decode_program, decode_record
from flowrt.engine.fold import fold
from flowrt.observer import StepEnd, StepKind
from flowrt.program import Program
from flowrt.record import CancelRequested, Ended, Record, Reopened, Started
from flowrt.store.port import Store
from flowrt.store.rows import RunRow


@dataclass(slots=True)
class Closed:
    """An observer that notes how steps ended; those that are open have no entry in `ends`."""

    opened_steps: set[str] = field(default_factory=set[str])
    ends: dict[str, tuple[StepEnd, str]] = field(default_factory=dict[str, tuple[StepEnd, str]])

    def opened(self, step: str, kind: StepKind) -> None:  # noqa: ARG002
        """A step was started."""
        self.opened_steps.add(step)
        self.ends.pop(step, None)

    def expanded(self, step: str, count: int) -> None:
        """The journal's own record says it."""

    def attempted(self, step: str, attempt: int, error: str, started_at: int, ended_at: int) -> None:
        """The journal's own record says it."""

    def waiting(self, step: str, event: str, key: str | None, due_at: int) -> None:
        """The journal's own record says it."""

    def queued(self, step: str, lock: str) -> None:
        """The journal's own record says it."""

    def admitted(self, step: str) -> None:
        """The journal's own record says it."""

    def closed(self, step: str, end: StepEnd, error: str) -> None:
        """A step ended."""
        self.ends[step] = (end, error)


@dataclass(frozen=True, slots=True)
class Facts:
    """A run with its records by step, what voided records and other epochs there are, and how steps ended.

    `records` holds for each step the epoch, the record, and whether a reopening has voided it. `taken_up`
    are the epochs under which owners have written records, with the number of the first.
    """

    row: RunRow
    program: Program
    state: State
    steps: Closed
    records: dict[str, list[tuple[int, Record, bool]]]
    cancels: list[CancelRequested]
    reopened: list[Reopened]
    taken_up: list[tuple[int, int]]

    def command(self, step: str) -> Command | None:
        """What is wanted of a step now."""
        return self.state.command(step)

    def of(self, step: str) -> list[Record]:
        """The records of a step that count."""
        return [record for _, record, voided in self.records.get(step, []) if not voided]


def facts_of(store: Store, run_id: str) -> Facts:
    """Read a run. Raises UnknownRun, StoreError."""
    row = store.run(run_id)
    program = decode_program(store.program(row.program_digest))
    steps = Closed()
    state = fold(store, run_id, program, steps).state
    found = Facts(row, program, state, steps, {}, [], [], [])
    numbered: list[tuple[int, int, Record]] = []
    voided: set[int] = set()
    for line in store.journal(run_id):
        record = decode_record(line.data)
        if line.epoch and (not found.taken_up or found.taken_up[-1][0] != line.epoch):
            found.taken_up.append((line.epoch, line.seq))
        match record:
            case CancelRequested():
                found.cancels.append(record)
            case Reopened():
                found.reopened.append(record)
                voided.update(record.voided)
            case Started() | Ended():
                pass
            case _:
                numbered.append((line.seq, line.epoch, record))
    for seq, epoch, record in numbered:
        assert not isinstance(record, Started | CancelRequested | Reopened | Ended), "those have no step"
        found.records.setdefault(record.step, []).append((epoch, record, seq in voided))
    return found
