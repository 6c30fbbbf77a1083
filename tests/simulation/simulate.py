"""One simulation: in a seed, out the hash of its trace and what went wrong, if anything did.

Two or three machines share a store and try to bring some runs to their ends, while processes die and
freeze, clocks differ and jump, the store refuses and forgets to answer, workers are lost, events come
early, late and twice, and some run is cancelled. After a while all that ends. Then every run must end.
"""

from collections import Counter
from dataclasses import dataclass, field

from chance import chance_is_ours
from deposits import ACCOUNT, deposits
from fresh_stores import fresh_store
from process import Machine, Process
from programs import FAILED, Case, cases, started, with_actors
from watch import Known, Watch
from weather import Weather, weather
from world import HOUR, SECOND, YEAR, Violation, World

from flowrt.encoding.pack import decode_record
from flowrt.encoding.values import Values
from flowrt.engine.drive import drive, start
from flowrt.engine.fold import fold
from flowrt.engine.pace import Pace
from flowrt.engine.serve import serve
from flowrt.errors import RunOwned, StoreUnavailable
from flowrt.record import Emitted, Started
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.rows import NewEvent, NewRun
from flowrt.store.status import ENDED
from flowrt.upkeep.actors import actor_state

TURNS_MAX = 20_000
"""How many things may happen before the runs count as stuck."""

LETTERS = tuple(
    (key, payload)
    for key, payloads in {"x": (9, 8, 7, 5, 3), "y": (1, 2, 101, 102, 103), "z": (4,), "w": (6, 11)}.items()
    for payload in payloads
)
"""What is sent to programs that wait for mail: enough for each of them to end."""


@dataclass
class Simulated:
    """What came of a seed."""

    seed: int
    trace: str
    problems: list[str]
    turns: int
    counts: Counter[str]
    lines: list[str] = field(default_factory=list)


