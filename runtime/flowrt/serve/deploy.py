"""Deployments: flows that a store serves by name. In: programs; out: deployments, and runs of them.

A deployment holds all that a run is made from, so that whoever serves the store can make one: neither
the file of the flow nor the process that deployed it is needed again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

from flowrt.encoding.pack import decode_program, encode_program, program_digest
from flowrt.engine.called import modules_of
from flowrt.engine.drive import start
from flowrt.errors import FlowrtError
from flowrt.inputs.inputs import convert_inputs
from flowrt.program import Flow, Program
from flowrt.schedule import SECOND_US
from flowrt.serve.payloads import PayloadTypes, Waiter, payload_types
from flowrt.shown.run_json import iso
from flowrt.snapshot.cache import code_folders
from flowrt.snapshot.versions import versions_here
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import Deployment, Slot

REFRESH_S = 2.0
"""How long a process may not know of what another has deployed."""


class UnknownFlow(FlowrtError):
    """No flow of that name is deployed."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller says of a run to be made: inputs as JSON gives them, an id or None, labels."""

    inputs: Mapping[str, object]
    run_id: str | None
    labels: Mapping[str, str]


def deployment_of(
    program: Program,
    *,
    python_path: Sequence[str],
    snapshot: str | None,
    now: int,
) -> Deployment:
    """The deployment of a program under the name of its main flow; slots count from `now` on.

    `snapshot` is the digest of its code in the blob store; its versions are those of this process.
    """
    flow = program.flows[program.main]
    return Deployment(
        name=program.main,
        program_digest=program_digest(program),
        program=encode_program(program),
        code=program.code,
        labels=dict(flow.labels),
        versions=versions_here(modules_of(program), python_path),
        python_path=tuple(python_path),
        snapshot=snapshot,
        schedule=flow.schedule,
        cursor=now // SECOND_US * SECOND_US,
        deployed_at=now,
    )


class Catalog:
    """The deployments of a store as this process knows them. Its methods may be called by several threads."""

    def __init__(self, store: Store) -> None:
        """Nothing is read before it is asked for."""
        self._store = store
        self._lock = Lock()
        self._known: dict[str, Deployment] = {}
        self._programs: dict[str, Program] = {}
        self._payloads: dict[str, PayloadTypes] = {}
        self._waiters: tuple[float | None, list[Waiter]] = (None, [])
        self._read_at: float | None = None

    def all(self) -> list[Deployment]:
        """What is deployed, by name. Raises StoreError."""
        with self._lock:
            self._refresh(0)
            return sorted(self._known.values(), key=_name)

    def get(self, name: str) -> Deployment:
        """One deployment. Raises UnknownFlow, StoreError."""
        with self._lock:
            self._refresh(REFRESH_S)
            if name not in self._known:
                self._refresh(0)
            known = self._known.get(name)
        if known is None:
            names = ", ".join(sorted(self._known)) or "none"
            raise UnknownFlow(
                f"No flow `{name}` is deployed; there are: {names}. `flowc serve FILE` deploys."
            )
        return known

    def waiters(self, blobs: Blobs) -> list[Waiter]:
        """The programs that may wait for events, as they were known a moment ago. Raises StoreError."""
        with self._lock:
            self._refresh(REFRESH_S)
            known, read_at, (of, waiters) = list(self._known.values()), self._read_at, self._waiters
        if of != read_at:
            waiters = [Waiter(self._types(each), _folders(each, blobs)) for each in known]
            self._waiters = (read_at, waiters)
        return waiters

    def _types(self, deployment: Deployment) -> PayloadTypes:
        digest = deployment.program_digest
        found = self._payloads.get(digest)
        if found is None:
            found = self._payloads[digest] = payload_types(self.program(deployment))
        return found

    def flow(self, deployment: Deployment) -> Flow:
        """The flow of a deployment. Raises StoreError."""
        program = self.program(deployment)
        return program.flows[program.main]

    def program(self, deployment: Deployment) -> Program:
        """The program of a deployment. Raises StoreError."""
        with self._lock:
            known = self._programs.get(deployment.program_digest)
            if known is None:
                known = decode_program(self._store.program(deployment.program_digest))
                self._programs[deployment.program_digest] = known
            return known

    def _refresh(self, old_s: float) -> None:
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at < old_s:
            return
        self._known = {each.name: each for each in self._store.deployments()}
        self._read_at = now
        digests = {each.program_digest for each in self._known.values()}
        self._programs = {digest: known for digest, known in self._programs.items() if digest in digests}
        self._payloads = {digest: known for digest, known in self._payloads.items() if digest in digests}


def submit(store: Store, blobs: Blobs, catalog: Catalog, deployment: Deployment, said: Submission) -> str:
    """Make a served run of a deployment and return its id; as `flowrt.engine.drive.start`.

    Raises BadInput with a line for each input that is wrong, BadRunId, RunMismatch, StoreError.
    """
    program = catalog.program(deployment)
    flow = program.flows[program.main]
    folders = code_folders(deployment.python_path, deployment.snapshot, blobs)
    inputs = convert_inputs(flow, said.inputs, folders)
    return start(
        store,
        blobs,
        program,
        inputs,
        run_id=said.run_id,
        labels=said.labels,
        python_path=deployment.python_path,
        snapshot=deployment.snapshot,
        versions=deployment.versions,
        served=True,
    )


def submit_slot(
    store: Store, blobs: Blobs, program: Program, deployment: Deployment, slot: Slot, run_id: str
) -> None:
    """Make the run of a slot, and move the cursor of its schedule with it.

    Raises SlotTaken when somebody else has dealt with the slot, RunMismatch when there is another run of
    that id, BadInput, StoreError.
    """
    start(
        store,
        blobs,
        program,
        {},
        run_id=run_id,
        labels={"slot": slot_text(slot.at)},
        python_path=deployment.python_path,
        snapshot=deployment.snapshot,
        versions=deployment.versions,
        served=True,
        slot=slot,
    )


def slot_text(at: int) -> str:
    """An instant as the label `slot` of a scheduled run has it: ISO 8601, to the second."""
    return f"{(iso(at) or '')[:19]}Z"


def _folders(deployment: Deployment, blobs: Blobs) -> Callable[[], Sequence[str]]:
    return cache(lambda: code_folders(deployment.python_path, deployment.snapshot, blobs))


def _name(deployment: Deployment) -> str:
    return deployment.name
