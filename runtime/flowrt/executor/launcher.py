"""The port between deciding what is sent to workers and sending it. In: jobs; out: calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from flowrt.executor.held import Kept
from flowrt.executor.signs import Sign

TroubleKind = Literal["cancelled", "lost", "value lost", "error"]


class Trouble(NamedTuple):
    """Why a batch came back without a reply. `node_lost`: with the machine that it was on."""

    kind: TroubleKind
    reason: str
    node_lost: bool = False


class Launcher(Protocol):
    """Gets batches to workers."""

    def accept(self, options: Mapping[str, object]) -> object:
        """Prepare for batches with these options. Raises BadOption."""
        ...

    def host(self, place: tuple[str, ...]) -> object:
        """Prepare for attempts that wait for events, of the code of that place. Each is a job of its own."""
        ...

    def launch(
        self,
        prepared: object,
        job: bytes,
        held: Sequence[object],
        done: Callable[[bytes | BaseException], None],
    ) -> object:
        """Send a job; `done` is called once, from any thread. Returns what `cancel` and `kept` want."""
        ...

    def put(self, kept: Kept) -> object:
        """A reference to encoded values, for `launch`."""
        ...

    def cancel(self, launched: object, *, force: bool) -> None:
        """Stop a job: interrupt what it does, or kill its worker."""
        ...

    def sign(self, name: str) -> Sign | None:
        """What the worker of a job of that name has said of itself last, if it makes such signs."""
        ...

    def gone(self) -> str:
        """Why the cluster is given up; empty as long as it is there, or may come back."""
        ...

    def hunt(self, name: str) -> None:
        """Kill the processes that work on a job of that name, wherever they are, without their help."""
        ...

    def kept(self, launched: object) -> object:
        """The reference to the large results of a job that is done."""
        ...

    def trouble(self, error: BaseException) -> Trouble:
        """What an error that `done` was given means."""
        ...

    def cpus(self) -> float:
        """How many CPUs the cluster has just now."""
        ...

    def lacking(self, options: Mapping[str, object]) -> str:
        """What of these options no node of the cluster can ever give; empty when all is well."""
        ...
