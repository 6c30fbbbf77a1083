"""Several threads load callables of one module at the same time: none sees it half imported."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flowrt.executor.callee import load
from flowrt.program import Imported

SLOW = "import time\ntime.sleep(0.2)\n" + "\n".join(f"def f{n}(): return {n}" for n in range(4))


def test_a_module_is_waited_for_while_another_thread_imports_it(tmp_path: Path) -> None:
    (tmp_path / "slowly_imported.py").write_text(SLOW)
    with ThreadPoolExecutor(4) as pool:
        callees = [Imported(f"slowly_imported:f{n}") for n in range(4)]
        loaded = pool.map(lambda callee: load(callee, None, [str(tmp_path)])(), callees)
        assert list(loaded) == [0, 1, 2, 3]