class Simulation:
    """A store, some machines, some runs, and bad weather."""

    def __init__(self, seed: int, kind: str, *, keep_trace: bool) -> None:
        self.world = World(seed, lines=[] if keep_trace else None)
        self.rng = self.world.rng
        self.weather: Weather = weather(self.rng)
        self.store, self.blobs = fresh_store(kind), MemoryBlobs()
        self.watch = Watch(self.world, self.store, self._started)
        self.values = Values(self.blobs)
        picked = [*cases(self.rng), *with_actors(seed).values()]
        self.cases: dict[str, Case] = {f"run{i}": case for i, case in enumerate(picked)}
        served = self.rng.choice(((True,), (False,), (True, False)))
        self.served = {run_id: self.rng.choice(served) for run_id in self.cases}
        self.cancelled: set[str] = set()
        self.letters: set[int] = set()
        self.processes: list[Process] = []
        self.pace = Pace(30 * SECOND, self.rng.choice((5, 9)) * SECOND, self.rng.choice((1, 3, 11)) * SECOND)

    def run(self) -> None:
        """Let it all happen. Raises Violation."""
        self.world.note("seed", self.world.seed, *[case.name for case in self.cases.values()], self.weather)
        self._prepare()
        self.world.at(self.world.now + self.weather.calm_after_us, self._calm_down)
        while self.world.faulty or not self._all_ended():
            going = self.world.step()
            if self.watch.problems:
                raise Violation(self.watch.problems[0])
            if not going or self.world.turns > TURNS_MAX:
                raise Violation(f"stuck: {self._stands()}")
            if self.world.faulty and self._all_ended():
                break
        self._check_rest()
        for process in self.processes:
            process.die()
        for run_id, case in self.cases.items():
            self._check_end(run_id, case)
        self._check_sent()
        self._check_actors()
        if self.watch.problems:
            raise Violation(self.watch.problems[0])

    def _all_ended(self) -> bool:
        return self.watch.ended == len(self.cases)

    def _stands(self) -> str:
        rows = [self.store.run(run_id) for run_id in self.cases]
        return ", ".join(f"{row.run_id} {row.status} with {row.head} records" for row in rows)

    # What happens

    def _prepare(self) -> None:
        rng, world, weather = self.rng, self.world, self.weather
        mail = any(case.mail for case in self.cases.values())
        if mail and rng.random() < 0.5:
            self._send("x", 1_000, None)
        for run_id, case in self.cases.items():
            self._create(run_id, case)
        serving = any(self.served.values()) or any(case.starts for case in self.cases.values())
        both = serving and not all(self.served.values())
        for n in range(max(rng.choice((1, 2, 2, 3)), 2 if both else 1)):
            skew = rng.randrange(-weather.skew_us, weather.skew_us + 1)
            serves = n == 0 if both else serving
            machine = Machine(world, "abc"[n], skew, serves=serves)
            world.after(rng.randrange(20 * SECOND), lambda machine=machine: self._boot(machine))
            for _ in range(weather.jumps):
                length = rng.choice((HOUR, 10 * YEAR, SECOND)) * rng.choice((-1, 1))
                world.after(self._some_time(), lambda m=machine, by=length: self._jump(m, by))
        for letter in LETTERS if mail else ():
            world.after(self._some_time(), lambda letter=letter: self._post(*letter))
        for _ in range(weather.cancels):
            run_id = rng.choice(list(self.cases))
            world.after(self._some_time(), lambda run_id=run_id: self._cancel(run_id))
        for _ in range(weather.interrupts):
            world.after(self._some_time(), self._interrupt)
        for _ in range(weather.outages):
            world.after(self._some_time(), self._outage)

    def _some_time(self) -> int:
        return self.rng.randrange(self.weather.calm_after_us // self.rng.choice((1, 2, 8)))

    def _create(self, run_id: str, case: Case) -> None:
        clock = Machine(self.world, "client", 0, serves=False)
        start(
            self.store,
            self.blobs,
            case.program,
            {},
            run_id=run_id,
            labels={},
            python_path=(),
            clock=Clock(clock),
        )
        if self.served[run_id]:
            self.store.serve(run_id, self.world.now)
        self.watch.runs[run_id] = Known()
        self.world.note("create", run_id, case.name)

    def _started(self, parent: str, new: NewRun) -> None:
        """A step has started a run; whose record is sent again has started it before."""
        if new.run_id in self.cases:
            return
        first = decode_record(new.first)
        assert isinstance(first, Started), "a journal begins with a start"
        inputs = self.values.load_env(dict(first.inputs))
        case = self.cases[new.run_id] = started(self.cases[parent], new.flow, inputs)
        self.served[new.run_id] = True
        self.watch.runs[new.run_id] = Known()
        self.world.count("start")
        self.world.note("starts", parent, new.run_id, case.name)

    def _boot(self, machine: Machine) -> None:
        if self._all_ended():
            return
        process = Process(machine, self.weather, self.watch, self.store, self.blobs)
        self.world.note(process.name, "boots")
        self.processes = [p for p in self.processes if p.machine is not machine]
        self.processes.append(process)
        process.begin(self._serves if machine.serves else self._drives)
        self._look_after(process)

    def _look_after(self, process: Process) -> None:
        """Start a process that has died anew after a while."""
        if process.dead:
            pause = self.rng.randrange(60 * SECOND)
            self.world.after(pause, lambda: self._boot(process.machine))
        elif not process.ended:
            self.world.after(5 * SECOND, lambda: self._look_after(process))

    def _drives(self, process: Process) -> None:
        """What a process does: drive some of the runs until all have ended."""
        rng = self.rng
        while True:
            left = [i for i in self.cases if self.watch.runs[i].ended is None and not self.served[i]]
            if not left:
                return
            picked = left if rng.random() < 0.5 else [rng.choice(left)]
            process.interrupt.on = False
            try:
                drive(
                    process.store,
                    process.blobs,
                    process.executor,
                    picked,
                    clock=process.clock,
                    interrupt=process.interrupt,
                    pace=self.pace,
                )
            except (RunOwned, StoreUnavailable) as error:
                self.world.count(type(error).__name__)
                self.world.note(process.name, type(error).__name__)
            process.executor.close()
            process.wait(rng.randrange(1, 30 * SECOND))

    def _serves(self, process: Process) -> None:
        """What a process does: serve the store, again after each interruption."""
        while True:
            process.interrupt.on = False
            try:
                serve(
                    process.store,
                    process.blobs,
                    process.executor,
                    interrupt=process.interrupt,
                    clock=process.clock,
                    pace=self.pace,
                )
            except StoreUnavailable as error:
                self.world.note(process.name, type(error).__name__)
            process.executor.close()
            process.wait(self.rng.randrange(1, 30 * SECOND))

    def _send(self, key: str, payload: int, to: str | None, dedupe: str | None = None) -> None:
        data = self.values.encode(payload)
        number = self.store.send(NewEvent("mail", key, data, self.world.now, to, dedupe))
        self.letters.add(number)
        self.world.count("event")
        self.world.note("event", number, key, payload, to)

    def _post(self, key: str, payload: int) -> None:
        """Send a letter to each run that waits for mail, or one to all of them; sometimes twice."""
        dedupe = f"{key} {payload}"
        addressed = [run_id for run_id, case in self.cases.items() if case.mail]
        for to in addressed if self.rng.random() < 0.3 else [None]:
            for _ in range(self.rng.choice((1, 1, 2))):
                self._send(key, payload, to, f"{dedupe} {to}")

    def _cancel(self, run_id: str) -> None:
        if self.store.run(run_id).status not in ENDED:
            self.cancelled.add(run_id)
            self.store.request_cancel(run_id, "the simulation says so")
            self.world.count("cancel")
            self.world.note("cancel", run_id)

    def _interrupt(self) -> None:
        if self.processes:
            process = self.rng.choice(self.processes)
            self.world.count("interrupt")
            self.world.note("interrupt", process.name)
            process.interrupt.on = True
            process.wake()

    def _outage(self) -> None:
        length = self.rng.randrange(90 * SECOND)
        for process in self.processes:
            if self.rng.random() < 0.7:
                process.cut_off_until = self.world.now + length
        self.world.count("outage")
        self.world.note("outage", length)

    def _jump(self, machine: Machine, by: int) -> None:
        if self.world.faulty:
            machine.offset += by
            self.world.count("jump")
            self.world.note("jump", machine.name, by)

    def _calm_down(self) -> None:
        """No more faults; and as much time goes by as the fastest clock was ahead."""
        if not self.world.faulty:
            return
        self.world.faulty = False
        self.world.note("calm")
        if self.weather.jumps:
            self.world.now += 60 * YEAR
        for process in self.processes:
            process.machine.offset = 0

    # What must have come of it

    def _check_rest(self) -> None:
        """Once all runs have ended, an engine that serves on holds nothing of them."""
        self._calm_down()
        until = self.world.now + 25 * SECOND
        while self.world.now < until and self.world.step():
            pass
        for process in self.processes:
            engine = process.executor.engine
            if process.machine.serves and not process.ended and engine is not None and process.wakeable:
                left = [conductor.run.run_id for conductor in engine.runs]
                self.watch.hold(not left, f"{process.name} still holds {left}")
                going = process.executor.held.keys() - process.executor.stopping
                self.watch.hold(not going, f"{process.name} still has attempts in flight")

    def _check_end(self, run_id: str, case: Case) -> None:
        known = self.watch.runs[run_id]
        ended = known.ended
        hold = self.watch.hold
        if ended.status == "cancelled" or known.cancelled:
            hold(run_id in self.cancelled, f"{run_id} was cancelled, and nobody had asked for that")
        elif case.expected == FAILED:
            hold(ended.status == "failed", f"{run_id} {ended.status} and should have failed")
        else:
            told = f"{run_id} {case.name} {ended.status} {ended.failure}"
            hold(ended.status == "succeeded", told)
            if ended.value is not None:
                value = self.values.load(ended.value)
                hold(case.open or value == case.expected, f"{told}: {value}, not {case.expected}")
        row = self.store.run(run_id)
        hold(row.status == ended.status, f"{run_id} is {row.status} and ended {ended.status}")
        hold(row.head == len(known.records), f"the head of {run_id} is not the length of its journal")
        hold(not self.store.locks_of([run_id]), f"{run_id} has locks behind its end")
        state = fold(self.store, run_id, case.program).state
        hold(state.open_commands == [], f"{run_id} has open commands behind its end")

    def _check_sent(self) -> None:
        """Each event is in the store once: those that runs sent, and the letters."""
        records = [record for known in self.watch.runs.values() for record in known.records]
        sent = sum(isinstance(record, Emitted) for record in records)
        newest = self.store.news([], 0).last_event_id
        told = f"{newest} events are there of {sent} sent by runs and {len(self.letters)} letters"
        self.watch.hold(newest == sent + len(self.letters), told)

    def _check_actors(self) -> None:
        """Each recorded call has changed its object once, and no other call has."""
        sums: Counter[str] = Counter()
        for run_id, known in self.watch.runs.items():
            if self.cases[run_id].name.startswith("accounts"):
                sums.update(deposits(run_id, known.records))  # `+=` would leave out what is 0 or less.
        for name, amount in sums.items():
            kept = actor_state(self.store, self.blobs, name)
            self.watch.hold(kept == {"amount": amount}, f"{name} is {kept} and should have {amount}")
        self.world.counts["deposited"] += len(sums)
        rows = [row for row in self.store.actors.every("", 99) if row.name.startswith(ACCOUNT)]
        self.watch.hold(len(rows) == len(sums), "an account is there that nobody made")


class Clock:
    """A machine's clock, for whoever only asks the time."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def now(self) -> int:
        return self.machine.world.now + self.machine.offset

    def timeout_s(self, until: int) -> float:  # noqa: ARG002
        raise AssertionError("nobody waits here")


def simulate(seed: int, kind: str = "memory", *, keep_trace: bool = False) -> Simulated:
    """Run one seed on a store of that kind."""
    simulation = Simulation(seed, kind, keep_trace=keep_trace)
    world, watch = simulation.world, simulation.watch
    problems: list[str] = []
    with chance_is_ours(world, watch):
        try:
            simulation.run()
        except Violation as error:
            problems = [*watch.problems, *([str(error)] if str(error) not in watch.problems else [])]
        finally:
            for process in simulation.processes:
                process.die()
            simulation.store.close()
    return Simulated(seed, world.trace, problems, world.turns, world.counts, world.lines or [])
