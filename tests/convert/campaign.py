"""Convert generated flows there and back: `python tests/convert/campaign.py [COUNT] [FIRST SEED]`.

Both directions are verified by what they write: equal IR, equal programs, no comment lost, canonical form.
"""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import there_and_back as ways
from random_texts import Texts

from flowc.rewrite import Invalid, Refused, rewritten
from flowc.span import Source


def one(seed: int) -> str:
    """What became of the flow of a seed."""
    text = Texts(seed).text()
    outcome = rewritten(Source("x.flow.yaml", text), "yaml", "dsl")
    if isinstance(outcome, Invalid):
        first = outcome.diagnostics[0]
        return f"invalid: {first.code} {first.message}"
    if isinstance(outcome, Refused):
        return f"refused: {outcome.reason}"
    try:
        ways.written("x.flow.yaml", text, "yaml")
        ways.there_and_back("x.flow.yaml", text)
    except AssertionError as error:
        return f"not the same: {str(error)[:300]}"
    return "the same" if ways.programs("x.flow.yaml", text) is not None else "the same, without a program"


def main() -> int:
    count, first = (int(word) for word in (*sys.argv[1:], *("2000", "0")[len(sys.argv) - 1 :]))
    began = time.monotonic()
    seen: Counter[str] = Counter()
    for seed in range(first, first + count):
        what = one(seed)
        seen[what.partition(":")[0]] += 1
        if not what.startswith("the same"):
            print(f"seed {seed}: {what}")
    print(f"{count} flows in {time.monotonic() - began:.0f} s: {dict(seen)}")
    return 0 if all(what.startswith("the same") for what in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
