"""The stores give the same answers, whatever is asked of them in whatever order: memory is the reference.

One version holds SQLite against it, the other PostgreSQL too. More stories, or a long night of them:

    FLOWC_STORE_STORIES=300 pytest tests/test_store_machine.py
"""

import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from flowrt.errors import FlowrtError
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, NewEvent, Park, Slot, WaitRow
from stores import new_deployment, new_run, store_of

HEX = ["a" * 64, "b" * 64, "c" * 64]
RUNS = st.sampled_from(["r1", "r2", "r3"])
INSTANTS = st.integers(0, 40)
EPOCHS = st.integers(0, 3)
STATUSES = st.sampled_from(["running", "waiting", "succeeded", "failed", "cancelled", "suspended"])
NAMES = st.sampled_from(["e", "f\0", "\x01g"])
KEYS = st.sampled_from([None, "k", "\udcff"])
BLOBS = st.lists(st.sampled_from(HEX), max_size=2, unique=True)
EVENTS = st.builds(
    NewEvent,
    name=NAMES,
    key=KEYS,
    payload=st.sampled_from([b"", b"x"]),
    at=INSTANTS,
    run_id=st.sampled_from([None, None, "r1", "r2"]),
    dedupe=st.sampled_from([None, None, "d1", "d\0"]),
)
PARKS = st.builds(
    Park,
    wake_at=st.none() | INSTANTS,
    waits=st.lists(st.builds(WaitRow, name=NAMES, key=KEYS, looked=st.integers(0, 12)), max_size=2),
)


def owners():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    me = this_owner()
    return [
        me,
        dataclasses.replace(me, token="another engine here"),
        dataclasses.replace(me, host="elsewhere.example"),
        dataclasses.replace(me, pid=child.pid),
    ]


OWNERS = owners()
WHO = st.integers(0, 3).map(OWNERS.__getitem__)


def differences(one, other):
    """The fields in which two answers differ, or the answers."""
    if type(one) is list and type(other) is list and len(one) == len(other):
        return [
            each for pair in zip(one, other, strict=True) if pair[0] != pair[1] for each in differences(*pair)
        ]
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        fields = [
            (field.name, getattr(one, field.name), getattr(other, field.name))
            for field in dataclasses.fields(one)
        ]
        return [field for field in fields if field[1] != field[2]]
    return [one, other]


