"""The faults that are planted, each with the tests that should notice it.

Every one takes away something that a promise rests on. An old text must stand in its file exactly once:
when the source changes, the fault is to be written anew, and `test_planted.py` says so.
"""

from campaign import Fault
from faults_of_locks import LOCKS
from faults_of_races import RACES
from faults_of_sagas import SAGAS
from faults_of_stops import STOPS
from faults_of_tries import TRIES

SIMULATED = ("tests/simulation/test_simulation.py::test_no_seed_breaks_a_promise",)
CONTRACT = ("tests/test_store_contract.py",)
SQLITE = ("tests/test_store_sqlite.py",)
BLOBS = ("tests/test_blobs.py", "tests/test_blobs_synced.py")
EVENTS = ("tests/core/test_events.py",)
SERVING = ("tests/core/test_serving.py", "tests/core/test_taken_again.py")
SEALED = ("tests/test_store_sealed.py",)
RETRIES = ("tests/core/test_retry_counts.py",)

OWNERSHIP = (
    Fault(
        "no fence in SQL: a superseded owner may append",
        "store/sql_append.py",
        '            runs.c.epoch == to["epoch"],\n            runs.c.head == to["first_seq"],',
        '            runs.c.head == to["first_seq"],',
        CONTRACT,
    ),
    Fault(
        "no fence in memory: a superseded owner may append",
        "store/memory.py",
        "elif (run.row.epoch, run.row.head) != (batch.epoch, batch.first_seq):",
        "elif run.row.head != batch.first_seq:",
        SIMULATED,
    ),
    Fault(
        "a claim in memory leaves the epoch as it was",
        "store/memory_rows.py",
        "            epoch=row.epoch + 1,\n            owner=owner,\n",
        "            epoch=max(row.epoch, 1),\n            owner=owner,\n",
        SIMULATED,
    ),
    Fault(
        "a claim in SQL leaves the epoch as it was",
        "store/sql_claims.py",
        '"epoch": row.epoch + 1,',
        '"epoch": row.epoch,',
        CONTRACT,
    ),
    Fault(
        "due runs in SQL are claimed under the old epoch",
        "store/sql_claims.py",
        '"epoch": runs.c.epoch + 1,',
        '"epoch": runs.c.epoch,',
        (*CONTRACT, *SERVING, "tests/simulation/test_simulation.py::test_no_seed_breaks_a_promise_on_sql"),
    ),
    Fault(
        "a lease that runs is passed over",
        "store/ownership.py",
        "or lease_until <= now or",
        "or lease_until >= 0 or",
        CONTRACT,
    ),
    Fault(
        "runs are claimed whether they are due or not",
        "store/memory_found.py",
        "        and run.row.wake_at <= now + (ahead if run.row.owner is None else 0)\n",
        "",
        SIMULATED,
    ),
    Fault(
        "a run that another engine holds is taken ahead of the end of its lease",
        "store/memory_found.py",
        "(ahead if run.row.owner is None else 0)",
        "ahead",
        SIMULATED,
    ),
    Fault(
        "an engine does not say that a run was taken from it",
        "engine/care.py",
        "            self.superseded.add(run_id)\n",
        "            pass\n",
        ("tests/core/test_ownership.py",),
    ),
    Fault(
        "a release suspends a run that has ended, in SQL",
        "store/sql_claims.py",
        "case((runs.c.status.in_(ENDED), runs.c.status), else_=wanted)",
        "wanted",
        CONTRACT,
    ),
    Fault(
        "attempts are not named by their epoch",
        "engine/conduct.py",
        "AttemptKey(self.run.run_id, command.step, command.attempt, self.run.epoch)",
        "AttemptKey(self.run.run_id, command.step, command.attempt)",
        SERVING,
    ),
)

