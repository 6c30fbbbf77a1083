"""The tasks of the folder_crawl flow: what is in a folder, and what several of them make together."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Folder:
    """What is right in a folder: its files as (bytes, path), and the paths of its folders, both in order."""

    files: list[tuple[int, str]]
    folders: list[str]


@dataclass(frozen=True)
class Tally:
    """How many files, folders and bytes there are in a tree, and its largest file."""

    files: int
    folders: int
    bytes: int
    largest: tuple[int, str]


def look(folder: str) -> Folder:
    """What is in a folder. Links are not followed; a folder that may not be read has nothing in it."""
    files: list[tuple[int, str]] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    files.append((entry.stat().st_size, entry.path))
    except PermissionError:
        return Folder([], [])
    return Folder(sorted(files), sorted(folders))


def add_up(here: Folder, below: list[Tally]) -> Tally:
    """A folder with all that is below it."""
    return Tally(
        files=len(here.files) + sum(tally.files for tally in below),
        folders=1 + sum(tally.folders for tally in below),
        bytes=sum(size for size, _ in here.files) + sum(tally.bytes for tally in below),
        largest=max([*here.files[-1:], *(tally.largest for tally in below)], default=(0, "")),
    )
