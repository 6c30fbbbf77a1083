"""What the engine says of what it does, as lines on stderr. In: whether it is wanted. Out: a context."""

import contextlib
import logging
import sys
from collections.abc import Generator


@contextlib.contextmanager
def shown(*, instants: bool = False) -> Generator[None]:
    """Show the log of the runtime on stderr, one line for each notable thing, while the block runs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s" if instants else "%(message)s"))
    logger = logging.getLogger("flowrt")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
