"""The project's settings: a folder comes in, `[tool.flowc]` of the nearest `pyproject.toml` goes out.

A relative path in it is relative to that file.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from flowrt.errors import FlowrtError
from flowrt.noun import noun


class BadConfig(FlowrtError):
    """A `pyproject.toml` cannot be read, or `[tool.flowc]` in it is not well formed."""


@noun
class Config:
    """What `[tool.flowc]` of a `pyproject.toml` says; empty when there is none."""

    store: str | None = None
    python_path: tuple[str, ...] | None = None
    codec: str | None = None


def python_path(flow_file: Path, used: Iterable[Path] = ()) -> tuple[str, ...]:
    """The folders to import the callables of a flow file from, before the interpreter's own path.

    Args:
        flow_file: The file.
        used: The flow files that it uses: the folders of their callables come after its own.

    Raises:
        BadConfig: The project's settings cannot be read.
    """
    homes = dict.fromkeys(file.resolve().parent for file in (flow_file, *used))
    folders = [folder for home in homes for folder in _own_folders(home)]
    return tuple(dict.fromkeys((*folders, str(Path.cwd()))))


def _own_folders(home: Path) -> tuple[str, ...]:
    configured = find_config(home).python_path
    return (str(home),) if configured is None else configured


def find_config(start: Path) -> Config:
    """The `[tool.flowc]` table of the nearest `pyproject.toml` that has one, from `start` upwards.

    Raises:
        BadConfig: A file on the way cannot be read, or the table is not well formed.
    """
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            config = _read_config(file)
            if config is not None:
                return config
    return Config()


def _read_config(file: Path) -> Config | None:
    import tomllib  # noqa: PLC0415 - most projects have no settings for flowc

    try:
        with file.open("rb") as stream:
            document: Mapping[str, object] = tomllib.load(stream)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(f"The file {file} cannot be read: {error}.") from error
    tool = document.get("tool")
    table: object = tool.get("flowc") if isinstance(tool, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(table, dict):
        return None
    return Config(_store(table, file), _python_path(table, file), _codec(table, file))  # pyright: ignore[reportUnknownArgumentType]


def _store(table: Mapping[str, object], file: Path) -> str | None:
    store = table.get("store")
    if store is None:
        return None
    if not isinstance(store, str) or not store:
        raise BadConfig(f"`store` in [tool.flowc] of {file} must be text: a directory or a URL.")
    return store if "://" in store else str(file.parent / store)


def _codec(table: Mapping[str, object], file: Path) -> str | None:
    codec = table.get("codec")
    if codec not in (None, "data", "pickle"):
        raise BadConfig(f'`codec` in [tool.flowc] of {file} must be "data" or "pickle".')
    return None if codec is None else str(codec)


def _python_path(table: Mapping[str, object], file: Path) -> tuple[str, ...] | None:
    given = table.get("python-path")
    if given is None:
        return None
    entries: list[object] = given if isinstance(given, list) else [given]  # pyright: ignore[reportUnknownVariableType]
    folders = [str((file.parent / entry).resolve()) for entry in entries if isinstance(entry, str)]
    if len(folders) != len(entries):
        raise BadConfig(f"`python-path` in [tool.flowc] of {file} must be a list of folders.")
    return tuple(folders)
