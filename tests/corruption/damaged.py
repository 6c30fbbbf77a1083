"""Stores to be damaged, and what the commands say of them. In: a folder; out: a small store and a `Judge`.

A store holds a run that has ended, one that was interrupted in the middle, and one that never began. The
judge asks a damaged copy of it for everything that a person would, by the commands themselves, in this
process: what comes out at exit 0 is what comes out of the undamaged store, or else there is an error.
"""

import contextlib
import io
import os
import re
import signal
import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import FrameType

import flowrt_corruption_tasks as tasks

from flowc.cli.main import main
from flowc.compile import compile_file
from flowrt.engine.drive import drive, start
from flowrt.executor.local import LocalExecutor
from flowrt.store.opened import opened

KEY = "a key for stores that are to be damaged"
PATIENCE_S = 20
PAGE_SIZE = 1024

FLOW = """\
flowc: 1
use: {t: flowrt_corruption_tasks}
flow: sums
inputs: {n: int}
labels: {team: blue}
steps:
  - id: numbers
    call: t.parts(n)
  - id: squares
    for: x in numbers
    parallel: 2
    do: t.square(x)
  - id: big
    call: t.large("text")
  - id: more
    call: t.halt(n)
  - return: t.total(squares, big, more)
"""

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("show", "done"),
    ("output", "done", "--step", "big"),
    ("resume", "half", "--executor", "local"),
    ("resume", "fresh", "--executor", "local"),
    ("resume", "done", "--executor", "local"),
)
"""In this order: those that change the store come after those that read what they change."""


@contextlib.contextmanager
def key_set(*, sealed: bool) -> Generator[None]:
    """The environment of a sealed store, or of one that is not."""
    before = os.environ.pop("FLOWC_STORE_KEY", None)
    if sealed:
        os.environ["FLOWC_STORE_KEY"] = KEY
    try:
        yield
    finally:
        os.environ.pop("FLOWC_STORE_KEY", None)
        if before is not None:
            os.environ["FLOWC_STORE_KEY"] = before


def make_store(place: Path) -> None:
    """Make the store; its file is as small as it can be."""
    flow_file = place.parent / "sums.flow.yaml"
    flow_file.write_text(FLOW)
    program = compile_file(flow_file).program
    store, blobs = opened(str(place))
    path = [str(Path(tasks.__file__).parent)]
    for run_id in ("done", "half", "fresh"):
        start(store, blobs, program, {"n": 4}, run_id=run_id, labels={}, python_path=path)
    for run_id, interrupts in (("done", False), ("half", True)):
        executor, interrupt = LocalExecutor(2), Event()
        tasks.STOP[:] = [interrupt] if interrupts else []
        drive(store, blobs, executor, [run_id], interrupt=interrupt)
        executor.close()
    tasks.STOP.clear()
    store.close()
    _shrink(place / "journal.db")


def _shrink(file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str


class Late(BaseException):
    """A command took too long."""


def ask(words: tuple[str, ...], place: Path) -> Answer:
    """Carry out a command on a store."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")

    def late(_number: int, _frame: FrameType | None) -> None:
        raise Late

    signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE_S)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--store", str(place)])
    except Late:
        return Answer(-1, "", "a hang")
    finally:
        signal.alarm(0)
    out.flush()
    err.flush()
    said, told = out.buffer.getvalue().decode(), err.buffer.getvalue().decode()
    return Answer(code, said.replace(str(place), "PLACE"), told)


@dataclass
class Judge:
    """Compares what a damaged store says with what it should."""

    expected: dict[tuple[str, ...], Answer] = field(default_factory=dict)

    def learn(self, place: Path) -> None:
        """What the undamaged store says."""
        self.expected = dict(self._asked(place, COMMANDS))
        wrong = {words: answer for words, answer in self.expected.items() if answer.code != 0}
        assert not wrong, wrong

    def _asked(
        self, place: Path, commands: tuple[tuple[str, ...], ...]
    ) -> Iterator[tuple[tuple[str, ...], Answer]]:
        for words in commands:
            yield words, ask(words, place)

    def judge(self, place: Path, commands: tuple[tuple[str, ...], ...] = COMMANDS) -> tuple[str, list[str]]:
        """Whether damage was `detected` or `harmless`, and what is wrong with the answers."""
        problems: list[str] = []
        detected = False
        for words, answer in self._asked(place, commands):
            detected = detected or answer.code != 0
            problem = self._problem(words, answer)
            if problem:
                problems.append(f"flowc {' '.join(words)}: {problem}")
        return "detected" if detected else "harmless", problems

    def _problem(self, words: tuple[str, ...], answer: Answer) -> str | None:
        if answer.code == 0:
            right = self.expected[words].out
            # What is done anew takes another time; what stands in the store does not.
            shown = _lasting if words[0] == "resume" else str
            same = shown(answer.out) == shown(right)
            return None if same else f"says {answer.out[:400]!r}, not {right[:400]!r}"
        if answer.code not in (1, 2, 4):
            return f"exits {answer.code}: {answer.err[:600]}"
        if "Traceback" in answer.err or ("error:" not in answer.err and "Run " not in answer.err):
            return f"exits {answer.code} and says {answer.err[:600]!r}"
        return None


def _lasting(text: str) -> str:
    """What a command says, without how long it took."""
    text = re.sub(r"(started|ended|took) [^,\n]*", r"\1", text)
    return re.sub(r" +(-|[\d.]+ \S+)$", "", text, flags=re.MULTILINE)
