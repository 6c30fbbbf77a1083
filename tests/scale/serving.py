"""A process that serves a store, for `waiting.py`: it says when its first turn is over."""

import logging
import signal
import sys
from threading import Event

from flowrt.engine.serve import serve
from flowrt.executor.lazy import LazyExecutor
from flowrt.executor.local import LocalExecutor
from flowrt.store.open import open_store


def main() -> None:
    logging.getLogger("flowrt").setLevel(logging.WARNING)
    store, blobs = open_store(sys.argv[1], sys.argv[2], create=False)
    interrupt, said = Event(), Event()
    signal.signal(signal.SIGTERM, lambda *_: interrupt.set())

    def turned(_: int) -> None:
        if not said.is_set():
            said.set()
            print("serving", flush=True)

    serve(store, blobs, LazyExecutor(LocalExecutor), interrupt=interrupt, on_turn=turned)
    store.close()


main()
