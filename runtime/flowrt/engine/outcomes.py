"""Outcomes of attempts as records. In: an attempt's end and the command that it answers; out: a record.

Whether another attempt follows is decided here, by the retry policy of the task.
"""

from dataclasses import dataclass
from random import random

from flowrt.command import Command, RunTask
from flowrt.core.retry import lost_attempt_at, next_attempt_at
from flowrt.engine.once import unknown_outcome
from flowrt.engine.perform import Performer
from flowrt.executor.port import AttemptKey, Halted, Lost, Outcome, Raised, Returned
from flowrt.record import Failed, Failure, Record, Retrying, Stopped, Succeeded


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Makes the records of one run."""

    performer: Performer

    def record(self, key: AttemptKey, outcome: Outcome, command: Command | None, now: int) -> Record:
        """What is recorded of an attempt that has ended."""
        match outcome:
            case Returned(value, started_at, ended_at):
                return Succeeded(key.step, value, key.attempt, started_at, ended_at)
            case Raised() if isinstance(command, RunTask):
                return self._raised(command, outcome)
            case Lost() | Halted() if isinstance(command, RunTask) and command.task.once:
                return unknown_outcome(command, now)
            case Lost() if isinstance(command, RunTask):
                return _lost(command, outcome, now)
            case Raised() | Lost() | Halted():
                return Stopped(key.step, now)

    def _raised(self, command: RunTask, outcome: Raised) -> Record:
        step, task, attempt = command.step, command.task, command.attempt
        at = None
        if task.retry is not None and outcome.retryable:
            retry = task.retry
            policy = self.performer.guard(step, lambda: self.performer.policy(retry, command.env))
            if isinstance(policy, Failed):
                return policy
            at = next_attempt_at(
                policy,
                outcome.failure,
                attempt - 1 - command.lost_count,
                command.first_at or outcome.started_at,
                outcome.ended_at,
                random(),  # noqa: S311 - jitter
            )
        if at is None:
            return Failed(step, outcome.failure, attempt, outcome.started_at, outcome.ended_at)
        return Retrying(step, outcome.failure, attempt, outcome.started_at, outcome.ended_at, at)


def _lost(command: RunTask, outcome: Lost, now: int) -> Record:
    failure = Failure("flowrt.WorkerLost", outcome.reason, command.step)
    at = lost_attempt_at(command.lost_count, command.task.lost_max, now)
    if at is None:
        times = command.lost_count + 1
        message = f"{outcome.reason} This happened {times} times; the step is not tried again."
        failure = Failure("flowrt.WorkerLost", message, command.step)
        return Failed(command.step, failure, command.attempt, now, now)
    return Retrying(command.step, failure, command.attempt, now, now, at, lost=True)
