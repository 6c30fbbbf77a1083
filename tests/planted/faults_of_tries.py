"""The faults that are planted in `try` and in blocks: see `faults.py`."""

from campaign import Fault

TRIES_TESTED = ("tests/core/test_try.py",)
BLOCKS_TESTED = ("tests/core/test_bounded.py",)

TRIES = (
    Fault(
        "a cancel stops `finally`",
        "core/constructs.py",
        "elif is_undoing(step) or is_finishing(step):",
        "elif is_undoing(step):",
        TRIES_TESTED,
    ),
    Fault(
        "who goes on behind a failure takes `finally` for done",
        "core/tries.py",
        "        blamed = (*verdict.seqs, Anew(frame.prefix, 0))\n",
        "        blamed = verdict.seqs\n",
        TRIES_TESTED,
    ),
    Fault(
        "the attempts of a block share their paths",
        "core/path.py",
        'return f"{step}~r{attempt}." if attempt > 1 else f"{step}."',
        'return f"{step}."',
        BLOCKS_TESTED,
    ),
    Fault(
        "only the first attempt of a block has a bound",
        "core/bounds.py",
        "if op.timeout is not None or (within and tries.attempt == 1):",
        "if (op.timeout is not None or within) and tries.attempt == 1:",
        BLOCKS_TESTED,
    ),
)
