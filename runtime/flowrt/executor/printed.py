r"""What a task prints while it has secrets. In: what goes to stdout and stderr; out: the same without them.

There are two ways, for two kinds of worker.

* A process that makes one attempt at a time (`whole_process`): descriptors 1 and 2 lead into a file in
  memory while the attempt runs, and a thread copies what arrives there to where they led before. So what
  C code and child processes print is caught too. It is a file and not a pipe, because who writes to a
  full pipe waits, and would wait for ever if it held Python's lock meanwhile.
* Attempts in threads of one process: `sys.stdout` and `sys.stderr` are stood in for, and all that the
  process prints by them meanwhile goes through the secrets of all attempts that run.

Both work on whole lines; a line is as good as whole at its `\r`, when it is very long, and at the end of
the attempt. Not caught: what a thread or a process prints that outlives the attempt, and in the second
way what is written past `sys.stdout`, by child processes for one. The lines of the last instant are lost
if the process is killed.
"""

import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from flowrt.executor.redaction import Redaction

_PAUSE_S = 0.05
_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 16
_ROTATE_FROM = 32 << 20
"""A file of this size gives way to a new one, so that much output does not take much memory."""


@contextmanager
def redacted(secrets: Redaction, *, whole_process: bool) -> Generator[None]:
    """Keep secrets out of what is printed within the block."""
    if not secrets:
        yield
        return
    with _descriptors(secrets) if whole_process else _STREAMS.redacted(secrets):
        yield


def _whole_lines(text: bytes) -> int:
    """How much of the start of a text is whole lines."""
    end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
    return len(text) if len(text) - end > _LONGEST_LINE else end


@dataclass(slots=True)
class _Tail:
    """A descriptor that leads into files for a while; the last file is the one that is written to."""

    descriptor: int
    before: int
    files: list[int]
    read: int = 0
    rest: bytes = b""

    def copy(self, secrets: Redaction, *, last: bool) -> None:
        """Copy what has arrived; the `last` time, all of it."""
        text = self.rest + self._arrived()
        end = len(text) if last else _whole_lines(text)
        self.rest = text[end:]
        out = memoryview(secrets.raw_text(text[:end]))
        with contextlib.suppress(OSError):  # As with any print: a full disk must not end the step.
            while out:
                out = out[os.write(self.before, out) :]
        if self.read > _ROTATE_FROM and not last:
            self.files.append(_file())
            os.dup2(self.files[-1], self.descriptor)

    def _arrived(self) -> bytes:
        parts: list[bytes] = []
        while True:
            while part := os.pread(self.files[0], _CHUNK, self.read):
                self.read += len(part)
                parts.append(part)
            if len(self.files) == 1:
                return b"".join(parts)
            os.close(self.files.pop(0))
            self.read = 0

    def close(self) -> None:
        for number in (*self.files, self.before):
            os.close(number)


def _file() -> int:
    """A file that no other process can find."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("flowrt-printed")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def _descriptors(secrets: Redaction) -> Generator[None]:
    _flush()
    tails = [_Tail(number, os.dup(number), [_file()]) for number in (1, 2)]
    done = threading.Event()

    def follow() -> None:
        while not done.wait(_PAUSE_S):
            for tail in tails:
                tail.copy(secrets, last=False)

    thread = threading.Thread(target=follow, name="flowrt-printed", daemon=True)
    try:
        for tail in tails:
            os.dup2(tail.files[0], tail.descriptor)
        thread.start()
        yield
    finally:
        _flush()
        done.set()
        if thread.ident is not None:
            thread.join()
        for tail in tails:
            os.dup2(tail.before, tail.descriptor)
            tail.copy(secrets, last=True)
            tail.close()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, OSError):  # The task may have closed it.
            stream.flush()


class _Stream(io.TextIOBase):
    """Stands in for a stream: passes on whole lines without secrets."""

    def __init__(self, stream: TextIO, secrets: list[Redaction]) -> None:
        """Stand in for `stream`; `secrets` changes as attempts come and go."""
        self.stream = stream
        self._secrets = secrets
        self._rest = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        with self._lock:
            self._rest += text
            end = max(self._rest.rfind("\n"), self._rest.rfind("\r")) + 1
            self._pass_on(len(self._rest) if len(self._rest) - end > _LONGEST_LINE else end)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)

    def end(self) -> None:
        """Pass on what is left."""
        with self._lock:
            self._pass_on(len(self._rest))

    def _pass_on(self, end: int) -> None:
        text, self._rest = self._rest[:end], self._rest[end:]
        for secrets in self._secrets:
            text = secrets.text(text)
        if text:
            self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding

    @property
    def buffer(self) -> "_Bytes":
        """For who prints bytes."""
        return _Bytes(self)


class _Bytes(io.RawIOBase):
    """The bytes of a stream that is stood in for."""

    def __init__(self, stream: _Stream) -> None:
        """Write to `stream`."""
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self._stream.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)

    def flush(self) -> None:
        self._stream.flush()


@dataclass(slots=True)
class _Streams:
    """The streams of this process, and the secrets of the attempts that run in it."""

    secrets: list[Redaction] = field(default_factory=list[Redaction])
    streams: list[tuple[str, _Stream]] = field(default_factory=list[tuple[str, _Stream]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def redacted(self, secrets: Redaction) -> Generator[None]:
        with self.lock:
            self.secrets.append(secrets)
            if not self.streams:
                self._stand_in()
        try:
            yield
        finally:
            with self.lock:
                for _, stream in self.streams:
                    stream.end()
                self.secrets.remove(secrets)
                if not self.secrets:
                    self._step_back()

    def _stand_in(self) -> None:
        for name in ("stdout", "stderr"):
            stream = _Stream(getattr(sys, name), self.secrets)
            self.streams.append((name, stream))
            setattr(sys, name, stream)

    def _step_back(self) -> None:
        for name, stream in self.streams:
            if getattr(sys, name) is stream:
                setattr(sys, name, stream.stream)
        self.streams.clear()


_STREAMS = _Streams()
