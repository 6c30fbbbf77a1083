"""Perform: what the engine does itself for a command, without a worker: pure values, bounds, instants.

In: a command, its environment, the time. Out: the record that answers it. An expression that raises
fails its step: the failure is a record, with the exception's type and message.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import random
from typing import TypeVar
from uuid import uuid4

from flowrt.amounts import DEDUPE_BYTES, duration_us, event_key, event_name, instant_us, number, whole_number
from flowrt.clock import Clock
from flowrt.command import (
    Choose,
    Decide,
    EndRun,
    EnterBlock,
    Evaluate,
    Expand,
    RetryBlock,
    SendEvent,
    StartSleep,
    StartWait,
    TakeSample,
)
from flowrt.context import idempotent_step
from flowrt.core.retry import Policy, next_attempt_at
from flowrt.encoding.values import Values
from flowrt.engine.lazy_env import LazyEnv
from flowrt.engine.narrow import narrow
from flowrt.errors import StoreError
from flowrt.executor.failure import failure_of
from flowrt.executor.port import RunFacts
from flowrt.expr.choose import choose
from flowrt.expr.evaluate import evaluate, truth
from flowrt.expr.tree import Expr
from flowrt.failpoint import hit
from flowrt.inputs.payload import hold_payload
from flowrt.program import Retry, Sleep
from flowrt.record import (
    Chosen,
    Computed,
    Decided,
    Emitted,
    Ended,
    Entered,
    Expanded,
    Failed,
    Failure,
    Retrying,
    Sleeping,
    Waiting,
)
from flowrt.schedule import slot_after
from flowrt.store.rows import NewEvent
from flowrt.value import Handle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Performer:
    """Evaluates for one run. `catches` says which exception classes are asked for around a step."""

    values: Values
    facts: RunFacts
    clock: Clock
    catches: Callable[[str], tuple[str, ...]]

    def env(self, handles: Mapping[str, Handle]) -> LazyEnv:
        """The environment of an expression."""
        return LazyEnv(self.values, handles, self.facts)

    def evaluate(self, command: Evaluate) -> Computed | Failed:
        """The value of a pure step; a step that fails with a text fails here."""

        def work() -> Computed | Failed:
            value = evaluate(command.expr, self.env(command.env))
            if command.want == "fail":
                return self._failed(command.step, Failure("flowrt.FlowFailed", str(value), command.step))
            return Computed(command.step, self.values.record(value))

        return self.guard(command.step, work)

    def decide(self, command: Decide) -> Decided | Failed:
        """What a condition comes to: only True and False will do."""
        return self.guard(
            command.step,
            lambda: Decided(command.step, truth(evaluate(command.expr, self.env(command.env)))),
        )

    def choose(self, command: Choose) -> Chosen | Failed:
        """Which case of a `switch` is the one."""
        env, switch = self.env(command.env), command.switch
        cases = [case.values for case in switch.cases]
        return self.guard(
            command.step,
            lambda: Chosen(command.step, choose(switch.subject, cases, lambda expr: evaluate(expr, env))),
        )

    def expand(self, command: Expand) -> Expanded | Failed:
        """How many items a loop has, and its bounds."""

        def work() -> Expanded:
            env = self.env(command.env)
            return Expanded(
                command.step,
                self.values.count(command.items) if command.items is not None else 0,
                _bound("parallel" if command.items is not None else "max", command.parallel, env),
                _bound("need", command.need, env, least=0 if command.items is not None else 1),
                _bound("batch", command.batch, env),
            )

        return self.guard(command.step, work)

    def sample(self, command: TakeSample) -> Computed:
        """A value that differs each time."""
        now = datetime.fromtimestamp(self.clock.now() / 1_000_000, UTC)
        value: object
        match command.sample.what:
            case "now":
                value = now
            case "today":
                value = now.date()
            case "uuid":
                value = str(uuid4())
            case "random":
                value = random()  # noqa: S311 - not for secrets; the language's `random()`
        return Computed(command.step, self.values.record(value))

    def sleep(self, command: StartSleep) -> Sleeping | Failed:
        """When a pause is over."""

        def work() -> Sleeping:
            env = self.env(command.env)
            if command.sleep.until is not None:
                return Sleeping(command.step, instant_us(evaluate(command.sleep.until, env)))
            if command.sleep.cron is not None:
                return Sleeping(command.step, self._slot(command.sleep, command.sleep.cron, env))
            assert command.sleep.duration is not None, "a sleep says until when"
            length = duration_us("sleep", evaluate(command.sleep.duration, env))
            return Sleeping(command.step, self.clock.now() + length)

        return self.guard(command.step, work)

    def _slot(self, sleep: Sleep, cron: Expr, env: LazyEnv) -> int:
        """The next slot of a cron expression."""
        tz = "UTC" if sleep.tz is None else evaluate(sleep.tz, env)
        return slot_after(evaluate(cron, env), tz, self.clock.now())

    def wait(self, command: StartWait) -> Waiting | Failed:
        """The key of a wait, and when it times out."""

        def work() -> Waiting:
            env = self.env(command.env)
            wait = command.wait
            key = None if wait.key is None else event_key(evaluate(wait.key, env))
            due_at = 0
            if wait.timeout is not None:
                due_at = self.clock.now() + duration_us("timeout", evaluate(wait.timeout, env))
            return Waiting(command.step, event_name(wait.event), key, due_at)

        return self.guard(command.step, work)

    def event(self, command: SendEvent, times_anew: int) -> tuple[Emitted | Failed, NewEvent | None]:
        """The event to be sent, named for ever by its run and step, and how often its saga began anew."""
        emit = command.emit

        def work() -> NewEvent:
            env = self.env(command.env)
            payload = evaluate(emit.payload, env) if emit.payload is not None else None
            hold_payload(emit.event, payload, emit.type)
            return NewEvent(
                name=event_name(emit.event),
                key=None if emit.key is None else event_key(evaluate(emit.key, env)),
                payload=self.values.encode(payload),
                at=self.clock.now(),
                dedupe=_dedupe(self.facts, idempotent_step(command.step, times_anew)),
            )

        event = self.guard(command.step, work)
        if isinstance(event, Failed):
            return event, None
        return Emitted(command.step, emit.event), event

    def end(self, command: EndRun) -> Ended:
        """The end of the run. Its value refers to nothing larger than itself. Raises StoreError."""
        now, value = self.clock.now(), command.value
        if value is None:
            return Ended(now, command.status, None, command.failure)
        narrowed = self.guard("", lambda: narrow(value, self.values))
        if isinstance(narrowed, Failed):
            return Ended(now, "failed", None, narrowed.failure)
        return Ended(now, command.status, narrowed, command.failure)

    def enter(self, command: EnterBlock) -> Entered | Failed:
        """When the time of an attempt of a block is up."""

        def work() -> Entered:
            now, due_at = self.clock.now(), 0
            if command.timeout is not None:
                length = evaluate(command.timeout, self.env(command.env))
                due_at = now + duration_us("timeout", length)
            return Entered(command.step, command.attempt, now, due_at)

        entered = self.guard(command.step, work)
        hit("enter.noted")
        return entered

    def retry(self, command: RetryBlock) -> Retrying | Failed:
        """Whether a block that failed is made again, and when."""
        policy = self.guard(command.step, lambda: self.policy(command.retry, command.env))
        if isinstance(policy, Failed):
            return policy
        now = self.clock.now()
        first_at = command.first_at or now
        at = next_attempt_at(
            policy,
            command.failure,
            command.attempt - 1,
            first_at,
            now,
            random(),  # noqa: S311 - jitter
        )
        hit("again.noted")
        if at is None:
            return Failed(command.step, command.failure, command.attempt, first_at, now)
        return Retrying(command.step, command.failure, command.attempt, first_at, now, at)

    def policy(self, retry: Retry, handles: Mapping[str, Handle]) -> Policy:
        """A retry policy in numbers. Raises what its expressions raise."""
        env = self.env(handles)
        within = None if retry.within is None else duration_us("within", evaluate(retry.within, env))
        return Policy(
            max=whole_number("max", evaluate(retry.max, env), 0),
            delay_us=duration_us("delay", evaluate(retry.delay, env)),
            factor=number("factor", evaluate(retry.factor, env)),
            cap_us=duration_us("cap", evaluate(retry.cap, env)),
            jitter=retry.jitter,
            catch=retry.catch,
            unless=retry.unless,
            within_us=within,
        )

    def guard(self, step: str, work: Callable[[], T]) -> T | Failed:
        """What `work` returns, or the failure of the step when it raises. Raises StoreError."""
        try:
            return work()
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an expression raises fails its step
            return self._failed(step, failure_of(error, step, self.catches(step), of_engine=True))

    def _failed(self, step: str, failure: Failure) -> Failed:
        now = self.clock.now()
        return Failed(step, failure, 0, now, now)


def _dedupe(run: RunFacts, step: str) -> str:
    """What names the event of a step for ever; deep in a recursion a path is longer than an index takes.

    A run that has the id of one that was deleted is another run: the events of that one are still known.
    """
    begun = f"{run.id}@{run.started_at}"
    name = f"{begun}/{step}"
    if len(name.encode()) <= DEDUPE_BYTES:
        return name
    return f"{begun}/{hashlib.sha256(step.encode()).hexdigest()}"


def _bound(what: str, expr: Expr | None, env: LazyEnv, least: int = 1) -> int:
    return 0 if expr is None else whole_number(what, evaluate(expr, env), least)
