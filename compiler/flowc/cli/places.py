"""Where the store is. In: options, environment variables, the project's settings. Out: URLs.

A relative path in an option or a variable is relative to the current directory.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.config import find_config

if TYPE_CHECKING:
    from flowrt.store.port import Blobs, Store

DEFAULT_STORE = ".flowc"


class StoreArguments(argparse.Namespace):
    """The arguments that say which store."""

    store: str | None
    blobs: str | None


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--store` and `--blobs`."""
    parser.add_argument(
        "--store",
        metavar="URL",
        help="the store: a directory, or postgresql://USER@HOST/DATABASE "
        "(else FLOWC_STORE, else [tool.flowc] store in pyproject.toml, else .flowc/)",
    )
    parser.add_argument(
        "--blobs",
        metavar="URL",
        help="the place of large values: a directory, s3://BUCKET/PREFIX, gs:// or az:// "
        "(else FLOWC_BLOBS, else blobs/ in the store)",
    )


def store_urls(args: StoreArguments) -> tuple[str, str | None]:
    """The URL of the store and, if one was given, that of its blobs."""
    blobs = args.blobs or os.environ.get("FLOWC_BLOBS") or None
    url = args.store or os.environ.get("FLOWC_STORE")
    if url:
        return url, blobs
    return find_config(Path.cwd()).store or DEFAULT_STORE, blobs


def open_place(args: StoreArguments, *, create: bool) -> "tuple[Store, Blobs]":
    """Open the store, with the key and the codec that there are. Raises StoreError, BadConfig."""
    from flowrt.store.opened import opened

    url, blobs_url = store_urls(args)
    _set_codec()
    return opened(url, blobs_url, create=create)


def _set_codec() -> None:
    """Let the project's codec hold for this process and for those that it starts, such as Ray's workers."""
    codec = None if os.environ.get("FLOWC_CODEC") else find_config(Path.cwd()).codec
    if codec is not None:
        os.environ["FLOWC_CODEC"] = codec
