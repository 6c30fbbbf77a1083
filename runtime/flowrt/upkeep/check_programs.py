"""Check of programs and callables. In: digests; out: decoded programs, and findings on the others."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import cast

from flowrt.encoding.pack import decode_program
from flowrt.program import Body, Pickled, Program, Task
from flowrt.store.port import Store
from flowrt.upkeep.finding import Findings

_KEPT = 16


class Programs:
    """Reads each program once, as far as memory goes, and each callable."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self._store = store
        self._recent: dict[str, Program] = {}
        self._sound_code: set[str] = set()

    def check(self, digest: str, found: Findings, run_id: str | None = None) -> Program | None:
        """The program of a digest, when it and all callables that it names are as they were written."""
        known = self._recent.get(digest)
        if known is not None:
            return known
        data = found.attempt("program", lambda: self._store.program(digest), run_id)
        if data is None:
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            found.note("program", f"The program {digest} is damaged: its bytes have another digest.", run_id)
            return None
        program = found.attempt("program", lambda: decode_program(data), run_id)
        if program is not None and self._has_code(program, found, run_id):
            self._recent[digest] = program
            if len(self._recent) > _KEPT:
                del self._recent[next(iter(self._recent))]
        return program

    def _has_code(self, program: Program, found: Findings, run_id: str | None) -> bool:
        sound = True
        for digest in dict.fromkeys(pickled_in(program)):
            if digest in self._sound_code:
                continue
            data = found.attempt("code", partial(self._store.code, digest), run_id)
            if data is not None and hashlib.sha256(data).hexdigest() == digest:
                self._sound_code.add(digest)
                continue
            sound = False
            if data is not None:
                message = f"The callable {digest} is damaged: its bytes have another digest."
                found.note("code", message, run_id)
        return sound


def pickled_in(program: Program) -> Iterator[str]:
    """The digests of the pickled callables that a program calls, with repetitions."""
    open_: list[Body] = [flow.body for flow in program.flows.values()]
    while open_:
        for node in open_.pop().nodes:
            if isinstance(node.op, Task) and isinstance(node.op.callee, Pickled):
                yield node.op.callee.digest
            for name in node.op.__match_args__:
                part: object = getattr(node.op, name)
                parts = cast("tuple[object, ...]", part) if isinstance(part, tuple) else (part,)
                open_.extend(one for one in parts if isinstance(one, Body))
