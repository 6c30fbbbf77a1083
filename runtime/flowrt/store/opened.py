"""Opening a store as its environment says. In: where it is, and `FLOWC_STORE_KEY`; out: a `Store`, `Blobs`.

With a key the store is sealed (see `flowrt.store.sealed`). A store is sealed from its first run on or not at
all: the newest run, or else a deployment, tells which, and another key, or none, is refused here and not
after something was written.
"""

import os
from contextlib import suppress

from flowrt.errors import StoreCorrupt, WrongStoreKey
from flowrt.store.open import open_store
from flowrt.store.port import Blobs, Store
from flowrt.store.seal import KEY_VARIABLE, OLD_KEYS_VARIABLE, seals_of


def opened(url: str, blobs_url: str | None = None, *, create: bool = True) -> tuple[Store, Blobs]:
    """Open a store, or make it; sealed when the environment has a key.

    Args:
        url: As for `open_store`.
        blobs_url: As for `open_store`.
        create: Whether a store that is not there is made.

    Raises:
        WrongStoreKey: The key is too short, or not the one that the store is sealed with.
        StoreError: As `open_store`.
    """
    has_key = KEY_VARIABLE in os.environ or OLD_KEYS_VARIABLE in os.environ
    seals = seals_of(os.environ) if has_key else None
    store, blobs = open_store(url, blobs_url, create=create)
    try:
        if seals is None:
            _refuse_sealed(store, url)
            return store, blobs
        from flowrt.store.sealed import SealedStore  # noqa: PLC0415 - most stores have no key

        sealed = SealedStore(store, seals)
        with suppress(StoreCorrupt):  # What is damaged is told to who asks for it.
            if not sealed.runs(limit=1):
                sealed.deployments()
    except BaseException:
        store.close()
        raise
    return sealed, blobs


def _refuse_sealed(store: Store, url: str) -> None:
    seals: list[bytes] = []
    with suppress(StoreCorrupt):
        seals = [row.seal for row in store.runs(limit=1)] or [row.seal for row in store.deployments()]
    if any(seals):
        raise WrongStoreKey(
            f"The store {url} is sealed, and {KEY_VARIABLE} is not set. Set it to the key of the store."
        )
