"""A Ray of the tests' own, started and left without a trace."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import ray


@contextmanager
def ray_cluster(num_cpus: int = 2) -> Iterator[str]:
    """Start Ray in this process, give its address, end it.

    Ray leaves the log files and the processes of the node that it started to the garbage collector,
    which warns of them. They are collected here, where such a warning is known to be Ray's.
    """
    context = ray.init(
        address="local",
        num_cpus=num_cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    try:
        yield context.address_info["address"]
    finally:
        del context
        ray.shutdown()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
