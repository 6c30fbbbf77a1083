"""Packing and unpacking code: what goes in, what stays out, and archives that somebody has tampered with."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowrt.errors import StoreCorrupt, StoreUnavailable
from flowrt.snapshot import cache, walk
from flowrt.snapshot.cache import unpacked
from flowrt.snapshot.pack import NotPacked, Packed, pack
from flowrt.snapshot.unpack import members
from flowrt.store.blobs import LocalBlobs


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def packed(*folders: Path) -> Packed:
    found = pack([str(folder) for folder in folders])
    assert isinstance(found, Packed), found
    return found


def names(found: Packed) -> list[str]:
    return list(members(found.data, found.digest))


def put(found: Packed, root: Path) -> tuple[str, LocalBlobs]:
    blobs = LocalBlobs(root)
    digest, _ = blobs.put([found.data])
    assert digest == found.digest
    return digest, blobs


def test_the_same_files_are_the_same_bytes_wherever_and_whenever(tmp_path):
    files = {"tasks.py": "def f(): ...", "data/a.csv": "1,2", "flows/x.flow.yaml": "flowc: 1"}
    one, two = tmp_path / "one", tmp_path / "a" / "longer" / "place"
    write(one, **files)
    write(two, **dict(reversed(files.items())))
    os.utime(one / "tasks.py", (1, 1))
    (two / "tasks.py").chmod(0o664)
    first, second = packed(one / "flows", one), packed(two / "flows", two)
    assert first.data == second.data
    assert names(first) == ["0/data/a.csv", "0/flows/x.flow.yaml", "0/tasks.py"]
    (two / "tasks.py").chmod(0o755)
    assert packed(two / "flows", two).digest != first.digest


def test_folders_of_the_path_stay_apart_and_in_order(tmp_path):
    write(tmp_path / "b", **{"m.py": "first"})
    write(tmp_path / "a", **{"m.py": "second"})
    folders = [str(tmp_path / "b"), str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "none")]
    found = packed(*map(Path, folders))
    digest, blobs = put(found, tmp_path / "blobs")
    there = unpacked(digest, folders, blobs, tmp_path / "cache")
    assert [(Path(place) / "m.py").read_text() for place in there[:3]] == ["first", "second", "first"]
    assert there[3] == folders[3], "what was not a folder is searched where it was"
    assert (folders[3], "not a folder") in found.left_out


LEFT_OUT = [
    ".git/config",
    ".venv/pyvenv.cfg",
    "env/pyvenv.cfg",
    "node_modules/x.js",
    "__pycache__/m.cpython-311.pyc",
    ".flowc/journal.db",
    "elsewhere/journal.db",
    "values/ab/" + "0" * 62,
    ".env",
    ".env.local",
    "conf/prod.env",
    "server.pem",
    "Server.KEY",
    "id_rsa",
    "id_ed25519.pub",
    "bundle.p12",
    ".netrc",
    ".npmrc",
    ".pypirc",
    "credentials",
    "credentials.json",
    "client_secret_1.json",
    "secrets.toml",
    ".aws/config",
    ".ssh/known_hosts",
    ".kube/config",
    "terraform.tfstate",
]


def test_secrets_stores_and_what_is_made_stay_out_and_are_named(tmp_path):
    kept = {"tasks.py": "", "credentials.py": "", "secrets.py": "", ".env.example": "", "keys.md": "A=1"}
    write(tmp_path, **dict.fromkeys(LEFT_OUT, "S3CRET"), **kept)
    write(tmp_path, **{"note.txt": "-----BEGIN RSA PRIVATE KEY-----\nabc"})
    found = packed(tmp_path)
    assert sorted(names(found)) == sorted(f"0/{name}" for name in kept)
    assert b"S3CRET" not in found.data
    told = [Path(path).relative_to(tmp_path) for path, _ in found.left_out]
    for name in [*LEFT_OUT, "note.txt"]:
        assert any(Path(name).is_relative_to(path) for path in told), name
    assert all(why for _, why in found.left_out)


def test_gitignore_is_honoured_at_every_depth_and_from_above(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    write(tmp_path, **{".gitignore": "*.csv\n!keep.csv\nbuild/", "p/.gitignore": "/out", "p/m.py": ""})
    write(tmp_path, **{"p/a.csv": "", "p/keep.csv": "", "p/out/x": "", "p/build/y": "", "p/q/out/z": ""})
    assert names(packed(tmp_path / "p")) == ["0/.gitignore", "0/keep.csv", "0/m.py", "0/q/out/z"]


def test_links_are_followed_inside_and_nowhere_else(tmp_path):
    write(tmp_path, **{"p/m.py": "x", "p/sub/n.py": "y", "p/.env": "S3CRET", "out.py": "z"})
    p = tmp_path / "p"
    (p / "link.py").symlink_to("m.py")
    (p / "other").symlink_to("sub")
    (p / "circle").symlink_to(".")
    (p / "sub" / "up").symlink_to("..")
    (p / "env.txt").symlink_to(".env")
    (p / "away.py").symlink_to("../out.py")
    (p / "nowhere").symlink_to("gone")
    os.mkfifo(p / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(p / "socket"))
        found = packed(p)
    assert names(found) == ["0/link.py", "0/m.py", "0/other/n.py", "0/sub/n.py"]
    assert b"S3CRET" not in found.data
    left = {Path(path).relative_to(p).as_posix() for path, _ in found.left_out}
    assert left == {
        ".env", "away.py", "circle", "env.txt", "nowhere", "other/up", "pipe", "socket", "sub/up",
    }  # fmt: skip


def test_too_much_is_not_packed_and_says_what(tmp_path, monkeypatch):
    write(tmp_path, **{"m.py": "", "big.bin": "x" * 100})
    for name, most, said in (
        ("FILE_MAX", 50, "big.bin"),
        ("TOTAL_MAX", 50, "more than"),
        ("FILES_MAX", 1, "files"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(walk, name, most)
            found = pack([str(tmp_path)])
            assert isinstance(found, NotPacked), name
            assert said in found.reason
    monkeypatch.setattr(walk, "SEEN_MAX", 1)
    assert isinstance(pack([str(tmp_path)]), NotPacked)


def test_a_home_and_the_root_are_told_and_left_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, **{"p/m.py": "", "letter.txt": ""})
    began = time.monotonic()
    found = pack(["/", str(tmp_path)])
    assert isinstance(found, NotPacked)
    assert "home" in found.reason
    assert time.monotonic() - began < 1
    project = packed(tmp_path / "p", tmp_path)
    assert names(project) == ["0/m.py"]
    assert project.broad == (str(tmp_path),)


def test_the_interpreters_own_folders_are_not_packed(tmp_path):
    write(tmp_path, **{"m.py": ""})
    assert names(packed(tmp_path, Path(os.__file__).parent)) == ["0/m.py"]


def test_what_is_unpacked_is_whole_private_and_runs(tmp_path):
    write(tmp_path / "p", **{"m.py": "x = 1", "tool.sh": "#!/bin/sh\necho ran", "ünï/deep/ d.txt": "data"})
    (tmp_path / "p" / "tool.sh").chmod(0o755)
    digest, blobs = put(packed(tmp_path / "p"), tmp_path / "blobs")
    [place] = unpacked(digest, [str(tmp_path / "p")], blobs, tmp_path / "cache")
    assert (Path(place) / "ünï" / "deep" / " d.txt").read_text() == "data"
    assert subprocess.run([Path(place) / "tool.sh"], capture_output=True, check=True).stdout == b"ran\n"
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").rglob("*")}
    assert modes <= {0o700, 0o600}


def test_what_a_cleaner_took_away_comes_back(tmp_path):
    write(tmp_path / "p", **{"m.py": "x = 1", "n.py": "y = 1"})
    digest, blobs = put(packed(tmp_path / "p"), tmp_path / "blobs")
    for damage in (Path.unlink, lambda file: file.write_text("longer than it was")):
        [place] = unpacked(digest, ["/p"], blobs, tmp_path / "cache")
        damage(Path(place) / "m.py")
        [place] = unpacked(digest, ["/p"], blobs, tmp_path / "cache")
        assert (Path(place) / "m.py").read_text() == "x = 1"
    assert {path.name for path in (tmp_path / "cache" / "code").iterdir()} == {digest, f".{digest}.lock"}


def test_what_nobody_has_used_for_long_goes(tmp_path):
    blobs = LocalBlobs(tmp_path / "blobs")
    digests = []
    for number in range(3):
        write(tmp_path / "p", **{"m.py": f"x = {number}"})
        digest, _ = blobs.put([packed(tmp_path / "p").data])
        digests.append(digest)
        unpacked(digest, ["/p"], blobs, tmp_path / "cache")
        if number == 0:
            old = time.time() - cache.KEEP_S - 1
            os.utime(tmp_path / "cache" / "code" / digest, (old, old))
    there = {path.name for path in (tmp_path / "cache" / "code").iterdir() if path.is_dir()}
    assert there == set(digests[1:])


UNPACK = """
import sys
from pathlib import Path
from flowrt.snapshot.cache import unpacked
from flowrt.store.blobs import LocalBlobs
digest, blobs, folder = sys.argv[1:]
for _ in range(5):
    [place] = unpacked(digest, ["/p"], LocalBlobs(blobs), Path(folder))
    assert sum(len(f.read_text()) for f in Path(place).rglob("*.py")) == 300 * 6