JOURNAL = (
    Fault(
        "results are applied before they are flushed",
        "engine/active.py",
        "at_once = follows and self.applied == len(self.pending)",
        "at_once = self.applied == len(self.pending)",
        ("tests/core/test_durability.py", *SIMULATED),
    ),
    Fault(
        "what follows is applied past what is not durable yet",
        "engine/active.py",
        "at_once = follows and self.applied == len(self.pending)",
        "at_once = follows",
        ("tests/core/test_durability.py", *SIMULATED),
    ),
    Fault(
        "a request to cancel is applied before it is recorded",
        "engine/conduct.py",
        "run.note(CancelRequested(self.clock.now(), cancel.reason, cancel.force))",
        "run.note(CancelRequested(self.clock.now(), cancel.reason, cancel.force), follows=True)",
        SIMULATED,
    ),
    Fault(
        "events of a run are not sent with its records",
        "engine/active.py",
        "events=tuple(one.event for one in along if one.event is not None)",
        "events=()",
        SIMULATED,
    ),
    Fault(
        "a batch that is sent again counts as superseded",
        "store/memory.py",
        "                    if not was_written(run, batch):\n",
        "                    if True:\n",
        SIMULATED,
    ),
    Fault(
        "the checksum of a record is not looked at",
        "store/sql_journal.py",
        "    if not sound or row.checksum != record_checksum(run_id, row.seq, row.epoch, row.data):",
        "    if not sound:",
        SQLITE,
    ),
    Fault(
        "the checksum of an event is not looked at",
        "store/checksum.py",
        "return zlib.crc32(payload, _of(name, key, at, run_id, dedupe))",
        "return 0",
        (*SQLITE, "tests/test_upkeep.py"),
    ),
    Fault(
        "commits are not synced",
        "store/sqlite.py",
        '    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]\n',
        '    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]\n'
        '    connection.execute("PRAGMA synchronous=NORMAL")\n',
        SQLITE,
    ),
    Fault(
        "a gap in a journal is folded over",
        "engine/fold.py",
        "if row.seq != expected or (row.seq == 0) != isinstance(record, Started):",
        "if False:",
        (*SQLITE, "tests/core/test_folded_journals.py"),
    ),
    Fault(
        "a reopened run keeps its failures",
        "engine/fold.py",
        "        if row.seq in voided:\n",
        "        if row.seq < 0:\n",
        ("tests/core/test_reopened.py",),
    ),
)

BLOBS_AND_KEYS = (
    Fault(
        "the digest of a blob is not checked",
        "store/content.py",
        "    if not is_of(digest, data):\n",
        "    if False:\n",
        BLOBS,
    ),
    Fault("the bytes of a blob are not synced", "store/blobs.py", "os.fsync(file.fileno())", "pass", BLOBS),
    Fault(
        "the folder of a blob is not synced",
        "store/blobs.py",
        "            _sync_folder(path.parent)\n        except OSError",
        "        except OSError",
        BLOBS,
    ),
    Fault(
        "a young blob is removed",
        "store/blobs.py",
        "                if path.stat().st_mtime_ns // 1000 >= put_before:\n",
        "                if False:\n",
        BLOBS,
    ),
    Fault(
        "an old blob that is put again stays old",
        "store/blobs.py",
        "                    os.utime(path)\n",
        "                    pass\n",
        BLOBS,
    ),
    Fault(
        "a blob that a run needs is collected",
        "upkeep/collect.py",
        "unneeded = [facts for facts in page if facts.digest not in needed]",
        "unneeded = list(page)",
        ("tests/test_upkeep.py",),
    ),
    Fault(
        "seals are not compared",
        "store/seal.py",
        "if not hmac.compare_digest(",
        "if False and not hmac.compare_digest(",
        SEALED,
    ),
    Fault(
        "secrets are not redacted",
        "executor/redaction.py",
        "        if self._secrets.get(name) == value:\n",
        "        if value:\n",
        ("tests/test_redaction.py",),
    ),
)

