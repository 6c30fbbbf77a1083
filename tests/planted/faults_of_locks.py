"""The faults that are planted in what runs have to do with each other: locks, cached values, starts."""

from campaign import Fault
from faults_of_actors import ACTORS

LOCKS_TESTED = (
    "tests/test_store_locks.py",
    "tests/core/test_lock.py",
    "tests/crash/test_crash.py::test_who_holds_a_lock_is_killed_or_stopped",
)

LOCKS = (
    Fault(
        "one more holds a lock than it allows",
        "store/sql_locks.py",
        "if head is None or held >= min(head.held_max, most or head.held_max):",
        "if head is None or held > min(head.held_max, most or head.held_max):",
        LOCKS_TESTED,
    ),
    Fault(
        "a lock with a key is the same for all keys",
        "engine/locks.py",
        "whole = lock_name(name) if key is None else keyed_lock_name(name, evaluate(key, env))",
        "whole = lock_name(name)",
        ("tests/core/test_lock.py",),
    ),
    Fault(
        "a step that was stopped in the same turn asks for its lock all the same",
        "engine/engine.py",
        "if state.wants(command) and not conductor.locks.holds_back(command):",
        "if not conductor.locks.holds_back(command):",
        ("tests/core/test_lock.py",),
    ),
    Fault(
        "who came last is given the lock",
        "store/sql_locks.py",
        "waiting.order_by(locks.c.ticket).limit(1)",
        "waiting.order_by(locks.c.ticket.desc()).limit(1)",
        LOCKS_TESTED,
    ),
    Fault(
        "who lost its lock to others writes on",
        "store/sql_locks.py",
        '            "epoch": runs.c.epoch + 1,\n            "owner": None,',
        '            "epoch": runs.c.epoch,\n            "owner": None,',
        LOCKS_TESTED,
    ),
    Fault(
        "a run goes on without the locks that it has lost",
        "engine/locks.py",
        "            if has_body:\n                self.lost",
        "            if not step:\n                self.lost",
        LOCKS_TESTED,
    ),
    Fault(
        "a lock that was given back goes to nobody",
        "store/sql_locks.py",
        "            touched.update(dict.fromkeys(_removed(connection, *this)))",
        "            _removed(connection, *this)",
        LOCKS_TESTED,
    ),
    Fault(
        "an answer that did not come counts as a look for locks",
        "engine/locks.py",
        "            answers = self.store.locks_of(",
        "            self.fresh = False\n            answers = self.store.locks_of(",
        ("tests/simulation/test_simulation.py::test_seeds_that_have_found_something",),
    ),
    Fault(
        "the blob of a value that is taken over is on its way out",
        "engine/caching.py",
        "        if now - row.made_at > STALE_US:",
        "        if now < row.made_at:",
        ("tests/core/test_cache.py",),
    ),
    Fault(
        "an expired value is taken over",
        "store/sql_cache.py",
        "    lasts = or_(cache.c.expires_at.is_(None), cache.c.expires_at > now)",
        "    lasts = or_(cache.c.expires_at.is_(None), cache.c.expires_at > 0)",
        ("tests/test_store_cache.py",),
    ),
    Fault(
        "an engine that has lost its run starts others for it",
        "store/sql_append.py",
        "started = [run for batch in written for run in batch.creates]",
        "started = [run for batch in batches for run in batch.creates]",
        ("tests/test_store_started.py",),
    ),
    *ACTORS,
)
