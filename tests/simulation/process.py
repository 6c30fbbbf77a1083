"""A simulated process: one engine with its clock, its way to the store and its executor.

In: the world, what is to be run. Out: calls of the real store, disturbed. The process may be slowed down,
frozen for longer than its lease, cut off from the store, or die at any of its calls; it starts again later.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING

from fibers import Fiber, Killed
from pretend import PretendExecutor
from world import SECOND, Violation, World

from flowrt.errors import FlowrtError, StoreUnavailable
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import Owner

if TYPE_CHECKING:
    from watch import Watch
    from weather import Weather

CALLS = (
    "append",
    "cached",
    "call_damaged",
    "claim",
    "claim_due",
    "code",
    "events",
    "free_dead",
    "free_locks",
    "free_unknown",
    "journal",
    "journals",
    "lock_queue",
    "locks_of",
    "news",
    "program",
    "release",
    "renew",
    "request_cancel",
    "run",
    "runs",
    "send",
    "serve",
)
"""The calls of a store that an engine makes."""


class Machine:
    """A machine with a clock of its own, on which one process after another runs."""

    def __init__(self, world: World, name: str, offset: int, *, serves: bool) -> None:
        self.world, self.name, self.offset, self.serves = world, name, offset, serves
        self.born = 0


class Process:
    """One life of an engine on a machine."""

    def __init__(
        self, machine: Machine, weather: "Weather", watch: "Watch", store: Store, blobs: Blobs
    ) -> None:
        machine.born += 1
        self.machine, self.weather, self.watch, self.blobs = machine, weather, watch, blobs
        self.world = machine.world
        self.name = f"{machine.name}.{machine.born}"
        self.owner = Owner(machine.name, "", machine.born, "", self.name)
        self.clock = MachineClock(self)
        self.interrupt = Interrupt(self)
        self.executor = PretendExecutor(self)
        self.store = Disturbed(self, store)
        self.dead = False
        self.cut_off_until = 0
        self.looked: dict[tuple[str, str | None], int] = {}
        self._fiber: Fiber | None = None
        self._waits = 0
        self.wakeable = False

    def begin(self, body: Callable[["Process"], None]) -> None:
        """Start the process."""
        self._fiber = Fiber(lambda: body(self))
        self._resume()

    @property
    def ended(self) -> bool:
        """Whether it has done what it was to do, or died."""
        return self.dead or self._fiber.ended

    def alive(self) -> None:
        """Raise Killed in a process that has died."""
        self._fiber.check()

    def wait(self, length: int, *, wakeable: bool = False) -> None:
        """Do nothing for so long, or until `wake` when that may end it."""
        self.alive()
        self._waits += 1
        self.wakeable = wakeable
        self.world.after(max(length, 1), lambda number=self._waits: self._awake(number))
        self._fiber.park()

    def wake(self) -> None:
        """Something has arrived."""
        if self.wakeable:
            self.wakeable = False
            self.world.after(1, lambda number=self._waits: self._awake(number))

    def die(self) -> None:
        """From outside: end without a word."""
        self.dead = True
        self._fiber.kill()

    def _awake(self, number: int) -> None:
        if number == self._waits and not self.dead and not self._fiber.ended:
            self._waits += 1
            self._resume()

    def _resume(self) -> None:
        self.watch.running = self
        self._fiber.resume()
        self.watch.running = None

    # What may happen at a call of the store

    def disturb(self, call: str) -> None:
        """Before and after a call: the process may die, freeze, or wait."""
        self.alive()
        world, weather = self.world, self.weather
        if not world.faulty:
            return
        if world.chance(weather.crash):
            self.world.count("dies at")
            self.world.note(self.name, "dies at", call)
            self.dead = True
            self._fiber.killed = True
            raise Killed
        if world.chance(weather.freeze):
            length = world.rng.randrange(120 * SECOND)
            world.count("frozen")
            world.note(self.name, "frozen", call, length)
            self.wait(length)
        elif world.chance(weather.slow):
            most = 40 * SECOND if call == "renew" and world.rng.random() < 0.2 else SECOND // 5
            self.wait(world.rng.randrange(most))

    def refuse(self, call: str, probability: float) -> None:
        """The store may not be there, or its answer may be lost."""
        world = self.world
        if world.faulty and (world.chance(probability) or world.now < self.cut_off_until):
            self.world.count("no answer")
            self.world.note(self.name, "no answer", call)
            raise StoreUnavailable(f"the simulated store did not answer {call}")


class MachineClock:
    """The clock of a process: the machine's, which may be put back."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.highest = self.highest_of_turn = 0

    def now(self) -> int:
        now = self.process.world.now + self.process.machine.offset
        if now > self.highest_of_turn:
            self.highest_of_turn = now
            self.highest = max(self.highest, now)
        return now

    def timeout_s(self, until: int) -> float:
        """Wait here, in the world's time; the engine then finds what has arrived, or nothing."""
        length = until - self.now()
        self.highest_of_turn = 0
        if length > 0:
            self.process.wait(length, wakeable=True)
        return 0.0


class Interrupt:
    """Stands in for `threading.Event`: whether the process is asked to end, and a way to pause."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.on = False

    def is_set(self) -> bool:
        return self.on

    def wait(self, timeout: float | None = None) -> bool:
        self.process.wait(int((timeout or 0) * SECOND), wakeable=True)
        return self.on


class Disturbed:
    """A store as a process reaches it."""

    def __init__(self, process: Process, store: Store) -> None:
        self._process, self._store = process, store
        self.actors = SimpleNamespace(found=_disturbed(process, "actors", store.actors.found))

    def __getattr__(self, name: str) -> object:
        """A call that is made for the first time."""
        if name not in CALLS:
            raise AttributeError(name)
        call = _disturbed(self._process, name, getattr(self._store, name))
        setattr(self, name, call)
        return call


def _disturbed(process: Process, name: str, call: Callable[..., object]) -> Callable[..., object]:
    world, weather, watch = process.world, process.weather, process.watch

    def disturbed(*args: object, **kwargs: object) -> object:
        process.disturb(name)
        process.refuse(name, weather.refused)
        watch.before(process, name, args)
        try:
            answer = call(*args, **kwargs)
        except FlowrtError as error:
            world.note(process.name, name, type(error).__name__)
            raise
        except AssertionError as error:
            raise Violation(f"{process.name} {name}: {error}") from error
        world.note(process.name, name, watch.words(name, args, answer))
        watch.after(process, name, args, answer)
        process.disturb(name)
        process.refuse(name, weather.answer_lost)
        return answer

    return disturbed
