"""The faults that are planted in actors: their turns, their states, what keeps these."""

from campaign import Fault

STATES = ("tests/test_store_actors.py",)
CALLS = ("tests/core/test_actor.py", "tests/core/test_lock_lost.py")

ACTORS = (
    Fault(
        "a state in SQL is written over whatever version there is",
        "store/sql_actors.py",
        ", actors.c.version == one.version",
        "",
        STATES,
    ),
    Fault(
        "a collection takes the values that the states of actors are in",
        "store/sql_remove.py",
        "for query in (by_runs, by_names, by_states)",
        "for query in (by_runs, by_names)",
        STATES,
    ),
    Fault(
        "a turn is not given back with the end of its call",
        "engine/active.py",
        "                along = replace(along, unlocks=(*along.unlocks, record.step))\n",
        "",
        CALLS,
    ),
    Fault(
        "an attempt that failed keeps its turn until the next one",
        "core/actors.py",
        "step.lock, step.again = None, again",
        "step.again = again",
        CALLS,
    ),
    Fault(
        "a call whose turn has gone to others is made without another one",
        "engine/locks.py",
        "                self.again[step] = None\n",
        "                pass\n",
        CALLS,
    ),
)
