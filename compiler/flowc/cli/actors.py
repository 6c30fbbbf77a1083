"""`flowc actors`. In: a store. Out: its actors as a table or JSON, the state of one, or one less."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.columns import align
from flowc.cli.exits import DONE
from flowc.cli.instants import EPOCH, local
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place

if TYPE_CHECKING:
    from flowrt.upkeep.actors import ActorFacts

EXAMPLE = """\
  flowc actors
  flowc actors 'shop.bank:Account(ann)'
  flowc actors --remove 'shop.bank:Account(ann)'"""


class Arguments(StoreArguments):
    """The arguments of `flowc actors`."""

    name: str | None
    remove: bool
    json: bool


def main(argv: Sequence[str]) -> int:
    """List actors, show the state of one, or remove it."""
    parser = CommandParser(
        "actors",
        "List the actors in the store, show the state of one, or remove it: the next call of a method begins "
        "with a new object then.",
        EXAMPLE,
    )
    parser.add_argument("name", metavar="ACTOR", nargs="?", help="one actor, as the list names it")
    parser.add_argument("--remove", action="store_true", help="remove the state of the actor")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    if args.remove and args.name is None:
        parser.error("`--remove` needs the name of an actor.")
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.clock import WallClock
        from flowrt.shown.json_value import dump
        from flowrt.upkeep.actors import actor_state, every_actor, remove_actor

        if args.name is None:
            _list(list(every_actor(store)), as_json=args.json)
        elif args.remove:
            remove_actor(store, blobs, args.name, now=WallClock().now())
            sys.stderr.write(f"actor {args.name} removed\n")
        else:
            sys.stdout.write(dump(actor_state(store, blobs, args.name)) + "\n")
    finally:
        store.close()
    return DONE


def _list(found: "list[ActorFacts]", *, as_json: bool) -> None:
    from flowrt.shown.json_value import dump

    if as_json:
        sys.stdout.write(dump([_document(one) for one in found]) + "\n")
    elif found:
        rows = [
            (one.name, str(one.version), str(one.size), local(one.at), f"{one.run_id} {one.step}")
            for one in found
        ]
        sys.stdout.write(align(("ACTOR", "VERSION", "BYTES", "CHANGED", "BY"), rows))
    else:
        sys.stderr.write("The store has no actors.\n")


def _document(one: "ActorFacts") -> dict[str, object]:
    from datetime import timedelta

    return {
        "actor": one.name,
        "class": one.cls,
        "key": one.key,
        "version": one.version,
        "bytes": one.size,
        "changed_at": (EPOCH + timedelta(microseconds=one.at)).isoformat(),
        "run": one.run_id,
        "step": one.step,
    }
