"""Where things are: the store, and the folders that callables are imported from.

In: options, environment variables, the nearest `pyproject.toml` with a `[tool.flowc]` table. Out: URLs
and absolute paths. A relative path in `pyproject.toml` is relative to that file, one in an option or a
variable to the current directory.
"""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.cli.exits import UsageError
from flowrt.noun import noun

if TYPE_CHECKING:
    from flowrt.store.port import Blobs, Store

DEFAULT_STORE = ".flowc"


@noun
class Config:
    """What `[tool.flowc]` of a `pyproject.toml` says; empty when there is none."""

    store: str | None = None
    python_path: tuple[str, ...] | None = None


class StoreArguments(argparse.Namespace):
    """The arguments that say which store."""

    store: str | None
    blobs: str | None


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--store` and `--blobs`."""
    parser.add_argument(
        "--store",
        metavar="URL",
        help="the directory of the store "
        "(else FLOWC_STORE, else [tool.flowc] store in pyproject.toml, else .flowc/)",
    )
    parser.add_argument(
        "--blobs",
        metavar="URL",
        help="the directory of large values (else FLOWC_BLOBS, else blobs/ in the store)",
    )


def store_urls(args: StoreArguments) -> tuple[str, str | None]:
    """The URL of the store and, if one was given, that of its blobs."""
    blobs = args.blobs or os.environ.get("FLOWC_BLOBS") or None
    url = args.store or os.environ.get("FLOWC_STORE")
    if url:
        return url, blobs
    return find_config(Path.cwd()).store or DEFAULT_STORE, blobs


def open_place(args: StoreArguments, *, create: bool) -> "tuple[Store, Blobs]":
    """Open the store. Raises StoreError."""
    from flowrt.store.open import open_store

    url, blobs_url = store_urls(args)
    return open_store(url, blobs_url, create=create)


def python_path(flow_file: Path) -> tuple[str, ...]:
    """The folders to import the callables of a flow file from, before the interpreter's own path."""
    here = flow_file.resolve().parent
    configured = find_config(here).python_path
    folders = (str(here),) if configured is None else configured
    return tuple(dict.fromkeys((*folders, str(Path.cwd()))))


def find_config(start: Path) -> Config:
    """The `[tool.flowc]` table of the nearest `pyproject.toml` that has one, from `start` upwards."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            config = _read_config(file)
            if config is not None:
                return config
    return Config()


def _read_config(file: Path) -> Config | None:
    import tomllib

    try:
        with file.open("rb") as stream:
            document: Mapping[str, object] = tomllib.load(stream)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The file {file} cannot be read: {error}.") from error
    tool = document.get("tool")
    table: object = tool.get("flowc") if isinstance(tool, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(table, dict):
        return None
    return Config(_store(table, file), _python_path(table, file))  # pyright: ignore[reportUnknownArgumentType]


def _store(table: Mapping[str, object], file: Path) -> str | None:
    store = table.get("store")
    if store is None:
        return None
    if not isinstance(store, str) or not store:
        raise UsageError(f"`store` in [tool.flowc] of {file} must be text: a directory or a URL.")
    return store if "://" in store else str(file.parent / store)


def _python_path(table: Mapping[str, object], file: Path) -> tuple[str, ...] | None:
    given = table.get("python-path")
    if given is None:
        return None
    entries: list[object] = given if isinstance(given, list) else [given]  # pyright: ignore[reportUnknownVariableType]
    folders = [str((file.parent / entry).resolve()) for entry in entries if isinstance(entry, str)]
    if len(folders) != len(entries):
        raise UsageError(f"`python-path` in [tool.flowc] of {file} must be a list of folders.")
    return tuple(folders)