class Stores(RuleBasedStateMachine):
    """Every rule asks all stores the same and compares what they answer."""

    kinds = ("memory", "sqlite")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.stores = [store_of(kind, self.folder.name) for kind in self.kinds]

    def teardown(self):
        for store in self.stores:
            store.close()
        self.folder.cleanup()

    def ask(self, name, *args, **kwargs):
        answers = [self.answer(store, name, args, kwargs) for store in self.stores]
        for other in answers[1:]:
            assert other == answers[0], (name, args, kwargs, *differences(answers[0], other))
        return answers[0]

    @staticmethod
    def answer(store, name, args, kwargs):
        try:
            found = getattr(store, name)(*args, **kwargs)
        except FlowrtError as error:
            return type(error)
        return list(found) if name == "journal" else found

    # Runs

    @rule(
        run_id=RUNS,
        at=INSTANTS,
        served=st.booleans(),
        blobs=BLOBS,
        program=st.sampled_from("pq"),
        snapshot=st.sampled_from([None, "c" * 64]),
    )
    def create(self, run_id, at, served, blobs, program, snapshot):
        run = new_run(
            run_id,
            flow="flow\0",
            created_at=at,
            served=served,
            blobs=blobs,
            snapshot=snapshot,
            program_digest=program,
            code={program * 2: b"code"},
        )
        self.ask("create", run)

    @rule(run_id=RUNS, after=INSTANTS, at=INSTANTS, name=st.sampled_from(["n1", "n2"]))
    def create_for_slot(self, run_id, after, at, name):
        there = {one.name: one.cursor for one in self.stores[0].deployments()}
        after = there.get(name, after) if after % 4 else after
        self.ask("create", new_run(run_id, created_at=at, served=True), Slot(name, after, at))

    @rule(run_id=RUNS, owner=WHO, now=INSTANTS)
    def claim(self, run_id, owner, now):
        self.ask("claim", run_id, owner, now, now + 10)

    @rule(owner=WHO, now=INSTANTS, limit=st.integers(1, 3), ahead=st.sampled_from([0, 0, 5]))
    def claim_due(self, owner, now, limit, ahead):
        self.ask("claim_due", owner, now, now + 10, limit, ahead)

    @rule()
    def free_dead(self):
        self.ask("free_dead")

    @rule(owner=WHO, known=st.dictionaries(RUNS, EPOCHS))
    def free_unknown(self, owner, known):
        self.ask("free_unknown", owner, known)

    @rule(held=st.dictionaries(RUNS, EPOCHS), until=INSTANTS)
    def renew(self, held, until):
        self.ask("renew", held, until)

    @rule(
        run_id=RUNS,
        back=st.sampled_from([0, 0, 0, 1]),
        status=st.none() | STATUSES,
        wake_at=st.none() | INSTANTS,
        problem=st.sampled_from([None, "broken\0"]),
    )
    def release(self, run_id, back, status, wake_at, problem):
        epoch = self.epoch(run_id) - back
        self.ask("release", run_id, epoch, status, wake_at=wake_at, problem=problem)

    @rule(run_id=RUNS, now=INSTANTS)
    def serve(self, run_id, now):
        self.ask("serve", run_id, now)

    @rule(run_id=RUNS, back=st.sampled_from([0, 0, 1]), snapshot=st.none() | st.sampled_from(HEX))
    def reopen(self, run_id, back, snapshot):
        self.ask("reopen", run_id, self.epoch(run_id) - back, ["/new"], snapshot, b"seal")

    def row(self, run_id):
        return next((row for row in self.stores[0].runs() if row.run_id == run_id), None)

    def epoch(self, run_id):
        row = self.row(run_id)
        return row.epoch if row else 1

    @rule(data=st.data(), run_ids=st.lists(RUNS, min_size=1, max_size=3))
    def append(self, data, run_ids):
        batches = [self.batch(data, run_id) for run_id in dict.fromkeys(run_ids)]
        self.ask("append", batches)
        if data.draw(st.booleans(), label="again"):
            self.ask("append", batches)

    def batch(self, data, run_id):
        row = self.row(run_id)
        epoch, head = (row.epoch, row.head) if row else (1, 1)
        status = data.draw(st.none() | STATUSES)
        return Batch(
            run_id,
            epoch - data.draw(st.sampled_from([0, 0, 0, 1])),
            head,
            data.draw(st.lists(st.sampled_from([b"1", b"22"]), max_size=2)),
            events=data.draw(st.lists(EVENTS, max_size=2)),
            status=status,
            started_at=data.draw(st.none() | INSTANTS),
            ended_at=data.draw(INSTANTS) if status in {"succeeded", "failed", "cancelled"} else None,
            blobs=data.draw(BLOBS),
            park=data.draw(st.none() | PARKS),
            head_seal=data.draw(st.sampled_from([b"", b"seal"])),
        )

    # Events and requests

    @rule(events=st.lists(EVENTS, max_size=3))
    def send(self, events):
        self.ask("send_all", events)

    @rule(run_id=RUNS, reason=st.sampled_from(["why", "be\0cause"]), force=st.booleans())
    def cancel(self, run_id, reason, force):
        self.ask("request_cancel", run_id, reason, force=force)

    @rule(after=st.integers(0, 9))
    def news(self, after):
        self.ask("news", ["r1", "r3", "r9"], after)

    @rule(name=NAMES, key=KEYS, run_id=RUNS, after=st.integers(0, 9), limit=st.integers(1, 5))
    def events(self, name, key, run_id, after, limit):
        self.ask("events", name, key, run_id, after, limit)

    # Deployments

    @rule(name=st.sampled_from(["n1", "n2"]), schedule=st.sampled_from([None, "s1", "s2"]), cursor=INSTANTS)
    def deploy(self, name, schedule, cursor):
        deployment = new_deployment(name, schedule=schedule, cursor=cursor, snapshot=HEX[1])
        self.ask("deploy", deployment)

    @rule(name=st.sampled_from(["n1", "n2"]))
    def undeploy(self, name):
        self.ask("undeploy", name)

    @rule(name=st.sampled_from(["n1", "n2"]), after=INSTANTS, to=INSTANTS)
    def move_cursor(self, name, after, to):
        self.ask("move_cursor", name, after, to)

    # Removal

    @rule(run_id=RUNS)
    def delete(self, run_id):
        self.ask("delete", run_id)

    @rule(before=INSTANTS)
    def sweep(self, before):
        self.ask("sweep", before)

    @invariant()
    def all_is_the_same(self):
        rows = self.ask("runs")
        self.ask("runs", {"failed", "pending"}, "flow\0", 1)
        self.ask("deployments")
        self.ask("all_events", 0, 100)
        self.ask("needed", HEX)
        self.ask("journals", ["r1", "r2", "r3"])
        for digest in ("p", "q", "p" * 64):
            self.ask("program", digest)
        for row in rows:
            self.ask("journal", row.run_id)
            held = row.owner is not None
            assert row.wake_at is None or row.served
            assert not (held and row.served and row.status not in {"succeeded", "failed", "cancelled"}) or (
                row.wake_at == row.lease_until
            )


class AllStores(Stores):
    kinds = ("memory", "sqlite", "postgres")


def story_settings(examples):
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        derandomize=examples < 100,
        phases=[Phase.generate],  # To shrink a story takes minutes.
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def test_sqlite_answers_as_memory_does():
    run_state_machine_as_test(Stores, settings=story_settings(25))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_all_stores_answer_as_memory_does():
    run_state_machine_as_test(
        AllStores, settings=story_settings(int(os.environ.get("FLOWC_STORE_STORIES", "15")))
    )
