"""The HTTP server: a thread of its own beside the engine's. In: an application and where to listen.

Senders are not trusted to be quick: a request's head has ten seconds to come, its body half a minute (see
`flowrt.serve.body`), and so many connections at a time are served at most.
"""

import asyncio
import logging
import socket
import threading

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from flowrt.errors import FlowrtError

HEAD_S = 10.0
HEAD_MAX = 32 * 1024
CONNECTIONS_MAX = 500
KEEP_ALIVE_S = 15
GRACE_S = 5
BACKLOG = 256
PORT_MAX = 65_535


class CannotListen(FlowrtError):
    """The address cannot be bound."""


class _Impatient(H11Protocol):
    """HTTP/1.1 that closes a connection whose next request does not come whole in time."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_S, self._close_late)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._idle():
            self._forget()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_S, self._close_late)

    def on_response_complete(self) -> None:
        self._forget()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _idle(self) -> bool:
        """Whether no request is being answered; before the first there is none, whatever the type says."""
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close_late(self) -> None:
        self._late = None
        if self._idle() and not self.transport.is_closing():
            self.transport.close()


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 is any that is free. Raises CannotListen."""
    if not 0 <= port <= PORT_MAX:
        raise CannotListen(f"{port} is no port: ports go from 0 to {PORT_MAX}.")
    name = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"The address {host} cannot be used: {error.strerror or error}.") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise CannotListen(
            f"The server cannot listen at {host}:{port}: {error.strerror}. Try another --port."
        ) from error
    bound.set_inheritable(False)
    return bound


def url_of(bound: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Listener:
    """An HTTP server in a thread."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        """Begin to serve `app` at a bound socket."""
        config = uvicorn.Config(
            app,
            http=_Impatient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=HEAD_MAX,
            backlog=BACKLOG,
        )
        # What strangers send is no news; a fault of ours is told by the application.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self._server = uvicorn.Server(config)
        self._bound = bound
        self._thread = threading.Thread(target=self._serve, name="flowrt-http", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._bound]))

    def alive(self) -> bool:
        """Whether the thread serves."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Take no more requests, give those in flight a few seconds, and end."""
        self._server.should_exit = True
        self._thread.join(2 * GRACE_S)
        self._bound.close()
