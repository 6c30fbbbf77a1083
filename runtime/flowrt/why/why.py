"""Why: the explanation of a run or a step, in sentences. In: a store, a run's id, a step's path, the time."""

import difflib

from flowrt.command import AwaitEvent, AwaitLock
from flowrt.core.path import LIMIT
from flowrt.engine.drive import owned
from flowrt.errors import FlowrtError
from flowrt.record import Ended, Failed
from flowrt.store.port import Store
from flowrt.store.rows import RunRow
from flowrt.why.facts import Facts, facts_of
from flowrt.why.history import at, event_text, goes_on, history, is_actor, said
from flowrt.why.mending import way_out
from flowrt.why.unreached import not_started, way_to

QUEUE_MAX = 10_000
"""So many places of the queue for a lock are looked at."""

OPEN_MAX = 20
"""How many of the steps that are open are told of a run."""


class NoSuchStep(FlowrtError):
    """The flow of the run has no such step."""


def why_run(store: Store, run_id: str, now: int) -> list[str]:
    """Why a run stands as it does: what happened to it, what it waits for, why it failed.

    Raises UnknownRun, StoreError.
    """
    facts = facts_of(store, run_id)
    lines = [_standing(facts, now), *_past(facts)]
    ended = facts.state.ended
    if ended is not None:
        return lines + _end(store, facts, ended)
    owner = _owner(facts.row, now)
    for saga, left in facts.state.undoing:
        lines.append(f"saga `{saga}` is being undone: {left} more undos follow the one that is open")
    open_ = facts.state.open_commands
    for command in open_[:OPEN_MAX]:
        step = getattr(command, "step", "")
        if step:
            told = goes_on(command, facts.state.timer_kind(step), now, owner)
            lines.append(told if step == LIMIT else f"step `{step}`: {told}")
        if isinstance(command, AwaitLock):
            lines += _queue(store, facts, command)
    if len(open_) > OPEN_MAX:
        lines.append(f"… and {len(open_) - OPEN_MAX} more steps that are open: flowc show {run_id}")
    return lines


def why_step(store: Store, run_id: str, step: str, now: int) -> list[str]:
    """Why a step ran, or did not, or has not yet. Raises UnknownRun, NoSuchStep, StoreError."""
    facts = facts_of(store, run_id)
    if step not in facts.steps.opened_steps and way_to(facts.program, step) is None:
        meant = _meant(step, list(facts.steps.opened_steps))
        hint = f" Did you mean `{meant}`?" if meant else f" `flowc show {run_id}` lists those that have run."
        raise NoSuchStep(f"The flow of run {run_id} has no step `{step}`.{hint}")
    if step not in facts.steps.opened_steps:
        return [f"step `{step}` was not started", *not_started(facts, step)]
    lines = [f"step `{step}` {_stands(facts, step)}"]
    records = facts.records.get(step, [])
    for told, (epoch, _, voided) in zip(history(one for _, one, _ in records), records, strict=True):
        void = " (this counts no more: the run was reopened)" if voided else ""
        lines.append(f"{told} [epoch {epoch}]{void}")
    if f"{step}.undo" in facts.steps.opened_steps:
        lines.append(f"what it did is taken back: step `{step}.undo` {_stands(facts, f'{step}.undo')}")
    command = facts.command(step)
    if command is not None:
        timer = facts.state.timer_kind(step)
        lines.append(goes_on(command, timer, now, _owner(facts.row, now)))
    if isinstance(command, AwaitEvent):
        lines += _passed_over(store, facts, command)
    elif isinstance(command, AwaitLock):
        lines += _queue(store, facts, command)
    return lines


def _meant(step: str, opened: list[str]) -> str | None:
    """The step that somebody meant who gave its `id` alone, the path of a body, or a path with a slip."""
    close = difflib.get_close_matches(step, opened, n=1)
    inside = (
        path for path in opened if path.endswith(f".{step}") or path.startswith((f"{step}.", f"{step}["))
    )
    return min(inside, default=next(iter(close), None))


