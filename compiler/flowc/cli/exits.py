"""How the command ends: its exit codes, and the exceptions that carry a message and a code to `main`."""

DONE = 0
FINDINGS = 1
RUN_NOT_SUCCEEDED = 1
USAGE = 2
INVALID_FLOW = 3
RUN_OWNED = 4
INTERNAL = 70  # A fault of flowc itself, as sysexits.h numbers it.
INTERRUPTED = 130
BROKEN_PIPE = 141  # The reader of stdout went away, as a shell numbers SIGPIPE.


class UsageError(Exception):
    """The command cannot be carried out as it was given; each line of the text is a whole sentence."""


EXTRA = {
    **dict.fromkeys(
        ("ray", "sqlalchemy", "msgpack", "cloudpickle", "cronsim", "jsonschema"), ("ray", "runs need")
    ),
    **dict.fromkeys(("starlette", "uvicorn", "anyio"), ("serve", "`flowc serve` needs")),
}
"""Packages that linting does not need: the extra that installs each, and what for."""


def missing_extra(error: ImportError) -> UsageError | None:
    """What to say when a package of the extra is not there; None for any other failed import."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRA:
        return None
    extra, who = EXTRA[package]
    return UsageError(
        f'The package `{package}` is not installed, and {who} it.\nhelp: pip install "flowc[{extra}]"'
    )


class InvalidFlows(Exception):
    """The flow is not valid; the text is the rendered diagnostics."""
