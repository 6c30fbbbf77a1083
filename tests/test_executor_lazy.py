"""An executor is made for the first attempt and not before."""

import subprocess
import sys
from pathlib import Path

from stories import InlineExecutor, story_of

from flowrt.executor.lazy import LazyExecutor

HELLO = Path(__file__).resolve().parent.parent / "examples" / "hello" / "hello.flow.yaml"


def test_nothing_is_made_for_a_run_without_tasks() -> None:
    def make() -> InlineExecutor:
        raise AssertionError("no attempt was made")

    story = story_of("flow: f\nsteps:\n  - sleep: 1h\n  - return: 1 + 1\n", executor=LazyExecutor(make))
    assert story.value(story.play()) == 2


def test_one_is_made_for_all_attempts_and_closed_once() -> None:
    made: list[InlineExecutor] = []

    class Closing(InlineExecutor):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    def make() -> InlineExecutor:
        made.append(Closing())
        return made[-1]

    executor = LazyExecutor(make)
    story = story_of("flow: f\nsteps:\n  - id: a\n    call: s.add(1, 1)\n  - return: s.add(a, 1)\n")
    story.executor = executor
    assert story.value(story.play()) == 3
    executor.close()
    executor.close()
    assert [(len(one.made), one.closed) for one in made] == [(2, 1)]


def test_hello_runs_without_ray(tmp_path: Path) -> None:
    code = (
        "import sys; from flowc.cli.main import main; "
        f"code = main(['run', {str(HELLO)!r}, '--quiet']); "
        "assert 'ray' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Hello, world!\n"), done.stderr
