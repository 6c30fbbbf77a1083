"""Secrets kept out of what is recorded and printed. In: secrets, and texts or bytes; out: texts without them.

A secret hides in many spellings. Looked for are, in capitals or not: the text itself, each long line of a
text of several, how Python, JSON, HTML, a shell and a URL spell it, its bytes in hexadecimal, in Base64
(at each of the three places where it may begin within a longer text, as in `Basic` authorization), and in
UTF-16 and UTF-32, which arrays of texts are made of. What a task makes of a secret otherwise (a part of
it, a digest, something compressed or encrypted) cannot be known.

Short secrets. One of less than 8 characters stands in results by chance: it is looked for in texts that
are told or printed, not in results, and in its plain spellings only. One of less than 4 characters is not
looked for at all: what has so few characters keeps no secret.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence

HIDDEN = "***"
TEXT_FROM = 4
RESULT_FROM = 8
_CHUNK = 1 << 20


class Redaction:
    """The secrets that an attempt was given."""

    def __init__(self) -> None:
        """Begin without any."""
        self._secrets: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._byte_pattern: re.Pattern[bytes] | None = None

    def __bool__(self) -> bool:
        """Whether there is a secret."""
        return bool(self._secrets)

    def add(self, name: str, value: str) -> None:
        """Hide a secret from now on."""
        if self._secrets.get(name) == value:
            return
        self._secrets[name] = value
        spelt = {form for secret in self._secrets.values() for form in _spellings(secret)}
        longest_first = sorted(spelt, key=len, reverse=True)
        if longest_first:
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
            as_bytes = (form.encode("utf-8", "surrogateescape") for form in longest_first)
            self._byte_pattern = re.compile(b"|".join(map(re.escape, as_bytes)), re.IGNORECASE)

    def text(self, text: str) -> str:
        """A text without the secrets."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)

    def raw_text(self, data: bytes) -> bytes:
        """A text in UTF-8 without the secrets."""
        return data if self._byte_pattern is None else self._byte_pattern.sub(HIDDEN.encode(), data)

    def found_in(self, parts: Sequence[bytes | memoryview]) -> str | None:
        """The name of a secret that stands in encoded bytes; None when there is none."""
        wanted = {
            needle.lower(): name for name, secret in self._secrets.items() for needle in _needles(secret)
        }
        longest = max(map(len, wanted), default=0)
        for part in parts if wanted else ():
            view = memoryview(part).cast("B")
            for at in range(0, len(view), _CHUNK):
                chunk = bytes(view[at : at + _CHUNK + longest]).lower()
                for needle, name in wanted.items():
                    if needle in chunk:
                        return name
        return None


NOTHING_HIDDEN = Redaction()
"""No secrets. Nothing is ever added to it."""


def _spellings(secret: str) -> Iterator[str]:
    """How a secret may be spelt in a text."""
    for text in {secret, *secret.splitlines(), *map(str.strip, secret.splitlines())}:
        if len(text) >= (TEXT_FROM if text.strip() == secret.strip() else RESULT_FROM):
            for cased in (text, text.upper(), text.lower()):  # Some letters become two.
                yield from _plain(cased)
            if len(text) >= RESULT_FROM:
                yield from (form for form in _coded(text) if len(form) >= RESULT_FROM)


def _plain(text: str) -> Iterator[str]:
    yield text
    for spelt in (repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield spelt
        yield repr(spelt)[1:-1]  # As in the representation of a list of such texts.
        yield spelt.replace("'", "\\'").replace('"', '\\"')
    yield repr(_bytes(text))[2:-1]


def _coded(text: str) -> Iterator[str]:
    # A worker whose tasks have no secrets does without these.
    import html  # noqa: PLC0415
    import shlex  # noqa: PLC0415
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    data = _bytes(text)
    yield from (quote(data, safe=""), quote(data), quote_plus(data), html.escape(text), shlex.quote(text))
    yield data.hex()
    for before in range(3):
        # The characters of Base64 that depend on the secret alone, wherever it begins in a group of three.
        start, end = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + data).decode()[start:end]


def _needles(secret: str) -> Iterator[bytes]:
    """The bytes that a result must not hold."""
    if len(secret) < RESULT_FROM:
        return
    for spelt in set(_spellings(secret)):
        if len(spelt) >= RESULT_FROM:
            yield spelt.encode("utf-8", "surrogateescape")
    yield secret.encode("utf-16-le", "surrogatepass")
    yield secret.encode("utf-32-le", "surrogatepass")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
