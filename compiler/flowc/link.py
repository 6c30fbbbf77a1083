"""Flow files come in, one at a time; each goes out checked, together with the files that it uses.

A `Library` holds the files of one command. Every file is read and checked once, however many use it, so its
findings are those of one file too. A file is linked when all that it uses has been: depth first, with the
files that are open on a stack. One that is on it already uses itself by way of others, which is reported
where the circle closes. A file that cannot be used is reported at its alias, and nothing else is said of what
is called through that alias.

A path is relative to the folder of the file in which it stands. Files are told apart by their absolute paths
as they are written, not by what links point to: a file means the same in a folder of links.
"""

# `flowc validate` does without pathlib, which is slower to import than most flows to check.
# ruff: noqa: PTH100, PTH116, PTH118, PTH119, PTH120, PTH123, PTH208

import errno
import os
import stat
import sys
from collections.abc import Callable

from flowc.checks.check import check
from flowc.checks.events import differing_events
from flowc.diagnostic import Diagnostic
from flowc.ir import File, Ident
from flowc.linked import Linked, error_count, every_file, used_flows
from flowc.read import read_bytes
from flowc.read_yaml.source_text import SIZE_LIMIT
from flowc.resolve.file import resolve
from flowc.suggest import closest
from flowrt.noun import noun

FILES_MAX = 1_000
"""So many files one file uses at most, with those that they use."""
BYTES_MAX = 64 * 1024 * 1024
"""So long they are together."""
DEPTH_MAX = 100
"""So long a chain of files that use one another may be."""

Read = Callable[[str], bytes]


@noun
class _Refused:
    """Why a file cannot be used: how the finding about it goes on behind its path, and the way out."""

    code: str
    why: str
    help: str


def read_file(path: str) -> bytes:
    """The bytes of a file, as far as they can count. Raises OSError.

    A pipe or a device is refused before it is opened: it could be waited for without end.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    with open(path, "rb") as file:
        return file.read(BYTES_MAX)


def read_named(path: str) -> bytes:
    """The bytes of a file that a command names, as far as they can count. Raises OSError.

    A pipe is one that the shell has made, and is read. One byte beyond what a flow file may have is enough to
    refuse it, so that what goes on for ever comes to an end.
    """
    with open(path, "rb") as file:
        return file.read(SIZE_LIMIT + 1)


def read_stdin() -> bytes:
    """The bytes of stdin, as far as they can count."""
    return sys.stdin.buffer.read(SIZE_LIMIT + 1)


class Library:
    """The flow files that a command has come across, each read and checked once."""

    def __init__(self, read: Read = read_file) -> None:
        """An empty library; `read` gives the bytes of a path, or raises OSError."""
        self._read = read
        self._linked: dict[str, Linked] = {}
        self._open: dict[str, str] = {}
        self._file_count = 0
        self._byte_count = 0

    def link(self, name: str, data: bytes) -> Linked:
        """A file that the command names: its bytes, checked, with all that it uses.

        Args:
            name: Its path, as findings call it.
            data: Its bytes.
        """
        self._file_count = self._byte_count = 0
        return self._link(name, os.path.abspath(name), data)

    def _link(self, name: str, place: str, data: bytes) -> Linked:
        known = self._linked.get(place)
        if known is not None:
            return known
        tree, found = read_bytes(name, data)
        file, more = resolve(tree)
        linked = Linked(file, place, {}, (*found, *more))
        if file is not None:
            linked = self._with_used(linked, file, name)
        self._linked[place] = linked
        return linked

    def _with_used(self, linked: Linked, file: File, name: str) -> Linked:
        used: dict[str, Linked] = {}
        found = list(linked.found)
        self._open[linked.place] = name
        for alias, path in file.used.items():
            got = self._use(name, path)
            if isinstance(got, Linked):
                used[alias] = got
            refused = _faults(got, path.text) if isinstance(got, Linked) else got
            if refused is not None:
                message = f"the file `{path.text}` {refused.why}"
                found.append(Diagnostic(refused.code, message, file.source, path.span, help=refused.help))
        del self._open[linked.place]
        made = Linked(file, linked.place, used)
        found.extend(check(file, found, used_flows(made)))
        behind = {alias: [one.file for one in every_file(each) if one.file] for alias, each in used.items()}
        found.extend(differing_events(file, behind))
        return Linked(file, linked.place, used, tuple(found))

    def _use(self, user: str, path: Ident) -> Linked | _Refused:
        name = os.path.normpath(os.path.join(os.path.dirname(user), path.text))
        place = os.path.abspath(name)
        if place in self._open:
            return self._circle(place, name)
        return self._linked.get(place) or self._new(name, place)

    def _new(self, name: str, place: str) -> Linked | _Refused:
        if len(self._open) >= DEPTH_MAX:
            help_text = "use the file directly where its flows are called"
            return _Refused("F0130", f"is the end of a chain of more than {DEPTH_MAX} files", help_text)
        self._file_count += 1
        if self._file_count > FILES_MAX or self._byte_count > BYTES_MAX:
            bound = f"{FILES_MAX:,} files and {BYTES_MAX // 1024 // 1024} MiB"
            return _Refused("F0130", f"goes beyond the {bound} that may be used together", "use fewer files")
        try:
            data = self._read(name)
        except OSError as error:
            return _unreadable(name, error)
        except ValueError:  # A path with a null character in it.
            return _Refused("F0130", "cannot be read: this is no path", "write the path of a flow file")
        self._byte_count += len(data)
        return self._link(name, place, data)

    def _circle(self, place: str, name: str) -> _Refused:
        places = list(self._open)
        if places[-1] == place:
            help_text = "flows of one file call each other by their names alone: leave the alias out"
            return _Refused("F0131", "is this file itself", help_text)
        names = [self._open[each] for each in places[places.index(place) :]]
        shown = " → ".join(f"`{each}`" for each in (*names, name))
        help_text = "move the flows that both sides need into a file of their own, and use that one"
        return _Refused("F0131", f"uses this one in turn: {shown}", help_text)


def _faults(used: Linked, name: str) -> _Refused | None:
    """Why a file that was read cannot be used."""
    count = error_count(used)
    if not count:
        return None
    number = f"{count} error{'' if count == 1 else 's'}"
    return _Refused(
        "F0130", f"has {number}", f"mend `{name}` first; nothing that is called in it was looked at"
    )


def _unreadable(name: str, error: OSError) -> _Refused:
    if isinstance(error, FileNotFoundError):
        folder = os.path.dirname(name) or "."
        help_text = f"the path is relative to this file: there is no `{os.path.basename(name)}` in `{folder}`"
        near = _near(folder, os.path.basename(name))
        if near is not None:
            help_text = f"did you mean `{near}`, which is there?"
        return _Refused("F0130", "does not exist", help_text)
    if isinstance(error, IsADirectoryError):
        return _Refused("F0130", "is a directory", "name the flow file in it")
    why = error.strerror or type(error).__name__
    return _Refused("F0130", f"cannot be read: {why}", "a used file has to be readable where the flow is")


def _near(folder: str, name: str) -> str | None:
    """The flow file of a folder whose name is near to one that is not there."""
    try:
        names = [each for each in os.listdir(folder) if each.endswith((".flow", ".yaml", ".yml"))]
    except OSError:
        return None
    return closest(name, names[:FILES_MAX])
