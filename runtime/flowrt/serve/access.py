"""Who may speak to the server. In: the head of a request, a signed body. Out: nothing, or a `Problem`.

With a token every request carries it (`Authorization: Bearer …`), except those that give nothing away.
Without one the server listens on this machine only, and takes whatever this machine's users send, but
nothing that a web page has a browser send: a page of elsewhere that had its name resolve to 127.0.0.1
gives itself away by `Host`, one that posts across by `Origin`.

Senders of events may sign instead (`X-Flowc-Signature: t=SECONDS,v1=HEX`), with HMAC-SHA256 over the time, a
full stop and the body. A signature holds for five minutes to either side. The event is named by it unless
the body names it itself, so that the same signed request twice is one event.

A caller without the token learns nothing of what there is: every refusal is the same.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from flowrt.errors import FlowrtError
from flowrt.serve.problem import Problem

SECRET_MIN = 16
SIGNED_FOR_S = 300
OPEN = frozenset({"/healthz", "/openapi.json"})
EVENTS = "/v1/events"
SIGNATURE = b"x-flowc-signature"

Headers = Iterable[tuple[bytes, bytes]]


class Refused(FlowrtError):
    """The server is not to be started like this."""


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server. Without a token it is bound to this machine."""

    token: str | None = None
    event_secret: str | None = None

    def admit(self, path: str, method: str, headers: Headers) -> None:
        """Let a request in by its head, or raise Problem. A signature is looked at with the body."""
        given = _first(headers)
        if self.token is None:
            _from_here(given)
        elif path in OPEN or self.bears_token(given):
            return
        elif not (path == EVENTS and method == "POST" and SIGNATURE in given and self.event_secret):
            raise unauthorised()

    def bears_token(self, given: dict[bytes, bytes]) -> bool:
        """Whether the head carries the token."""
        if self.token is None:
            return False
        scheme, _, value = given.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and _same(value.strip(), self.token.encode())

    def signed(self, headers: Headers, body: bytes, now_s: float) -> str | None:
        """The name of a signed request; None for one that needs no signature.

        Raises Problem when there is a signature and it does not hold.
        """
        given = _first(headers)
        if SIGNATURE not in given:
            return None
        if self.token is not None and self.bears_token(given):
            return None
        if self.event_secret is None:
            raise unauthorised()
        at, signatures = _signature(given[SIGNATURE])
        expected = hmac.new(self.event_secret.encode(), at + b"." + body, hashlib.sha256).hexdigest()
        good = [_same(each, expected.encode()) for each in signatures]
        if not any(good) or abs(now_s - int(at)) > SIGNED_FOR_S:
            raise unauthorised()
        return f"signature:{expected}"


def unauthorised() -> Problem:
    """The one answer to a caller who may not know more."""
    return Problem(
        401,
        "The request is not authorised, or names what is not there.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def check_secret(name: str, secret: str) -> str:
    """A token or secret that can be sent and not be guessed. Raises Refused."""
    if len(secret) < SECRET_MIN:
        raise Refused(f"{name} has {len(secret)} characters; it needs at least {SECRET_MIN}.")
    if not all("!" <= letter <= "~" for letter in secret):
        raise Refused(f"{name} holds a space or a character outside of ASCII, which headers cannot carry.")
    return secret


def check_binding(host: str, access: Access) -> None:
    """Refuse to be reachable from other machines without a token. Raises Refused."""
    if access.token is None and not is_loopback(host):
        raise Refused(
            f"Without a token the server listens on this machine only, and {host} may be reached by others. "
            "Set FLOWC_TOKEN or give --token-file."
        )


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _from_here(given: dict[bytes, bytes]) -> None:
    host = given.get(b"host", b"").decode("latin-1")
    if not is_loopback(_hostname(host)):
        raise Problem(403, "Without a token the server answers requests to `localhost` or 127.0.0.1 only.")
    origin = given.get(b"origin")
    if origin is not None and not is_loopback(_hostname(origin.decode("latin-1").partition("://")[2])):
        raise Problem(403, "Without a token the server answers no pages of other sites.")


def _hostname(host: str) -> str:
    """The name in `name:port` and `[address]:port`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _signature(header: bytes) -> tuple[bytes, list[bytes]]:
    at = b""
    signatures: list[bytes] = []
    for part in header.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name == b"t":
            at = value
        elif name == b"v1":
            signatures.append(value)
    if not at.isdigit() or len(at) > SECRET_MIN or not signatures:
        raise unauthorised()
    return at, signatures


def _first(headers: Headers) -> dict[bytes, bytes]:
    """The headers by name, in lower case; of several, the first: none may be joined to another."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    return found


def _same(given: bytes, expected: bytes) -> bool:
    """Whether two secrets are equal, in a time that tells nothing of them, nor of their lengths."""
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(expected).digest())