WAITS = (
    Fault(
        "a dedupe id is not looked at, in memory",
        "store/memory_events.py",
        "known = None if event.dedupe is None else self._dedupe.get(event.dedupe)",
        "known = None",
        (*CONTRACT, *SIMULATED),
    ),
    Fault(
        "a dedupe id is not looked at, in SQL",
        "store/sql_events.py",
        "if event.dedupe is not None and event.dedupe in known:",
        "if False:",
        CONTRACT,
    ),
    Fault(
        "events of before the run are seen",
        "engine/engine.py",
        "Inbox(run.run_id, run.events_after)",
        "Inbox(run.run_id, 0)",
        EVENTS,
    ),
    Fault(
        "an event is consumed twice",
        "engine/inbox.py",
        "            if row.event_id in consumed:\n",
        "            if False:\n",
        EVENTS,
    ),
    Fault(
        "two waits take the same event",
        "engine/inbox.py",
        "if row.event_id not in self.taken and accepts(wait.command, row):",
        "if accepts(wait.command, row):",
        EVENTS,
    ),
    Fault(
        "an event that was given back is lost",
        "engine/inbox.py",
        "            if wait.looked >= event_id:\n",
        "            if False:\n",
        ("tests/core/test_stopped_steps.py",),
    ),
    Fault(
        "a wait times out without a last look",
        "engine/conduct.py",
        "                    if self._take_event(timer.step):\n",
        "                    if False:\n",
        (*EVENTS, *SIMULATED),
    ),
    Fault(
        "a timer from before a run was let go ends its wait without a look",
        "engine/conduct.py",
        "                    if timer.step not in self.inbox.waits:\n",
        "                    if False:\n",
        SERVING,
    ),
    Fault(
        "timers go off a second early",
        "engine/timers.py",
        "self._heap[0].at <= now",
        "self._heap[0].at <= now + 1_000_000",
        (*SIMULATED, "tests/core/test_timers.py"),
    ),
    Fault(
        "a park misses the event that came between the look and it, in memory",
        "store/memory.py",
        "                    if run.missed(self._events.inbox):\n",
        "                    if False:\n",
        (*CONTRACT, "tests/test_store_served.py", *SIMULATED),
    ),
    Fault(
        "a park misses the event that came between the look and it, in SQL",
        "store/sql_append.py",
        "        sql_events.wake_late(",
        "        _ = lambda: sql_events.wake_late(",
        (*CONTRACT, "tests/test_store_served.py"),
    ),
    Fault(
        "an event wakes nobody, in SQL",
        "store/sql_events.py",
        "    _wake(connection, fresh)\n",
        "",
        (*CONTRACT, "tests/test_store_served.py"),
    ),
    Fault(
        "a request to cancel does not wake a parked run",
        "store/memory.py",
        "            if run.parked:\n                run.wake()",
        "            if False:\n                run.wake()",
        (*CONTRACT, "tests/test_store_served.py"),
    ),
    Fault(
        "a slot of a schedule is dealt with by whoever comes",
        "store/memory_deployments.py",
        "        moves = self.at(name, after)\n",
        "        moves = True\n",
        ("tests/test_store_schedules.py",),
    ),
    Fault(
        "a slot of a schedule is dealt with by whoever comes, in SQL",
        "store/sql_deployments.py",
        "            deployments.c.cursor == after,\n",
        "",
        ("tests/test_store_schedules.py",),
    ),
)

ATTEMPTS = (
    Fault(
        "one retry too many",
        "core/retry.py",
        "if retry_count >= policy.max or",
        "if retry_count > policy.max or",
        RETRIES,
    ),
    Fault(
        "a step that loses its workers is never given up",
        "core/retry.py",
        "    if lost_count >= lost_max:\n",
        "    if False:\n",
        RETRIES,
    ),
    Fault(
        "a retry is made before it is due",
        "engine/conduct.py",
        "        if command.not_before > now:\n",
        "        if False:\n",
        SIMULATED,
    ),
    Fault(
        "the outcome of another attempt is taken",
        "engine/conduct.py",
        "if self.run.in_flight.get(key.step) != key:",
        "if key.step not in self.run.in_flight:",
        SERVING,
    ),
    Fault(
        "neighbours in a batch of a step that kills its worker are told to be lost",
        "executor/dispatch.py",
        "        elif len(flight.taken) > 1:\n",
        "        elif False:\n",
        ("tests/test_ray_executor.py::test_a_step_that_kills_its_worker_takes_no_neighbour_with_it",),
    ),
    Fault(
        "the packed code of a run is not used",
        "executor/code.py",
        "folders = code_folders(run.python_path, run.snapshot, blobs)",
        "folders = run.python_path",
        ("tests/test_resume_anywhere.py::test_one_process_serves_two_versions_of_a_module",),
    ),
    Fault(
        "versions are not compared",
        "snapshot/versions.py",
        "told = [*_python(row.versions), *_ray(row.versions)]",
        "told: list[str] = []",
        ("tests/test_resume_anywhere.py::test_another_environment_is_refused_before_anything_is_done",),
    ),
)

FAULTS = (
    *OWNERSHIP,
    *JOURNAL,
    *BLOBS_AND_KEYS,
    *WAITS,
    *ATTEMPTS,
    *STOPS,
    *SAGAS,
    *RACES,
    *TRIES,
    *LOCKS,
)
