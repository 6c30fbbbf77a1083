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
        "a body that was let fail keeps others waiting when it is open again",
        "core/for_each.py",
        "        and len(step.children) - len(each.aside) < each.parallel\n",
        "        and len(step.children) < each.parallel\n",
        RACES_TESTED,
    ),
    Fault(
        "bodies that were let fail go on all at once",
        "core/for_each.py",
        "        machine.hold(step.children[index])\n",
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
