"""Seals: bytes and their place go in, bytes that only a holder of the key can have made come out.

A seal is an HMAC-SHA256 over the place and the bytes. The key is kept outside of the store, so whoever
can write to the store but lacks the key can neither change what is in it nor move it to another place.

    0x31         the tag of an envelope (see `flowrt.encoding.codec`); no bare record begins like this
    key id       4 bytes: which key it was; the start of a digest of the key, so that it tells nothing
    MAC          32 bytes
    the bytes    as they were

A place is a domain ("record", "event", …) and fields, each with its length before it, so that no two
places have the same bytes. Seals are compared in constant time, and before anything reads the bytes.

Keys. `FLOWC_STORE_KEY` is the one to write with. To change it, the former ones go to
`FLOWC_STORE_KEYS_OLD`, separated by commas: what they sealed is still read. A key is at least 32
characters of text and is used as it is written; `openssl rand -base64 32` makes a good one.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowrt.errors import StoreCorrupt, WrongStoreKey

KEY_VARIABLE = "FLOWC_STORE_KEY"
OLD_KEYS_VARIABLE = "FLOWC_STORE_KEYS_OLD"

SEALED_FORM = 0x3
"""The high half of the first byte of an envelope."""

_TAG = b"\x31"
_ID_SIZE = 4
_MAC_SIZE = 32
_SEAL_SIZE = 1 + _ID_SIZE + _MAC_SIZE
_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class StoreKey:
    """A key, ready to begin a MAC with, and the id by which envelopes name it."""

    id: bytes
    begun: hmac.HMAC


def place(domain: str, *fields: bytes) -> bytes:
    """The bytes that a place is known by."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in (domain.encode(), *fields))


def is_sealed(data: bytes) -> bool:
    """Whether bytes are in an envelope, whoever made it."""
    return len(data) > 0 and data[0] >> 4 == SEALED_FORM


def without_key(what: str) -> str:
    """What to say when an envelope is met where nobody has a key."""
    return f"A stored {what} is sealed, and {KEY_VARIABLE} is not set. Set it to the key of the store."


class Seals:
    """Makes seals with one key, and knows those of older keys."""

    def __init__(self, key: StoreKey, older: Sequence[StoreKey] = ()) -> None:
        """Write with `key`; read with it and the older ones."""
        self._key = key
        self._keys: Mapping[bytes, StoreKey] = {known.id: known for known in (*older, key)}

    def seal(self, where: bytes, data: bytes) -> bytes:
        """The bytes in an envelope that holds at this place alone."""
        return _TAG + self._key.id + _mac(self._key, where, data) + data

    def unseal(self, where: bytes, sealed: bytes, what: str) -> bytes:
        """The bytes of an envelope.

        Args:
            where: The place that it was found at.
            sealed: The envelope.
            what: How it is named in messages, such as "record 3 of run etl-1".

        Raises:
            WrongStoreKey: It was made with a key that is not here, or there is no envelope.
            StoreCorrupt: The bytes are not what was sealed at this place.
        """
        if not is_sealed(sealed):
            raise WrongStoreKey(
                f"There is no seal on {what}, and {KEY_VARIABLE} is set: it was written without a key, or by "
                f"somebody who has none. If the store has never been sealed, unset {KEY_VARIABLE}, or use "
                "another store."
            )
        if len(sealed) < _SEAL_SIZE:
            raise StoreCorrupt(f"The seal on {what} is damaged: it has {len(sealed)} bytes.")
        key = self._keys.get(sealed[1 : 1 + _ID_SIZE])
        if sealed[:1] != _TAG or key is None:
            raise WrongStoreKey(self._other_key(sealed, what))
        data = sealed[_SEAL_SIZE:]
        if not hmac.compare_digest(sealed[1 + _ID_SIZE : _SEAL_SIZE], _mac(key, where, data)):
            raise StoreCorrupt(
                f"The seal on {what} is wrong: somebody without the key has changed or moved it, or it is "
                "damaged. Restore the store from a copy."
            )
        return data

    def _other_key(self, sealed: bytes, what: str) -> str:
        found = sealed[1 : 1 + _ID_SIZE].hex()
        known = ", ".join(key_id.hex() for key_id in self._keys)
        return (
            f"The seal on {what} was made with the key {found}, and the keys given here are {known}. Set "
            f"{KEY_VARIABLE} to that key, or add it to {OLD_KEYS_VARIABLE}."
        )


def seals_of(environment: Mapping[str, str]) -> Seals | None:
    """The keys that environment variables give; None without any.

    Raises:
        WrongStoreKey: One is too short, or there are only old ones.
    """
    text = environment.get(KEY_VARIABLE)
    old = [part for part in environment.get(OLD_KEYS_VARIABLE, "").split(",") if part.strip()]
    if text is None:
        if old:
            raise WrongStoreKey(
                f"{OLD_KEYS_VARIABLE} is set and {KEY_VARIABLE}, the key to write with, is not. Set both."
            )
        return None
    return Seals(_key(text, KEY_VARIABLE), [_key(part, OLD_KEYS_VARIABLE) for part in old])


def _key(text: str, variable: str) -> StoreKey:
    text = text.strip()
    if len(text) < _KEY_LENGTH or "," in text:
        raise WrongStoreKey(
            f"The key in {variable} has {len(text)} characters"
            f"{' and a comma among them' if ',' in text else ''}; a key has at least {_KEY_LENGTH} and no "
            "comma. `openssl rand -base64 32` makes one; unset the variable for a store without seals."
        )
    secret = text.encode("utf-8", "surrogateescape")
    key_id = hashlib.sha256(b"flowc store key id\0" + secret).digest()[:_ID_SIZE]
    return StoreKey(key_id, hmac.new(secret, digestmod="sha256"))


def _mac(key: StoreKey, where: bytes, data: bytes) -> bytes:
    # A copy of one that has taken the key in costs a tenth of a new one.
    mac = key.begun.copy()
    # The place first, with its length: what follows it cannot be taken for a part of it.
    mac.update(len(where).to_bytes(8, "big") + where)
    mac.update(data)
    return mac.digest()


def of_digest(digest: str, data: bytes, what: str) -> bytes:
    """The bytes, if they are those of a digest that is authenticated. Raises StoreCorrupt."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreCorrupt(
            f"The {what} {digest} in the store is another one: its bytes are not those of its digest. "
            "Restore the store from a copy."
        )
    return data
