"""The argument parser of one command: argparse with our help, and errors that say where help is."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, TypeVar

from flowc.cli.exits import USAGE

WIDEST = 110

Arguments = TypeVar("Arguments")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. argparse makes one for each argument, and asks `shutil` for the width."""

    def __init__(self, prog: str) -> None:
        """Lay out for the command `prog`."""
        super().__init__(prog, width=min(_columns(), WIDEST))


class CommandParser(argparse.ArgumentParser):
    """Parses the arguments of `flowc NAME`. Options may not be abbreviated: they are an interface."""

    def __init__(self, name: str, summary: str, example: str) -> None:
        """Make a parser that shows `summary` above and `example` below the list of options."""
        super().__init__(
            prog=f"flowc {name}",
            description=summary,
            epilog=f"example:\n{example}",
            formatter_class=Formatter,
            allow_abbrev=False,
        )

    def read(self, argv: Sequence[str], into: Arguments) -> Arguments:
        """Parse `argv` into the typed attributes of `into`; exits with 2 when it cannot."""
        given, rest = self.parse_known_args(argv, into)
        if rest:
            self.error(_unknown(rest[0], self))
        return given

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit with 2."""
        sys.stderr.write(f"error: {message}\nhelp: run `{self.prog} --help`\n")
        raise SystemExit(USAGE)

    def option_names(self) -> list[str]:
        """The long options that this command has."""
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]


def _columns() -> int:
    try:
        return os.get_terminal_size().columns or WIDEST
    except OSError:
        return WIDEST


def _unknown(word: str, parser: CommandParser) -> str:
    from flowc.suggest import closest  # Only needed once something is wrong.

    if not word.startswith("-") or word == "-":
        return f"`{word}` is one argument too many."
    near = closest(word.split("=", 1)[0], parser.option_names())
    return f"`{word}` is not an option of `{parser.prog}`." + (f" Did you mean `{near}`?" if near else "")
