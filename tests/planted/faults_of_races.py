"""The faults that are planted in races and switches: see `faults.py`."""

from campaign import Fault

RACES_TESTED = ("tests/core/test_race.py",)

RACES = (
    Fault(
        "the losers of a race are not stopped",
        "core/race.py",
        "    for child in step.children.values():\n        machine.stop_frame(child, HALTED)\n",
        "",
        RACES_TESTED,
    ),
    Fault(
        "who reopens a race does not have the dropped branches run on",
        "core/race.py",
        "            race.blamed += seqs\n            race.failures",
        "            race.failures",
        RACES_TESTED,
    ),
)
