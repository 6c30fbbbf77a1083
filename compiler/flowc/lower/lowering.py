"""The type of the function that lowers a block, so that constructs can be handed it."""

from typing import Protocol

from flowc.ir import Block
from flowc.lower.maker import Maker
from flowrt.program import Source


class LowerBlock(Protocol):
    """Lowers a block into a body."""

    def __call__(self, maker: Maker, block: Block, *, wanted: bool) -> Source | None:
        """Add the block's steps; the source of its value if it is `wanted` and there is one."""
        ...
