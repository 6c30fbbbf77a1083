"""Values by content in a bucket: S3, Google Cloud Storage, Azure. In: a URL; out: a `Blobs`.

A value is an object `PREFIX/ab/cdef…`, named by the two parts of its SHA-256, and is made only if there
is none: two writers of one value write the same bytes, and an upload whose answer was lost is found in
place when it is tried again. Where the bucket is comes from the URL and from the environment (the
endpoint, the region), which travel with the object to the workers; credentials do not travel, each
process finds its own as the provider's tools do (variables, a role of the machine).

Removing. A value's age is when its object was made, by the server's clock; see `flowrt.store.content`
for what ages are good for. Object stores cannot remove "if still old". So an object that may be on its
way out is never made young again: whoever stores the value anew makes another object,
`PREFIX/again/ab/cdef…/UNIQUE`, and readers who do not find the first look there. A value is removed
only when all its objects are old, and each removal is asked for once: an answer that was lost is not
asked for again, because the second request could hit an object that was made in between. What is left
over is for the next collection. Two collections at the same time may still come to blows over one
object within one round trip; let one machine collect.

Patience. Requests are bounded, and tried again for PATIENCE_S with growing pauses, large transfers at
least LARGE_TRIES times. Bytes that do not have their digest are read again before they are called damaged.
An upload that was broken off may leave parts that only the bucket's own rules can remove (S3: a lifecycle
rule AbortIncompleteMultipartUpload).
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from itertools import chain
from random import uniform
from typing import TYPE_CHECKING, TypeVar, cast
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import from_url

from flowrt.errors import StoreUnavailable
from flowrt.failpoint import hit
from flowrt.store.content import (
    REFRESH_US,
    check_digest,
    damaged,
    digest_and_size,
    is_of,
    missing,
    wall_us,
)
from flowrt.store.object_errors import OBJECT_ERRORS, is_hopeless, no_bucket, unavailable
from flowrt.store.rows import BlobFacts

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

T = TypeVar("T")

PATIENCE_S = 20.0
LARGE_TRIES = 4

_SINGLE_MAX = 8 * 1024 * 1024
_CHUNK = 8 * 1024 * 1024
_PARTS_MAX = 9_000  # S3 takes 10,000.
_UPLOADS_AT_ONCE = 2
_DIGEST_TRIES = 2
_PAUSE_S, _PAUSE_MAX_S = 0.05, 2.0

_KEY = re.compile(r"(?:again/)?([0-9a-f]{2})/([0-9a-f]{62})(?:/[0-9a-f]{32})?")
_SETTINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "s3": {
        "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
        "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "virtual_hosted_style_request": ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST",),
        "skip_signature": ("AWS_SKIP_SIGNATURE",),
    },
    "gs": {"google_base_url": ("GOOGLE_BASE_URL",), "skip_signature": ("GOOGLE_SKIP_SIGNATURE",)},
    "az": {
        "account_name": ("AZURE_STORAGE_ACCOUNT_NAME",),
        "endpoint": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
        "use_emulator": ("AZURE_STORAGE_USE_EMULATOR",),
    },
}
"""What says where a bucket is, by scheme: obstore's name and the variables that hold it. No secrets."""

SCHEMES = tuple(_SETTINGS)


