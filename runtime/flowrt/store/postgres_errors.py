"""PostgreSQL's error codes in words. In: an SQLSTATE, or none; out: what kind of trouble, and the way out.

The codes are those of appendix A of PostgreSQL's manual. An error without one is the client's own: it
could not connect, or lost the connection.
"""

import re
from collections.abc import Mapping

GIVEN_UP = frozenset({"40001", "40P01"})
"""Serialization failure, deadlock: the transaction can be made again."""

UNREACHABLE = (
    "The server cannot be reached, or the connection broke. See that it runs, and that the host, the port "
    "and the options for TLS in the URL are right."
)
_ADVICE: Mapping[str, str] = {
    "08": UNREACHABLE,
    "25006": "The database is read-only, as a standby is. Name the primary in the URL.",
    "25P03": "This process was stopped within a transaction, and the server has ended it. Try again.",
    "28": "The server refuses the user or the password. Give them in the URL, by PGPASSWORD or in ~/.pgpass.",
    "3D000": "There is no such database. Make it: createdb NAME",
    "42501": (
        "The user may not do that. Let an owner of the database run "
        "GRANT CREATE ON DATABASE ... TO the user; the store makes a schema named flowc."
    ),
    "53100": "The server's disk is full. Free some space there and resume.",
    "53200": "The server is out of memory. Try again later.",
    "53300": "The server has too many connections. Close some, or raise max_connections.",
    "55P03": "Another transaction has kept it locked for too long. Try again.",
    "57014": "It took too long and was cancelled. Try again when the server has less to do.",
    "57P": "The server is starting or stopping. Try again in a moment.",
    "58": "The server failed to read or write its files. Look at its log and its disk.",
}
_DAMAGED = ("XX001", "XX002", "42P01", "42703", "3F000", "22", "23")
"""Damaged pages; tables or columns that are not there; values that no statement of ours writes."""


# Of an error in connecting only the text is known.
_TEXTS: Mapping[str, str] = {
    r'database ".*" does not exist': "3D000",
    r'role ".*" does not exist|password|pg_hba\.conf|authentication failed': "28",
    r"too many (clients|connections)|remaining connection slots|connection limit": "53300",
    r"(starting up|shutting down|recovery mode)": "57P",
}


def is_damage(code: str) -> bool:
    """Whether the database is not as flowc has made it."""
    return code.startswith(_DAMAGED)


def advice(code: str | None, message: str) -> str | None:
    """What to do about an error with that code or, without one, that message; None: nothing."""
    if code is None:
        known = (code for pattern, code in _TEXTS.items() if re.search(pattern, message))
        return _ADVICE.get(next(known, "08"))
    return next((text for known, text in _ADVICE.items() if code.startswith(known)), None)
