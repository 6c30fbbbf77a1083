"""Several threads load callables of one module at the same time: none sees it half imported."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowrt.executor.callee import load
from flowrt.program import Imported

SLOW = "import time\ntime.sleep(0.2)\n" + "\n".join(f"def f{n}(): return {n}" for n in range(4))


def test_a_module_is_waited_for_while_another_thread_imports_it(tmp_path: Path) -> None:
    (tmp_path / "slowly_imported.py").write_text(SLOW)
    with ThreadPoolExecutor(4) as pool:
        callees = [Imported(f"slowly_imported:f{n}") for n in range(4)]
        loaded = pool.map(lambda callee: load(callee, None, [str(tmp_path)])(), callees)
        assert list(loaded) == [0, 1, 2, 3]


def test_modules_are_found_by_several_threads_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places on the path where nothing is, as an archive that is not there, are what makes it hard."""
    for number in range(40):
        (tmp_path / f"found_at_once_{number}.py").write_text(f"def f(): return {number}\n")
    nowhere = {f"/nowhere/{number}.zip": None for number in range(20_000)}
    with ThreadPoolExecutor(8) as pool:
        for first in range(0, 40, 8):
            monkeypatch.setattr(sys, "path_importer_cache", {**sys.path_importer_cache, **nowhere})
            callees = [Imported(f"found_at_once_{first + n}:f") for n in range(8)]
            loaded = pool.map(lambda callee: load(callee, None, [str(tmp_path)])(), callees)
            assert list(loaded) == list(range(first, first + 8))