def _standing(facts: Facts, now: int) -> str:
    row, ended = facts.row, facts.state.ended
    name = f"run {row.run_id} of flow `{row.flow}`"
    if ended is not None:
        how = "was cancelled" if ended.status == "cancelled" else ended.status
        return f"{name} {how} at {at(ended.at)}"
    owner = _owner(row, now)
    if owner is not None:
        return f"{name} is {row.status}; {owner} has it"
    if row.problem is not None:
        return f"{name} was laid aside: {row.problem}"
    if row.served and row.status in ("pending", "running"):
        return f"{name} is due: it goes on as soon as a `flowc serve` takes it"
    if row.served and row.status == "waiting":
        due = f"until {at(row.wake_at)}, or for its events" if row.wake_at else "for its events"
        return f"{name} waits {due}; it is parked in the store, and no process has it"
    return f"{name} is suspended: no process has it. Continue it with `flowc resume {row.run_id}`"


def _past(facts: Facts) -> list[str]:
    lines: list[str] = []
    if len(facts.taken_up) > 1:
        epochs = ", ".join(f"epoch {epoch} from record {seq}" for epoch, seq in facts.taken_up)
        lines.append(f"it was taken up by {len(facts.taken_up)} owners in turn: {epochs}")
    lines += [f"it was continued behind its failure at {at(one.at)}" for one in facts.reopened]
    for request in facts.cancels:
        reason = f": {request.reason}" if request.reason else ""
        lines.append(f"somebody asked at {at(request.at)} for it to be cancelled{reason}")
    return lines


def _end(store: Store, facts: Facts, ended: Ended) -> list[str]:
    failure = ended.failure
    if failure is None:
        return []
    if ended.status == "cancelled":
        return failure.message.splitlines()
    where = f"step `{failure.step}` failed" if failure.step else "it failed"
    lines = [f"{where}: {said(failure)}"]
    if failure.step:
        lines += history(facts.of(failure.step))
    others = sorted(
        step
        for step in facts.records
        if step != failure.step and any(isinstance(record, Failed) for record in facts.of(step))
    )
    if others:
        lines.append("other steps that failed: " + ", ".join(f"`{step}`" for step in others[:OPEN_MAX]))
    resume = f"flowc resume {facts.row.run_id} --failed"
    lines.append(way_out(store, facts.row.run_id, failure, resume))
    return lines


def _stands(facts: Facts, step: str) -> str:
    end = facts.steps.ends.get(step)
    if end is None:
        return "was started and has not ended"
    return {"succeeded": "succeeded", "failed": "failed", "stopped": "was stopped"}[end[0]]


def _owner(row: RunRow, now: int) -> str | None:
    if row.owner is None or not owned(row, now):
        return None
    return f"process {row.owner.pid} on {row.owner.host}"


def _queue(store: Store, facts: Facts, command: AwaitLock) -> list[str]:
    """Who holds the lock that a step waits for, and how many are before it."""
    rows = store.lock_queue(command.lock, QUEUE_MAX)
    held = [f"run {row.run_id} (step `{row.step}`)" for row in rows if row.granted]
    if not held:
        nobody = "nobody calls the actor" if is_actor(command.lock) else "nobody holds the lock"
        return [f"{nobody} `{command.lock}`: it comes as soon as a process has the run"]
    ahead = [row for row in rows if not row.granted]
    before = next(
        (n for n, row in enumerate(ahead) if (row.run_id, row.step) == (facts.row.run_id, command.step)), None
    )
    what, how = ("actor", "called") if is_actor(command.lock) else ("lock", "held")
    lines = [f"the {what} `{command.lock}` is {how} by {', '.join(held[:OPEN_MAX])}"]
    if before is not None:
        lines.append(f"{before} others wait for it before this step" if before else "this step is the next")
    return lines


def _passed_over(store: Store, facts: Facts, command: AwaitEvent) -> list[str]:
    """Events that came and were not taken: they were for others, or `match` did not accept them."""
    consumed = facts.state.consumed
    rows = store.events(command.wait.event, command.key, facts.row.run_id, facts.row.events_after, 100)
    rest = [row for row in rows if row.event_id not in consumed]
    what = event_text(command.wait.event, command.key)
    if not rest:
        return [f"since the run was created, no other {what.removeprefix('an ')} has been accepted"]
    if command.wait.match is not None:
        numbers = ", ".join(str(row.event_id) for row in rest[:5])
        return [
            f"{len(rest)} such events have come (numbers {numbers}), and its `match` accepted none of them"
        ]
    return [f"{len(rest)} such events have come, and it takes the first as soon as a process has the run"]
