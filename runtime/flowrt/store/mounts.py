"""Which file system a folder is on. In: a path; out: its network file system, if it is on one.

SQLite in WAL mode needs locks and memory that all processes share. Network file systems have neither, or
have them only on paper.
"""

import re
from pathlib import Path

from flowrt.errors import StoreUnavailable

# fmt: off
_NETWORK = frozenset(
    (
        "afs", "beegfs", "ceph", "cifs", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
        "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "vboxsf", "wekafs"
    )
)
_NETWORK_FUSE = frozenset(
    (
        "ceph", "ceph-fuse", "davfs2", "gcsfuse", "geesefs", "glusterfs", "goofys", "juicefs",
        "mountpoint-s3", "rclone", "s3fs", "seaweedfs", "sshfs"
    )
)
# fmt: on
_FIELD_COUNT = 4
_WINDOWS_DRIVE = "aname=drvfs"
"""9p as such is how some sandboxes give a guest its own disk; under WSL it is a drive of Windows."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def refuse_network(folder: Path) -> None:
    """Raise StoreUnavailable for a folder on a network file system."""
    kind = network_file_system(folder)
    if kind is not None:
        raise StoreUnavailable(
            f"The store {folder} is on a network file system ({kind}), where SQLite's locks do not hold. "
            "Use a folder on a local disk."
        )


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The type of the network file system that `folder` is on; None when it is local or unknown."""
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    where = folder.resolve()
    kind: str | None = None
    depth = -1
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) < _FIELD_COUNT:
            continue
        point = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[1]))
        # Of several mounts on one point the last one is seen.
        if where.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = _network_kind(fields[2], fields[3]), len(point.parts)
    return kind


def _network_kind(kind: str, options: str) -> str | None:
    if kind in _NETWORK or (kind.startswith("fuse.") and kind.removeprefix("fuse.") in _NETWORK_FUSE):
        return kind
    return "drvfs" if kind == "9p" and _WINDOWS_DRIVE in options else None
