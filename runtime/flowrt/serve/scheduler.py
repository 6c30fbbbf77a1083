"""The scheduler: makes the runs of deployed flows whose slots have come. In: the time; out: served runs.

A hook of the serving engine. Several servers of one store do the same, and no slot is dealt with twice:
the run is made and the cursor of the schedule is moved in one transaction, on the condition that the
cursor stands where it was read. Whoever comes second finds it moved; whoever dies before the commit has
done nothing. The run of a slot has the slot in its id, which says the same once more.

What was missed, because nobody served the store or a clock jumped, is dealt with as the schedule's
`catchup` says, and at once: a schedule never makes more than `MADE_UP_MAX` runs for the past, and a jump of
ten years costs a note. A clock that goes back finds the cursor in the future and waits.
"""

import logging
from dataclasses import dataclass

from flowrt.errors import FlowrtError, RunMismatch, SlotTaken, StoreUnavailable
from flowrt.failpoint import hit
from flowrt.run_id import slot_run_id
from flowrt.schedule import Schedule, newest_slots, next_slot, read_schedule, slots
from flowrt.serve.deploy import Catalog, slot_text, submit_slot
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import Deployment, Slot

GRACE_US = 60_000_000
"""So late may a slot be dealt with and still not count as missed."""

MADE_UP_MAX = 1_000
"""At most so many missed slots are made up for; of more, the newest."""

TURN_MAX = 20
"""So many runs of one schedule are made before the engine has a turn."""

REFRESH_US = 2_000_000
"""How long a deployment may go unnoticed."""

FUTURE_US = 86_400_000_000
"""A cursor that is further ahead was put there by a wrong clock."""

LOG = logging.getLogger("flowrt.serve")


@dataclass(slots=True)
class _Plan:
    """A deployment with a schedule: where it stands, and when it is next worth a look."""

    deployment: Deployment
    schedule: Schedule
    cursor: int
    due_at: int = 0


class Scheduler:
    """Looks after the schedules of a store. Implements `flowrt.engine.serve.Hook`."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        """Nothing is read before the first tick."""
        self._store = store
        self._blobs = blobs
        self._catalog = Catalog(store)
        self._plans: dict[str, _Plan] = {}
        self._refused: dict[str, tuple[str | None, str]] = {}
        self._refresh_at = 0
        self._last_now = 0

    def tick(self, now: int) -> int:
        """Make the runs that are due and return when to be called again. Raises StoreUnavailable."""
        if now < self._last_now:
            self._refresh_at = 0  # The clock was put back.
            for plan in self._plans.values():
                plan.due_at = 0
        self._last_now = now
        if now >= self._refresh_at:
            self._refresh(now)
        for plan in list(self._plans.values()):
            if now >= plan.due_at:
                self._carefully(plan, now)
        return min([self._refresh_at, *(plan.due_at for plan in self._plans.values())])

    def _refresh(self, now: int) -> None:
        """Read what is deployed; another server may have moved a cursor as well."""
        deployments = {each.name: each for each in self._catalog.all()}
        self._plans = {name: plan for name, plan in self._plans.items() if name in deployments}
        for name, each in deployments.items():
            known = self._plans.get(name)
            if known is not None and (known.deployment, known.cursor) == (each, each.cursor):
                continue
            self._plans.pop(name, None)
            schedule = self._schedule(each)
            if schedule is not None:
                self._plans[name] = _Plan(each, schedule, each.cursor)
                if each.cursor > now + FUTURE_US and known is None:
                    LOG.warning(
                        "the schedule of %s has been dealt with up to %s: a clock was wrong. It goes on "
                        "then; deploying the flow again sets it right",
                        name,
                        slot_text(each.cursor),
                    )
        self._refresh_at = now + REFRESH_US

    def _schedule(self, deployment: Deployment) -> Schedule | None:
        """The schedule of a deployment; None for one without, or with one that cannot be used here."""
        if deployment.schedule is None:
            return None
        try:
            schedule = read_schedule(deployment.schedule)
            next_slot(schedule, deployment.cursor)
        except (ValueError, OSError, KeyError, ImportError) as error:
            self._refuse(deployment, f"its schedule cannot be used here: {error}")
            return None
        return schedule

    def _refuse(self, deployment: Deployment, why: str) -> None:
        """Say once why a schedule is left alone."""
        said = (deployment.schedule, why)
        if self._refused.get(deployment.name) != said:
            self._refused[deployment.name] = said
            LOG.error("%s is not run by its schedule: %s", deployment.name, why)

    def _carefully(self, plan: _Plan, now: int) -> None:
        """Deal with one schedule; what is wrong with it is not the others' business."""
        try:
            self._deal_with(plan, now)
        except StoreUnavailable:
            raise
        except SlotTaken:
            self._refresh_at = now  # Another server was first: read again where the cursor stands.
            plan.due_at = now + REFRESH_US
        except FlowrtError as error:
            self._refuse(plan.deployment, str(error))
            plan.due_at = now + GRACE_US

    def _deal_with(self, plan: _Plan, now: int) -> None:
        due, left_out = self._due(plan, now)
        if left_out is not None:
            LOG.warning(
                "%s: slots from %s to %s were missed and are left out", plan.deployment.name, *left_out
            )
        for at in due[:TURN_MAX]:
            self._make(plan, at)
        if len(due) > TURN_MAX:
            plan.due_at = now
        else:
            plan.due_at = next_slot(plan.schedule, plan.cursor) or now + FUTURE_US

    def _due(self, plan: _Plan, now: int) -> tuple[list[int], tuple[str, str] | None]:
        """The slots to make runs for, and from when to when slots are left out."""
        schedule, name = plan.schedule, plan.deployment.name
        first = slots(schedule, plan.cursor, now, 2)
        if not first:
            return [], None
        many = MADE_UP_MAX if schedule.catchup == "all" else 1
        due = newest_slots(schedule, plan.cursor, now, many)
        if schedule.catchup == "none" and now - due[-1] > GRACE_US:
            if not self._store.move_cursor(name, plan.cursor, due[-1]):
                raise SlotTaken(f"The schedule of {name} has been dealt with.")
            plan.cursor = due[-1]
            return [], (slot_text(first[0]), slot_text(due[-1]))
        if due[0] == first[0]:
            return due, None
        before = newest_slots(schedule, plan.cursor, due[0] - 1, 1)
        return due, (slot_text(first[0]), slot_text(before[-1]))

    def _make(self, plan: _Plan, at: int) -> None:
        deployment = plan.deployment
        slot = Slot(deployment.name, plan.cursor, at)
        run_id = slot_run_id(deployment.name, at)
        try:
            program = self._catalog.program(deployment)
            hit("slot.due")
            submit_slot(self._store, self._blobs, program, deployment, slot, run_id)
            hit("slot.done")
        except RunMismatch:
            LOG.warning("run %s exists and is another one: the slot counts as dealt with", run_id)
        else:
            LOG.info("run %s made by the schedule of %s", run_id, deployment.name)
        # The run was there already if the cursor has not been moved with it.
        self._store.move_cursor(deployment.name, slot.after, at)
        plan.cursor = at
