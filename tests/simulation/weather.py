"""The weather of a simulation: how often what goes wrong. In: chance; out: probabilities for one seed.

Each kind of fault is off in many seeds and frequent in some: what hides behind one kind of fault shows
where that one is off.
"""

import random
from dataclasses import dataclass

from world import SECOND


@dataclass(frozen=True)
class Weather:
    """Probabilities for each call of a store, attempt or second."""

    crash: float
    freeze: float
    slow: float
    refused: float
    answer_lost: float
    lost: float
    halted: float
    deaf: float
    interrupts: int
    outages: int
    skew_us: int
    jumps: int
    cancels: int
    calm_after_us: int


def weather(rng: random.Random) -> Weather:
    """The weather of one seed."""

    def maybe(*values: float) -> float:
        return rng.choice((0.0, *values))

    return Weather(
        crash=maybe(0.005, 0.03),
        freeze=maybe(0.003, 0.02),
        slow=maybe(0.05, 0.3),
        refused=maybe(0.01, 0.1),
        answer_lost=maybe(0.01, 0.1),
        lost=maybe(0.05, 0.2),
        halted=maybe(0.03),
        deaf=maybe(0.3, 1.0),
        interrupts=rng.choice((0, 0, 1, 3)),
        outages=rng.choice((0, 0, 1, 2)),
        skew_us=rng.choice((0, 2, 10)) * SECOND,
        jumps=rng.choice((0, 0, 0, 1, 3)),
        cancels=rng.choice((0, 0, 0, 0, 1)),
        calm_after_us=rng.choice((60, 200, 400)) * SECOND,
    )
