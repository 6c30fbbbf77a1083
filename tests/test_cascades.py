"""One fault, one finding: what an earlier stage lost sets off no findings about names."""

import pytest

from flowc.checks.check import check
from flowc.read_yaml.read import read_bytes
from flowc.resolve.file import resolve

GOOD = """\
flowc: 1
use: {t: m}
events:
  paid: {}
flow: f
inputs:
  day: date
  most: {type: int, default: 3}
steps:
  - id: rows
    call: t.load(day, most)
  - id: sums
    for: row in rows
    errors: collect
    do: t.sum(row)
  - id: n
    value: len(sums.values) + most
  - wait: paid
  - if: n > 3
    then:
      - call: f(day=day, most=n)
  - return: [rows, sums.errors]
"""


def codes(text: str) -> list[str]:
    tree, found = read_bytes("f.flow.yaml", text.encode())
    file, more = resolve(tree)
    earlier = [*found, *more]
    return [each.code for each in (*earlier, *(check(file, earlier) if file is not None else ()))]


def test_the_flow_itself_is_clean():
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("id: rows", "id: [rows]", "F0103"),
        ("id: rows", "id: the rows", "F0111"),
        ("id: rows", "ib: rows", "F0101"),
        ("id: rows", "id:", "F0103"),
        ("errors: collect", "errors: colect", "F0121"),
        ("errors: collect", "erors: collect", "F0101"),
        ("inputs:", "input:", "F0101"),
        ("  day: date", "  day!: date", "F0111"),
        ("  paid: {}", "  paid.: {}", "F0111"),
        ("for: row in rows", "for: row of rows", "F0103"),
        ("use: {t: m}", "uses: {t: m}", "F0101"),
        ("call: t.load(day, most)", "call: t.load(day, most", "F0303"),
        ("value: len(sums.values) + most", "value: len(sums.values) +", "F0301"),
        ("call: t.load(day, most)", "cal: t.load(day, most)", "F0106"),
        ("if: n > 3", "if: n >> 3", "F0304"),
        ("id: n\n", "id: n\n    id: n\n", "F0006"),
    ],
)
def test_one_fault_one_finding(old, new, code):
    assert old in GOOD
    assert codes(GOOD.replace(old, new)) == [code]


def test_faults_of_their_own_are_kept():
    text = GOOD.replace("value: len(sums.values) + most", "value: len(sums.values) + mst").replace(
        "flowc: 1", "flowc: 2"
    )
    text = text.replace("wait: paid", "wait: payd").replace("t.sum(row)", "t.sum(row) +")
    assert sorted(codes(text)) == ["F0120", "F0201", "F0214", "F0301"]