class ObjectBlobs:
    """Values in a bucket. Small and picklable: workers get one of their own."""

    def __init__(self, url: str, settings: Mapping[str, str] | None = None) -> None:
        """Use the place that `url` names, `SCHEME://BUCKET/PREFIX`; nothing is asked of it yet.

        `settings` say where the provider is; by default they are taken from the environment.

        Raises:
            StoreUnavailable: The URL names no bucket, or holds what does not belong there.
        """
        scheme = _check_url(url)
        self._url = url.rstrip("/")
        self._settings = dict(_settings(scheme) if settings is None else settings)
        try:
            self._short = _open(self._url, self._settings, _SHORT, 0)
            self._long = _open(self._url, self._settings, _LONG, 2)
        except OBJECT_ERRORS as error:
            raise unavailable("open it", self._url, error) from error

    def __reduce__(self) -> tuple[type["ObjectBlobs"], tuple[str, dict[str, str]]]:
        """Send what says where the bucket is, and no credentials."""
        return ObjectBlobs, (self._url, self._settings)

    def __repr__(self) -> str:
        """The place."""
        return f"ObjectBlobs({self._url!r})"

    def look(self) -> None:
        """See that the bucket is there and may be listed. Raises StoreUnavailable."""
        self._insist("look into it", lambda: self._page(""))

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store the concatenation of `parts`; return its digest (hex) and size in bytes.

        Raises:
            StoreUnavailable: The bucket cannot be written.
        """
        digest, size = digest_and_size(parts)
        hit("blob.begun")
        tries = 0 if size <= _SINGLE_MAX else LARGE_TRIES
        self._insist(f"write a value of {size} bytes", lambda: self._keep(digest, size, parts), tries)
        hit("blob.done")
        return digest, size

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, verified.

        Raises:
            StoreCorrupt: They are absent or altered.
            StoreUnavailable: The bucket cannot be read.
        """
        key = _key(digest)
        where = f"{self._url}/{key}"
        for _ in range(_DIGEST_TRIES):
            data = self._insist(f"read the value {digest}", lambda: self._read(key, digest), LARGE_TRIES)
            if data is None:
                raise missing(where)
            if is_of(digest, data):
                return data
        raise damaged(where)

    def renew(self, digest: str) -> None:
        """Make a value young: one that is not is read and made again, for what is there cannot be touched.

        Raises:
            StoreCorrupt: It is absent or altered.
            StoreUnavailable: The bucket cannot be read or written.
        """
        if not self._insist(f"look for the value {digest}", lambda: self._stays(_key(digest))):
            self.put([self.get(digest)])

    def every(self) -> Iterator[BlobFacts]:
        """All that is there; a value that was made again is told once for each of its objects."""
        last: list[str] = [""]
        while page := self._insist("list values", lambda: self._page(last[0])):
            for path, size, at in page:
                found = _KEY.fullmatch(path)
                if found is not None:
                    yield BlobFacts(found[1] + found[2], size, at)
            last[0] = page[-1][0]

    def remove(self, digest: str, put_before: int) -> bool:
        """Remove a value that was last put before an instant.

        False when it is absent or younger, and when it is not known whether it was removed.
        """
        key = _key(digest)
        doing = f"remove the value {digest}"
        paths = self._insist(doing, lambda: self._old_objects(key, put_before))
        for path in paths:
            try:
                obstore.delete(self._short, path)
            except FileNotFoundError:
                continue
            except OBJECT_ERRORS as error:
                if is_hopeless(error):
                    raise unavailable(doing, self._url, error) from error
                return False
        return bool(paths)

    def sweep(self, before: int) -> int:  # noqa: ARG002 - the port's
        """Nothing: uploads that were broken off are seen by the bucket's own rules alone."""
        return 0

    def _insist(self, doing: str, work: Callable[[], T], tries: int = 0) -> T:
        """What `work` returns, which is tried again while there is hope and time, or `tries` are left."""
        until = time.monotonic() + PATIENCE_S
        pause = _PAUSE_S
        while True:
            tries -= 1
            try:
                return work()
            except OBJECT_ERRORS as error:
                over = time.monotonic() + pause > until and tries <= 0
                if over or is_hopeless(error) or (isinstance(error, FileNotFoundError) and no_bucket(error)):
                    raise unavailable(doing, self._url, error) from error
            time.sleep(uniform(pause / 2, pause))  # noqa: S311 - to keep workers apart
            pause = min(2 * pause, _PAUSE_MAX_S)

    def _keep(self, digest: str, size: int, parts: Sequence[bytes | memoryview]) -> None:
        """Make the object, or see that one is there and stays for a while."""
        key = _key(digest)
        if size <= _SINGLE_MAX and self._create(key, parts):
            return
        there = self._facts(key)
        if there is None and size <= _SINGLE_MAX:
            raise BlockingIOError(f"{key} is being written or removed by somebody else just now")
        if there is None or there[0] != size:
            self._upload(key, size, parts)
        elif not self._is_young(size, chain([there], (facts for _, facts in self._others(key)))):
            self._upload(f"again/{key}/{uuid4().hex}", size, parts)

    def _create(self, key: str, parts: Sequence[bytes | memoryview]) -> bool:
        try:
            obstore.put(self._short, key, b"".join(parts), mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def _upload(self, key: str, size: int, parts: Sequence[bytes | memoryview]) -> None:
        """Make an object whatever is there. A large one goes in pieces, of which a few are in memory."""
        if size <= _SINGLE_MAX:
            obstore.put(self._short, key, b"".join(parts), use_multipart=False)
        else:
            obstore.put(
                self._long,
                key,
                _pieces(parts),
                use_multipart=True,
                chunk_size=max(_CHUNK, size // _PARTS_MAX),
                max_concurrency=_UPLOADS_AT_ONCE,
            )

    def _is_young(self, size: int, objects: Iterable[tuple[int, int]]) -> bool:
        """Whether one of these objects stays for a while."""
        oldest = wall_us() - REFRESH_US
        return any(found == size and at >= oldest for found, at in objects)

    def _stays(self, key: str) -> bool:
        """Whether a value is there, and stays for a while."""
        there = self._facts(key)
        return there is not None and self._is_young(
            there[0], chain([there], (facts for _, facts in self._others(key)))
        )

    def _read(self, key: str, digest: str) -> bytes | None:
        """The bytes of a value, out of the first of its objects that is there.

        What came may have been cut on its way by somebody who also told a smaller size: then it is read
        again for as long as what fails is read again.
        """
        for path in chain([key], (path for path, _ in self._others(key))):
            data = self._read_object(path)
            if data is not None and not is_of(digest, data):
                there = self._facts(path)
                if there is None or there[0] != len(data):
                    raise BlockingIOError(f"{len(data)} bytes came of {path}, which has others")
            if data is not None:
                return data
        return None

    def _others(self, key: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """The other objects of a value, with what `_facts` tells; not asked for before somebody looks."""
        for path, size, at in self._list(f"again/{key}", ""):
            yield path, (size, at)

    def _read_object(self, path: str) -> bytes | None:
        try:
            answer = obstore.get(self._long, path)
            # Out of its own buffer, BytesIO gives the bytes without a copy.
            whole = BytesIO()
            for piece in answer.stream(min_chunk_size=1024 * 1024):
                whole.write(piece)
        except FileNotFoundError as error:
            if no_bucket(error):
                raise
            return None
        return whole.getvalue()

    def _facts(self, path: str) -> tuple[int, int] | None:
        """The size of an object and when it was made."""
        try:
            meta = obstore.head(self._short, path)
        except FileNotFoundError:
            return None
        return meta["size"], _microseconds(meta["last_modified"])

    def _old_objects(self, key: str, before: int) -> list[str]:
        """All objects of a value, if all of them were made before an instant; else none."""
        first = self._facts(key)
        objects = {**({key: first} if first else {}), **dict(self._others(key))}
        return [] if any(at >= before for _, at in objects.values()) else list(objects)

    def _page(self, after: str) -> list[tuple[str, int, int]]:
        return self._list(None, after)

    def _list(self, folder: str | None, after: str) -> list[tuple[str, int, int]]:
        """Some objects behind a path: path, size, when made."""
        pages = obstore.list(self._short, folder, offset=after or None, chunk_size=1000)  # pyright: ignore[reportUnknownMemberType] - of Arrow, which is not asked for
        for metas in pages:
            return [(meta["path"], meta["size"], _microseconds(meta["last_modified"])) for meta in metas]
        return []


_SHORT: "ClientConfig" = {"connect_timeout": "5s", "timeout": "15s", "read_timeout": "15s"}
"""For requests of few bytes."""

_LONG: "ClientConfig" = {"connect_timeout": "5s", "timeout": "6h", "read_timeout": "30s"}
"""For transfers: as long as something moves."""


def _open(url: str, settings: Mapping[str, str], client: "ClientConfig", retries: int) -> "ObjectStore":
    options: ClientConfig = {**client}
    if settings.get("endpoint", settings.get("google_base_url", "")).startswith("http://"):
        options["allow_http"] = True  # It was asked for by name.
    retry: RetryConfig = {
        "max_retries": retries,
        "retry_timeout": timedelta(seconds=PATIENCE_S),
        "backoff": {
            "init_backoff": timedelta(seconds=_PAUSE_S),
            "max_backoff": timedelta(seconds=2),
            "base": 2,
        },
    }
    # The settings are those of the URL's own provider.
    config = cast("S3Config", dict(settings))
    return from_url(url, config=config, client_options=options, retry_config=retry)


def _check_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    place = rest.partition("/")[0]
    shown = f"{scheme}://{place.rpartition('@')[2]}"
    if scheme not in _SETTINGS:
        known = ", ".join(f"{name}://" for name in _SETTINGS)
        raise StoreUnavailable(f"Values cannot be kept at {shown}: give a directory, or one of {known}.")
    if "@" in place or "?" in rest or "#" in rest:
        raise StoreUnavailable(
            f"The place for values {shown} is given as {scheme}://BUCKET/PREFIX and nothing else: "
            "credentials and settings come from the environment."
        )
    if not place:
        raise StoreUnavailable(f"The place for values {shown} names no bucket: {scheme}://BUCKET/PREFIX.")
    return scheme


def _settings(scheme: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, variables in _SETTINGS[scheme].items():
        value = next((os.environ[variable] for variable in variables if os.environ.get(variable)), None)
        if value is not None:
            found[name] = value
    return found


def _key(digest: str) -> str:
    check_digest(digest)
    return f"{digest[:2]}/{digest[2:]}"


def _pieces(parts: Sequence[bytes | memoryview]) -> Iterator[memoryview]:
    for part in parts:
        view = memoryview(part).cast("B")
        for start in range(0, len(view), _CHUNK):
            yield view[start : start + _CHUNK]


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
