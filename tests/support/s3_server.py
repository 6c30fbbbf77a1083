"""An S3 server of one's own, and a proxy that spoils what goes to it and comes back.

    with s3_server() as endpoint:                      moto's server, over real HTTP
        make_bucket(endpoint, "bucket")
        with faulty_proxy(endpoint, Faults(seed=7)) as proxy:
            os.environ |= s3_environment(proxy.endpoint)

The faults of a proxy are drawn with a seed, request by request in the order in which they come.
"""

import contextlib
import logging
import random
import socket
import struct
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The address of an empty S3."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - it takes a second

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(endpoint: str, name: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT")):
        pass


def s3_environment(endpoint: str) -> dict[str, str]:
    """The variables by which a process finds the server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "canary-secret",
        "AWS_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@dataclass
class Faults:
    """How often each fault happens, as parts of 1, and how long a delay may be."""

    seed: int = 0
    reset: float = 0.05
    delay: float = 0.05
    delay_s: float = 0.05
    unavailable: float = 0.05
    too_many: float = 0.03
    conflict: float = 0.05
    lost_answer: float = 0.05
    cut_answer: float = 0.05
    cut_quietly: float = 0.05
    seen: Counter[str] = field(default_factory=Counter)
    requests: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def draw(self, request: str) -> str:
        """What happens to a request: the name of a fault, or `none`."""
        names = ("reset", "delay", "unavailable", "too_many", "conflict", "lost_answer")
        cuts = ("cut_answer", "cut_quietly")
        method = request.partition(" ")[0]
        with self._lock:
            self.requests.append(request)
            at = self._random.random()
            for name in names + (cuts if method == "GET" else ()):
                at -= getattr(self, name)
                if at < 0 and (name != "conflict" or method == "PUT"):
                    self.seen[name] += 1
                    return name
            self.seen["none"] += 1
            return "none"

    def pause(self) -> float:
        with self._lock:
            return self._random.uniform(0, self.delay_s)


STATUSES = {"unavailable": 503, "too_many": 429, "conflict": 409}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults
    backend: str

    def _serve(self) -> None:
        body = self._body()
        fault = self.faults.draw(f"{self.command} {self.path}")
        if fault == "delay":
            time.sleep(self.faults.pause())
        if fault == "reset":
            self._reset()
        elif fault in STATUSES:
            self._answer(STATUSES[fault], {}, b"")
        else:
            self._forward(body, fault)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _forward(self, body: bytes, fault: str) -> None:
        place = urllib.parse.urlsplit(self.backend)
        connection = HTTPConnection(place.hostname, place.port, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
            connection.request(self.command, self.path, body, headers)
            response: HTTPResponse = connection.getresponse()
            data = response.read()
        except (OSError, HTTPException):
            self._reset()  # The server was taken down.
            return
        finally:
            connection.close()
        if fault == "lost_answer":
            self._reset()
            return
        self._answer(response.status, dict(response.getheaders()), data, fault)

    def _answer(self, status: int, headers: dict[str, str], data: bytes, fault: str = "none") -> None:
        cut = data[: len(data) // 2] if fault.startswith("cut") and status == 200 else data
        told = data if fault == "cut_answer" else cut
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        head = self.command == "HEAD"
        length = {k.lower(): v for k, v in headers.items()}.get("content-length", "0")
        self.send_header("Content-Length", length if head else str(len(told)))
        self.end_headers()
        self.wfile.write(b"" if head else cut)
        self.wfile.flush()
        if len(told) != len(cut):
            self._reset()

    def _reset(self) -> None:
        """Break the connection off, as a router does that has forgotten it."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing is printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """A client that went away is no news."""


@dataclass
class Proxy:
    endpoint: str
    faults: Faults


@contextlib.contextmanager
def faulty_proxy(backend: str, faults: Faults) -> Iterator[Proxy]:
    """A proxy in front of a server."""
    handler = type("Handler", (_Handler,), {"faults": faults, "backend": backend})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Proxy(f"http://127.0.0.1:{server.server_port}", faults)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
