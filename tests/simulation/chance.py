"""Chance in a simulation: what would differ each time is replaced by what follows from the seed.

In: the world of a seed. Out: for the time of a `with` block, random numbers, ids, owners and the clock of
workers that are the simulation's own; and what only costs time is done once for each program.
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from uuid import UUID

from programs import once_each
from watch import Watch
from world import World

from flowrt.core.state import State
from flowrt.encoding.pack import decode_program, decode_record, encode_program, program_digest
from flowrt.engine.called import modules_of
from flowrt.record import Record

_REMEMBERED: dict[str, Callable[..., object]] = {
    "decode_record": lru_cache(20_000)(decode_record),
    "decode_program": lru_cache(None)(decode_program),
    "encode_program": once_each(encode_program),
    "modules_of": once_each(modules_of),
    "program_digest": once_each(program_digest),
}
"""What gives the same for the same each time, and is asked for again and again: nouns never change."""


@contextmanager
def chance_is_ours(world: World, watch: Watch) -> Iterator[None]:
    """Replace what would differ each time: random numbers, ids, owners, the clock of workers."""
    chance = random.Random(world.seed)

    class Watched(State):
        def apply(self, record: Record, seq: int) -> None:
            watch.applies(self, record, seq)
            super().apply(record, seq)

    ours: dict[str, Callable[..., object]] = {
        "random": chance.random,
        "uuid4": lambda: UUID(int=chance.getrandbits(128)),
        "this_owner": lambda: watch.running.owner,
        "alive": lambda owner: None,  # noqa: ARG005
        "_versions": dict,
        "State": Watched,
        **_REMEMBERED,
    }
    with _replaced(ours), _replaced({"_now": lambda: world.now}, "flowrt.executor.attempt"):
        yield


@contextmanager
def _replaced(ours: dict[str, Callable[..., object]], room: str = "flowrt.") -> Iterator[None]:
    former = [
        (module, attribute, getattr(module, attribute))
        for module, attribute in _places(tuple(ours), room, len(sys.modules))
    ]
    for module, attribute, _ in former:
        setattr(module, attribute, ours[attribute])
    try:
        yield
    finally:
        for module, attribute, was in former:
            setattr(module, attribute, was)


@lru_cache(4)
def _places(attributes: tuple[str, ...], room: str, _imported: int) -> list[tuple[ModuleType, str]]:
    """Where the attributes stand, in as many modules as are imported by now."""
    return [
        (module, attribute)
        for name, module in list(sys.modules.items())
        if name.startswith(room)
        for attribute in attributes
        if attribute in vars(module) and callable(getattr(module, attribute))
    ]
