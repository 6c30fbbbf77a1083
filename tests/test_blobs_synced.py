"""A blob is on disk before its digest is told: its bytes, its name, and the folders that it is in."""

import os
from pathlib import Path

import pytest

from flowrt.store.blobs import LocalBlobs


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is synced and renamed, in order, by name."""
    steps: list[tuple[str, str]] = []
    sync, rename = os.fsync, Path.rename

    def noting_sync(descriptor: int) -> None:
        steps.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        sync(descriptor)

    def noting_rename(path: Path, target: Path) -> Path:
        steps.append(("rename", Path(target).name))
        return rename(path, target)

    monkeypatch.setattr("os.fsync", noting_sync)
    monkeypatch.setattr(Path, "rename", noting_rename)
    return steps


def test_bytes_are_synced_before_the_name_and_the_name_before_the_answer(tmp_path, steps):
    digest, _ = LocalBlobs(tmp_path / "blobs").put([b"value"])
    folder, name = digest[:2], digest[2:]
    last = steps[-3:]
    assert last[0][0] == "sync"
    assert last[0][1].endswith(".tmp")
    assert last[1:] == [("rename", name), ("sync", folder)]
    assert {("sync", "blobs"), ("sync", tmp_path.name)} <= set(steps[:-3])


def test_a_value_that_another_has_just_put_is_synced_by_name_all_the_same(tmp_path, steps):
    digest, _ = LocalBlobs(tmp_path).put([b"value"])
    steps.clear()
    assert LocalBlobs(tmp_path).put([b"value"])[0] == digest
    assert steps[-1] == ("sync", digest[:2])
    assert not [step for step in steps if step[0] == "rename"]
