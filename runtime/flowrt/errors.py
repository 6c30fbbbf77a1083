"""The exceptions that flowrt raises when the world, not the author's text, is at fault.

    FlowrtError
    ├── UnknownRun            no run of that id in the store
    ├── RunExists             a run of that id exists already
    ├── RunMismatch           … and it is another program or has other inputs
    ├── RunOwned              another live process owns the run
    ├── RunNotEnded           … and what is wanted needs it to have ended
    ├── SlotTaken             another engine has dealt with that instant of a schedule
    ├── WrongEnvironment      a run needs another Python, Ray or package than there is here
    ├── BadRunId              not an id: letters, digits, `.`, `_`, `-`, at most 128, no path
    ├── BadInput              an input is unknown, missing or of the wrong type
    ├── UnknownActor          no state of an actor of that name in the store
    ├── ActorBusy             … or a run is calling it, and what is wanted needs it to be left alone
    ├── LocksGone             a run that is resumed would wait for ever for the locks that it had
    ├── UnsupportedGraph      a Ray graph holds something that cannot run durably
    ├── ExecutorUnavailable   Ray cannot be reached or started
    ├── CodecError            a value cannot be encoded, or its bytes cannot be decoded here
    ├── StoreError
    │   ├── NotAStore         the place exists and is something else
    │   ├── StoreTooNew       written by a newer version
    │   ├── WrongStoreKey     sealed, and FLOWC_STORE_KEY is missing or another; or not sealed at all
    │   ├── StoreUnavailable  not reachable, read-only, full, an I/O error
    │   └── StoreCorrupt      bytes are not what was written
    ├── RunFailed             `run` and `resume`: the run failed
    └── RunCancelled          `run` and `resume`: the run was cancelled

A step's failure is a record, not an exception. Every message is a whole sentence that names the thing
and, where there is one, the way out.
"""


class FlowrtError(Exception):
    """The root of the tree above."""


class UnknownRun(FlowrtError):
    """No run of that id is in the store."""


class RunExists(FlowrtError):
    """A run of that id exists already."""


class RunMismatch(FlowrtError):
    """A run of that id exists and is of another program or has other inputs."""


class RunOwned(FlowrtError):
    """Another live process owns the run."""


class RunNotEnded(FlowrtError):
    """The run has not ended."""


class SlotTaken(FlowrtError):
    """That instant of a schedule has been dealt with."""


class WrongEnvironment(FlowrtError):
    """This place lacks what the run was started with: a version of Python or Ray, a package, its code."""


class BadRunId(FlowrtError):
    """The text is not an id of a run."""


class BadInput(FlowrtError):
    """An input is unknown, missing or of the wrong type."""


class UnknownActor(FlowrtError):
    """No state of an actor of that name is in the store."""


class ActorBusy(FlowrtError):
    """A run is calling a method of the actor, or waits for its turn."""


class LocksGone(FlowrtError):
    """A run that is resumed would wait for ever for the locks that it had."""


class UnsupportedGraph(FlowrtError):
    """A Ray graph holds something that cannot run durably."""


class CodecError(FlowrtError):
    """A value cannot be encoded, or its bytes are intact but cannot be decoded in this process."""


class ExecutorUnavailable(FlowrtError):
    """Ray cannot be reached or started."""


class StoreError(FlowrtError):
    """Something is wrong with the store."""


class NotAStore(StoreError):
    """The place exists and is not a flowc store."""


class StoreTooNew(StoreError):
    """The store was written by a newer version."""


class WrongStoreKey(StoreError):
    """The store is sealed with another key than the one given, or with none."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or written just now."""


class StoreCorrupt(StoreError):
    """Bytes in the store are not the bytes that were written."""


class RunFailed(FlowrtError):
    """The run failed; `failure` says why."""

    def __init__(self, run_id: str, failure: object, message: str) -> None:
        """Keep the run's id and its `flowrt.record.Failure`, which `message` puts into words."""
        super().__init__(message)
        self.run_id = run_id
        self.failure = failure


class RunCancelled(FlowrtError):
    """The run was cancelled."""
