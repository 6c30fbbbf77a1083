"""What the flow `accounts` has deposited. In: the records of a run; out: amounts by actor."""

import re
from collections import Counter
from collections.abc import Sequence

from flowrt.record import Record, Succeeded

ACCOUNT = "simulated_tasks:Account("
_BODY = re.compile(r"step#1\[(\d)\]\.step#([12])")


def deposits(run_id: str, records: Sequence[Record]) -> Counter[str]:
    """The sum of the calls that have a record."""
    sums: Counter[str] = Counter()
    for step in (record.step for record in records if isinstance(record, Succeeded)):
        if (body := _BODY.fullmatch(step)) is not None:
            number, call = int(body[1]), body[2]
            who, amount = ("all", number + 1) if call == "1" else (run_id, number)
        else:
            who, amount = {
                "step#2.step#1": (run_id, 7),
                "step#2.step#1.undo": (run_id, -7),
                "step#2.step#2": ("all", 1000),
            }.get(step, ("", 0))
        if who:
            sums[f"{ACCOUNT}{who})"] += amount
    return sums
