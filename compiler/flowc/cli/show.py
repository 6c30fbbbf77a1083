"""`flowc show RUN`. In: a run. Out: its steps, what it waits for, its result, as text or JSON."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.code import use_code
from flowc.cli.columns import align
from flowc.cli.exits import DONE
from flowc.cli.instants import length, local
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place

if TYPE_CHECKING:
    from flowrt.view import Bound, RunView, StepView, Waiting

EXAMPLE = """\
  flowc show etl-2026-01-01
  flowc show etl-2026-01-01 --json"""


class Arguments(StoreArguments):
    """The arguments of `flowc show`."""

    run: str
    json: bool


def main(argv: Sequence[str]) -> int:
    """Show one run."""
    parser = CommandParser("show", "Show the steps of a run and what it waits for.", EXAMPLE)
    parser.add_argument("run", metavar="RUN", help="the id of the run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.view import view

        run = view(store, args.run)
        if args.json:
            from flowrt.shown.json_value import dump
            from flowrt.shown.run_json import run_json

            use_code(run.row, blobs)
            sys.stdout.write(dump(run_json(run, blobs)) + "\n")
        else:
            sys.stdout.write(_text(run))
    finally:
        store.close()
    return DONE


def _text(run: "RunView") -> str:
    row = run.row
    parts = [
        f"run {row.run_id} of flow {row.flow}: {run.status}\n",
        f"created {local(row.created_at)}, started {local(row.started_at)}, ended {local(row.ended_at)}, "
        f"took {length(row.started_at, row.ended_at)}\n",
    ]
    if row.labels:
        parts.append("labels " + ", ".join(f"{name}={value}" for name, value in row.labels.items()) + "\n")
    if run.failure is not None:
        where = f" at step {run.failure.step}" if run.failure.step else ""
        parts.append(f"failed{where}: {run.failure.type}: {run.failure.message}\n")
    if row.cancel_reason is not None:
        parts.append(f"cancel requested: {row.cancel_reason}\n")
    parts.extend(_waiting_text(one) for one in run.waiting)
    parts.extend(_bound_text(one) for one in run.bounds)
    if run.steps:
        head = ("STEP", "KIND", "STATUS", "ATTEMPTS", "TIME", "ERROR")
        parts.append("\n" + align(head, [_step_row(one) for one in run.steps]))
    return "".join(parts)


def _waiting_text(one: "Waiting") -> str:
    from flowrt.why.history import lock_text

    if one.kind == "lock" and one.key is not None:
        return f"step {one.step} waits for {lock_text(one.key)}\n"
    what = f"for event {one.event}" if one.event else f"({one.kind})"
    key = f" with key {one.key}" if one.key is not None else ""
    until = f" until {local(one.until)}" if one.until is not None else ""
    return f"step {one.step} waits {what}{key}{until}\n"


def _bound_text(one: "Bound") -> str:
    what = f"block {one.step}" if one.step else "the run"
    return f"{what} may take until {local(one.until)}\n"


def _step_row(one: "StepView") -> tuple[str, ...]:
    attempts = str(one.attempts) if one.attempts else "-"
    time = length(one.started_at or None, one.ended_at or None)
    return (one.id, one.kind, one.status, attempts, time, one.error or "")
