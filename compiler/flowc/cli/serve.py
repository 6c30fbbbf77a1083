"""`flowc serve [FILE…]`. In: files to deploy, a store. Out: runs that end, HTTP answers, a log on stderr.

What can be wrong with the files, the token or the address is found before anything is deployed.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.cli.executors import DriveArguments, add_executor_arguments, make_executor, require_executor
from flowc.cli.exits import DONE, UsageError
from flowc.cli.flow_file import compile_files, show_warnings
from flowc.cli.interrupts import Interrupts
from flowc.cli.log import shown
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place, store_urls

if TYPE_CHECKING:
    from flowc.compile import Compiled
    from flowrt.serve.access import Access
    from flowrt.serve.server import Http
    from flowrt.store.port import Blobs, Store

PORT = 8484
EXAMPLE = """\
  flowc serve etl.flow.yaml
  flowc serve --store postgresql://db/flows --host 0.0.0.0 --token-file /run/secrets/flowc
  flowc run --detach etl.flow.yaml -i day=2026-01-01"""
SUMMARY = """\
Serve a store: move on the runs that are handed over, run schedules, answer HTTP.
With files, their flows are deployed first: they can be submitted by name, and run by their schedules.
Several servers of one store share the work and take over from one that dies."""


class Arguments(DriveArguments):
    """The arguments of `flowc serve`."""

    files: list[str]
    host: str
    port: int
    token_file: str | None
    no_http: bool
    in_cluster: bool
    stop: bool


def main(argv: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM; the runs that are open are given up to others, or to the next start."""
    args = _parser().read(argv, Arguments())
    args.json, args.quiet = False, False
    if args.stop and not args.in_cluster:
        raise UsageError("`--stop` ends a server inside a cluster; give `--in-cluster` too.")
    if args.stop:
        return _stop(args)
    flows = compile_files(args.files)
    for compiled in {each.diagnostics: each for each in flows.values()}.values():
        show_warnings(compiled)
    require_executor(args)
    with _listening(args) as http, shown(instants=True):
        _deploy(flows, args)
        return _start_in_cluster(args) if args.in_cluster else _serve(args, http)


def _parser() -> CommandParser:
    parser = CommandParser("serve", SUMMARY, EXAMPLE)
    parser.add_argument("files", nargs="*", metavar="FILE", help="flow files to deploy; all of their flows")
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen (127.0.0.1); else a token is needed"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"the port ({PORT}); 0 takes any that is free")
    parser.add_argument(
        "--token-file", metavar="FILE", help="the token that requests have to bear (else FLOWC_TOKEN)"
    )
    parser.add_argument("--no-http", action="store_true", help="serve runs and schedules only")
    parser.add_argument(
        "--in-cluster",
        action="store_true",
        help="start the server as an actor of the Ray cluster at --address, without HTTP, and return",
    )
    parser.add_argument("--stop", action="store_true", help="with --in-cluster: end that server")
    add_executor_arguments(parser)
    add_store_arguments(parser)
    return parser


@contextlib.contextmanager
def _listening(args: Arguments) -> "Generator[Http | None]":
    """Where to listen, and to whom, while the block runs. Raises Refused, CannotListen, UsageError."""
    if args.no_http or args.in_cluster:
        yield None
        return
    from flowrt.serve.access import check_binding
    from flowrt.serve.listen import bind
    from flowrt.serve.server import Http

    access = _access(args)
    check_binding(args.host, access)
    with bind(args.host, args.port) as bound:
        yield Http(bound, access)


def _access(args: Arguments) -> "Access":
    """Who may speak to the server. Raises Refused, UsageError."""
    from flowrt.serve.access import Access, check_secret

    token = os.environ.get("FLOWC_TOKEN") or None
    name = "FLOWC_TOKEN"
    if args.token_file is not None:
        name = f"The token in {args.token_file}"
        try:
            token = Path(args.token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError(f"The token file `{args.token_file}` cannot be read: {why}.") from error
    secret = os.environ.get("FLOWC_EVENT_SECRET") or None
    return Access(
        None if token is None else check_secret(name, token),
        None if secret is None else check_secret("FLOWC_EVENT_SECRET", secret),
    )


def _deploy(flows: "dict[str, Compiled]", args: Arguments) -> None:
    """Deploy flows; a store that is not there is made."""
    store, blobs = open_place(args, create=True)
    try:
        for compiled in flows.values():
            _deploy_one(compiled, store, blobs)
    finally:
        store.close()


def _deploy_one(compiled: "Compiled", store: "Store", blobs: "Blobs") -> None:
    from flowc.cli.code import keep_code, pack_code
    from flowrt.clock import WallClock
    from flowrt.serve.deploy import deployment_of

    program = compiled.program
    snapshot = keep_code(pack_code(compiled.python_path), blobs)
    deployment = deployment_of(
        program, python_path=compiled.python_path, snapshot=snapshot, now=WallClock().now()
    )
    store.deploy(deployment)
    schedule = program.flows[program.main].schedule
    logging.getLogger("flowrt.serve").info(
        "deployed %s%s", program.main, f", schedule {schedule}" if schedule else ""
    )


def _serve(args: Arguments, http: "Http | None") -> int:
    from flowrt.serve.server import run_server

    with Interrupts() as interrupts:
        executor = make_executor(args, after_start=interrupts.install)
        with contextlib.closing(executor), contextlib.redirect_stdout(sys.stderr):
            logging.getLogger("flowrt.serve").info("serving the store %s", _shown(args))
            run_server(lambda: open_place(args, create=False), executor, http, interrupts.asked)
    logging.getLogger("flowrt.serve").info("ended; what is open goes on where the store is served")
    return DONE


def _shown(args: Arguments) -> str:
    """Where the store is, without a password that may stand in its URL."""
    url = store_urls(args)[0]
    scheme, separator, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else url


def _start_in_cluster(args: Arguments) -> int:
    from flowrt.serve.actor import start_in_cluster

    name = start_in_cluster(*store_urls(args), address=args.address)
    sys.stderr.write(
        f"The server {name} runs inside the cluster. `flowc serve --in-cluster --stop` ends it.\n"
    )
    return DONE


def _stop(args: Arguments) -> int:
    from flowrt.serve.actor import stop_in_cluster

    name = stop_in_cluster(store_urls(args)[0], address=args.address)
    sys.stderr.write(f"The server {name} has ended; what is open goes on where the store is served.\n")
    return DONE
