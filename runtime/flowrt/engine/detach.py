"""Detach: a step that starts a run of its own comes in; the record and the run to be made go out.

The run is made in the transaction of the record, and its id follows from the run and the step: whatever
dies in between, there is one. It has the program's library, the code and the versions of the run that
starts it, and belongs to whoever serves the store. From then on neither of the two knows of the other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from flowrt.command import StartRun
from flowrt.context import idempotent_step
from flowrt.encoding.pack import encode_program, encode_record
from flowrt.engine.data_only import pickled_callees
from flowrt.engine.narrow import narrow
from flowrt.engine.perform import Performer
from flowrt.executor.port import RunFacts
from flowrt.noun import replace
from flowrt.program import Program
from flowrt.record import Detached, Failed, Started, digests_of
from flowrt.run_id import child_run_id
from flowrt.store.port import Store
from flowrt.store.rows import NewRun

PARENT, PARENT_STEP = "flowc.parent", "flowc.step"
"""The labels of a run that was started by another: the run, and the step in it."""


@dataclass(slots=True)
class Detacher:
    """Makes runs for the steps of one run. Encoded programs are kept: a loop may start many runs."""

    program: Program
    facts: RunFacts
    versions: Mapping[str, str]
    store: Store
    performer: Performer
    _encoded: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])

    def detach(self, command: StartRun, times_anew: int) -> tuple[Detached | Failed, NewRun | None]:
        """The run that a step starts, and the record that says so. Raises StoreError."""
        run = self.performer.guard(command.step, lambda: self._run(command, times_anew))
        if isinstance(run, Failed):
            return run, None
        return Detached(command.step, run.run_id), run

    def _run(self, command: StartRun, times_anew: int) -> NewRun:
        start, facts = command.start, self.facts
        flow = self.program.flows[start.flow]
        given = sorted(
            (name, narrow(command.env[source], self.performer.values)) for name, source in start.args
        )
        now = self.performer.clock.now()
        first = Started(now, tuple(given))
        digest, program = self._program(start.flow)
        step = idempotent_step(command.step, times_anew)
        return NewRun(
            run_id=child_run_id(start.flow, facts.id, facts.started_at, step),
            flow=start.flow,
            program_digest=digest,
            program=program,
            code=self._code(),
            inputs_digest=hashlib.sha256(encode_record(Started(0, first.inputs))).hexdigest(),
            first=encode_record(first),
            labels={**dict(flow.labels), PARENT: facts.id, PARENT_STEP: command.step},
            versions=self.versions,
            python_path=tuple(facts.python_path),
            created_at=now,
            served=True,
            snapshot=facts.snapshot,
            blobs=(*digests_of(first), *([] if facts.snapshot is None else [facts.snapshot])),
        )

    def _program(self, flow: str) -> tuple[str, bytes]:
        """The digest and the bytes of the program that starts with a flow of the library."""
        known = self._encoded.get(flow)
        if known is None:
            data = encode_program(replace(self.program, main=flow))
            known = self._encoded[flow] = (hashlib.sha256(data).hexdigest(), data)
        return known

    def _code(self) -> dict[str, bytes]:
        """The pickled callables of the library, by digest."""
        digests = {callee.digest for _, callee in pickled_callees(self.program)}
        known = self.program.code
        return {one: known[one] if one in known else self.store.code(one) for one in sorted(digests)}