"""


def test_many_processes_unpack_at_once(tmp_path):
    write(tmp_path / "p", **{f"m{number}.py": f"x={number:04}" for number in range(300)})
    digest, _ = put(packed(tmp_path / "p"), tmp_path / "blobs")
    command = [sys.executable, "-c", UNPACK, digest, str(tmp_path / "blobs"), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 4
    assert {path.name for path in (tmp_path / "cache" / "code").iterdir()} == {digest, f".{digest}.lock"}


def test_many_threads_unpack_at_once_without_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "LOCK_S", 0.0)
    write(tmp_path / "p", **{f"m{number}.py": f"x={number:04}" for number in range(50)})
    digest, blobs = put(packed(tmp_path / "p"), tmp_path / "blobs")
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: tuple(unpacked(digest, ["/p"], blobs, tmp_path / "cache")), range(16))
        )
    assert len(set(found)) == 1
    assert len(list(Path(found[0][0]).iterdir())) == 50


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    write(tmp_path, **{"p/m.py": "", "cache": "a file"})
    digest, blobs = put(packed(tmp_path / "p"), tmp_path / "blobs")
    with pytest.raises(StoreUnavailable, match="FLOWC_CACHE"):
        unpacked(digest, ["/p"], blobs, tmp_path / "cache")


def archive(*entries: tuple[zipfile.ZipInfo | str, str], roots: object = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        told = {"format": 1, "roots": ["0"]} if roots is None else roots
        for info, text in [("roots.json", json.dumps(told)), *entries]:
            file.writestr(entry(info) if isinstance(info, str) else info, text)
    return stream.getvalue()


def entry(name: str, mode: int = 0o100600, compress: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.external_attr = mode << 16
    info.compress_type = compress
    return info


BAD = {
    "up": archive(("0/../../evil", "x")),
    "absolute": archive(("/evil", "x")),
    "nowhere": archive(("evil", "x")),
    "not a number": archive(("x/evil", "x")),
    "backslash": archive(("0/..\\evil", "x")),
    "empty part": archive(("0//evil", "x")),
    "link": archive((entry("0/link", 0o120777), "/etc"), ("0/x", "x")),
    "device": archive((entry("0/null", 0o020666), "")),
    "folder": archive((entry("0/dir/", 0o040755), "")),
    "bomb": archive((entry("0/bomb", compress=zipfile.ZIP_DEFLATED), "0" * 1_000_000)),
    "file and folder": archive(("0/a", "x"), ("0/a/b", "x")),
    "roots up": archive(("0/a", "x"), roots={"format": 1, "roots": ["0/../.."]}),
    "roots absolute": archive(("0/a", "x"), roots={"format": 1, "roots": ["/etc"]}),
    "roots of another format": archive(("0/a", "x"), roots={"format": 2, "roots": ["0"]}),
    "too few roots": archive(("0/a", "x"), roots={"format": 1, "roots": []}),
    "roots no list": archive(("0/a", "x"), roots=[1]),
    "no zip": b"x" * 100,
    "nothing": b"",
}


@pytest.mark.parametrize("kind", BAD)
def test_an_archive_that_is_not_ours_is_refused_and_writes_nothing_outside(kind, tmp_path):
    blobs = LocalBlobs(tmp_path / "blobs")
    digest, _ = blobs.put([BAD[kind]])
    with pytest.raises(StoreCorrupt, match="packed code"):
        unpacked(digest, ["/p"], blobs, tmp_path / "cache")
    assert {path.name for path in tmp_path.iterdir()} == {"blobs", "cache"}


def test_every_altered_byte_of_an_archive_is_refused_or_changes_no_name_and_no_file(tmp_path):
    write(tmp_path / "p", **{"m.py": "x = 1", "sub/n.py": "y = 2"})
    found = packed(tmp_path / "p")
    good = members(found.data, found.digest)
    for at in range(len(found.data)):
        bad = bytearray(found.data)
        bad[at] ^= 0x5A
        try:
            read = members(bytes(bad), "0" * 64)
        except StoreCorrupt:
            continue
        assert set(read.values()) <= set(good.values()), at
        assert all(name.startswith(("0/", "1/", "2/")) or name.split("/")[0].isdigit() for name in read), at


def test_the_cache_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWC_CACHE", str(tmp_path / "named"))
    assert cache.cache_folder() == tmp_path / "named"
    monkeypatch.delenv("FLOWC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_folder() == tmp_path / "xdg" / "flowc"
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no")
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    assert cache.cache_folder() == tmp_path / f"flowc-{os.getuid()}"
    shutil.rmtree(tmp_path / f"flowc-{os.getuid()}")
    (tmp_path / "trap").mkdir()
    (tmp_path / f"flowc-{os.getuid()}").symlink_to(tmp_path / "trap")
    assert cache.cache_folder() != tmp_path / f"flowc-{os.getuid()}", "somebody else has laid it there"
