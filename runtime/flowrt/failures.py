"""The failures that flowrt itself finds in a run, as exception classes: in nothing; out names for `catch`.

A step's failure is a record. What flowrt finds by itself is recorded under the name of one of these classes,
such as `flowrt.WaitTimedOut`, so that `catch: flowrt:WaitTimedOut`, or `catch: TimeoutError`, means it:

    Exception
    ├── FlowFailed            a step `fail`
    ├── LocksInCircle         runs wait for one another's locks, and this one closed the circle
    ├── LoopLimit             a loop ran its `max` of rounds
    ├── NeedNotMet            fewer branches or bodies have succeeded than `need` asks for
    ├── OutcomeUnknown        the one attempt of a step with `retry: never` was begun, and no more is known
    ├── WorkerLost            the workers of a step were lost time and again
    ├── RecursionError
    │   └── RecursionLimit    flows call each other too deep
    └── OSError
        └── TimeoutError      also what an attempt fails with that took longer than its `timeout`
            ├── BlockTimedOut     a block took longer than its `timeout`
            └── WaitTimedOut      no event came in time

A task may raise them as well, as any class.
"""


class FlowFailed(Exception):
    """A step `fail` was reached."""


class LocksInCircle(Exception):
    """A lock would never come: those who hold it wait for what this run holds."""


class LoopLimit(Exception):
    """A loop ran its `max` of rounds and was not done."""


class NeedNotMet(Exception):
    """Fewer branches or bodies have succeeded than `need` asks for."""


class OutcomeUnknown(Exception):
    """The one attempt of a step was begun, and nobody knows what became of it."""


class WorkerLost(Exception):
    """The workers of a step were lost as often as they are replaced."""


class RecursionLimit(RecursionError):
    """Flows call each other deeper than they may."""


class BlockTimedOut(TimeoutError):
    """A block took longer than its `timeout`."""


class WaitTimedOut(TimeoutError):
    """No event came in time, and the wait had no `else`."""


FAILURES: tuple[type[Exception], ...] = (
    FlowFailed,
    LocksInCircle,
    LoopLimit,
    NeedNotMet,
    OutcomeUnknown,
    WorkerLost,
    RecursionLimit,
    BlockTimedOut,
    WaitTimedOut,
)
