"""`flowc send EVENT`. In: an event. Out: exit code 0 once it is durable; runs that wait for it get it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.exits import DONE, UsageError
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place

if TYPE_CHECKING:
    from flowrt.store.port import Blobs, Store

EXAMPLE = """\
  flowc send approval --key order-17 --data '{"approved": true}'
  flowc send approval --key order-17 --run approve-order-17 --dedupe mail-4711"""


class Arguments(StoreArguments):
    """The arguments of `flowc send`."""

    event: str
    key: str | None
    run: str | None
    data: str | None
    dedupe: str | None


def main(argv: Sequence[str]) -> int:
    """Send an event; nothing is printed on stdout."""
    args = _read(argv)
    if not args.event.isidentifier():
        raise UsageError(f"`{args.event}` is not the name of an event: letters, digits and `_`.")
    _check_lengths(args)
    payload = _payload(args.data)
    store, blobs = open_place(args, create=False)
    try:
        _check_payload(store, blobs, args, payload)
        from flowrt.clock import WallClock
        from flowrt.encoding.codec import encode
        from flowrt.store.rows import NewEvent

        number = store.send(
            NewEvent(
                name=args.event,
                key=args.key,
                payload=b"".join(encode(payload)),
                at=WallClock().now(),
                run_id=args.run,
                dedupe=args.dedupe,
            )
        )
    finally:
        store.close()
    sys.stderr.write(f"event {number} accepted\n")
    return DONE


def _check_payload(store: "Store", blobs: "Blobs", args: Arguments, payload: object) -> None:
    """Refuse what nobody could take: as the deployed flows, or the run that it is for, declare the event."""
    from flowrt.encoding.pack import decode_program
    from flowrt.serve.deploy import Catalog
    from flowrt.serve.payloads import Waiter, check_payload, payload_types
    from flowrt.snapshot.cache import code_folders

    if args.run is None:
        waiters = Catalog(store).waiters(blobs)
    else:
        row = store.run(args.run)
        program = decode_program(store.program(row.program_digest))
        types = payload_types(program)
        if args.event not in types:
            sys.stderr.write(_unawaited(args.event, args.run, list(types)))
        waiters = [Waiter(types, lambda: code_folders(row.python_path, row.snapshot, blobs))]
    check_payload(args.event, payload, waiters)


def _unawaited(event: str, run_id: str, known: Sequence[str]) -> str:
    """What to say of an event for a run none of whose flows waits for it; it is kept all the same."""
    from flowc.suggest import closest

    near = closest(event, known)
    meant = f" Did you mean `{near}`?" if near else ""
    return f"warning: no flow of the run {run_id} waits for the event `{event}`.{meant}\n"


def _check_lengths(args: Arguments) -> None:
    from flowrt.amounts import event_dedupe, event_key, event_name

    try:
        event_name(args.event)
        event_key(args.key or "")
        event_dedupe(args.dedupe or "")
    except ValueError as error:
        raise UsageError(str(error)) from error


def _payload(text: str | None) -> object:
    if text is None:
        return None
    from flowrt.inputs.strict_json import load_json

    try:
        return load_json(text)
    except RecursionError as error:
        raise UsageError("The text after `--data` is nested too deeply.") from error
    except ValueError as error:
        raise UsageError(
            f"The text after `--data` is not JSON: {error}.\n"
            "help: a text needs its own quotes, as in --data '\"yes\"'"
        ) from error


def _read(argv: Sequence[str]) -> Arguments:
    parser = CommandParser("send", "Send an event to the runs that wait for it.", EXAMPLE)
    parser.add_argument("event", metavar="EVENT", help="the name of the event")
    parser.add_argument("--key", help="only waits with this key take the event")
    parser.add_argument("--run", metavar="RUN", help="send it to this run alone")
    parser.add_argument("--data", metavar="JSON", help="the payload (default: null)")
    parser.add_argument(
        "--dedupe", metavar="ID", help="a second event with the same id is acknowledged and dropped"
    )
    add_store_arguments(parser)
    return parser.read(argv, Arguments())
