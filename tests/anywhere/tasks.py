"""Tasks of a project: with a class, a data file and a module of its own, and late imports."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from effects import effect, plain

HERE = Path(__file__).parent


@dataclass
class Table:
    rows: list[int]
    total: int


def begin(effects):
    return effect(effects, [], lambda: json.loads((HERE / "rates.json").read_text())["base"])


def scaled(effects, base, n):
    def work():
        from steps.rates import scale  # noqa: PLC0415 - the folder may be gone by then

        time.sleep(0.08)
        return scale(plain(base), n)

    return effect(effects, [base], work)


def table(effects, values):
    rows = [plain(value) for value in values]
    return effect(effects, values, lambda: Table(rows, sum(rows)))


def total(effects, table, rounds):
    def work():
        assert type(table["value"]) is Table
        return table["value"].total + sum(plain(value) for value in rounds)

    return effect(effects, [table, *rounds], work)
