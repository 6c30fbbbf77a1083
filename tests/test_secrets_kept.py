"""Twenty secrets go through prints, failures, retries and large results: none is found anywhere."""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

import pytest

TASKS = Path(__file__).parent / "secrets" / "flowrt_secret_tasks.py"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFA\nBKcwggSjAgEAAoIBAQC7VJTU8cKj\n-----END KEY-----"
HOW = ("text", "deep", "bytes", "base64", "object", "large", "array", "buffer")


def canaries() -> dict[str, str]:
    """Twenty secrets; some are hard to spell."""
    odd = [
        "with space Zq81nVt0",
        "quote'and\"Zq82nVt0",
        "back\\slash\\nZq83nVt0",
        "ünïcödeZq84nVt0ß",
        "per%cent&amp=Zq85nVt0",
        "plus+slash/Zq86nVt0==",
        "<tag>Zq87nVt0</tag>",
        "emojiZq88nVt0🔑",
        "tab\tZq89nVt0",
        PEM,
    ]
    plain = [f"sk-live-{number:02d}Xh7Qp9Lm2Rt4" for number in range(10)]
    return {f"CANARY_{number}": value for number, value in enumerate([*odd, *plain])}


def needles(secret: str) -> set[bytes]:
    """What must not be found: written anew here, not with the code under test."""
    pieces = [line for line in secret.splitlines() if len(line) > 20] or [secret]
    found: set[bytes] = set()
    for piece in pieces:
        data = piece.encode()
        texts = [piece, repr(piece)[1:-1], urllib.parse.quote(piece, safe=""), data.hex()]
        coded = [base64.b64encode(bytes(shift) + data)[4 : len(data)] for shift in range(3)]
        found |= {text.encode() for text in texts}
        found |= {data.upper(), piece.upper().encode(), *coded, piece.encode("utf-32-le")}
    return {needle for needle in found if len(needle) >= 8}


def flow(everything: bool) -> str:
    lines = ["flowc: 1", "use: {t: flowrt_secret_tasks}", "flow: careless", "inputs: {tries: str}", "steps:"]
    for name in canaries():
        key = f'secret("{name}")'
        lines += [
            f"  - id: said_{name}",
            f"    call: t.prints({key}, {everything})",
            f"  - id: tried_{name}",
            f"    call: t.fails({key}, tries + '/{name}')",
            "    retry: {max: 3, delay: 10ms, jitter: none}",
            f"  - call: t.fine({key})",
            f"  - id: long_{name}",
            "    for: i in range(1)",
            "    errors: collect",
            f"    do: t.long_message({key})",
        ]
    for number, how in enumerate(HOW):
        lines += [
            f"  - id: back_{how}",
            "    for: i in range(1)",
            "    errors: collect",
            f'    do: t.returns(secret("CANARY_{number}"), "{how}")',
        ]
    told = " + ".join(f"[e.message for e in back_{how}.errors]" for how in HOW)
    lines += [f"  - return: ({told})", ""]
    return "\n".join(lines)


class Project:
    """A project of its own with the careless flow."""

    def __init__(self, place: Path, ray_folder: Path, *, everything: bool) -> None:
        self.place = place
        shutil.copy(TASKS, place)
        (place / "careless.flow.yaml").write_text(flow(everything))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "FLOWC_"))}
        self.environment = {**kept, **canaries(), "RAY_TMPDIR": str(ray_folder)}
        self.heard: list[bytes] = []

    def flowc(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "flowc", *words],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            timeout=300,
            check=False,
        )
        self.heard += [done.stdout, done.stderr]
        return done


def leaks(heard: list[bytes], *folders: Path) -> list[str]:
    texts = {f"output {number}": data for number, data in enumerate(heard)}
    for folder in folders:
        texts |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    wanted = {needle: name for name, value in canaries().items() for needle in needles(value)}
    return [
        f"{name} as {needle!r} in {where}"
        for where, data in texts.items()
        for needle, name in wanted.items()
        if needle in data
    ]


@pytest.mark.parametrize("executor", ["local", pytest.param("ray", marks=pytest.mark.ray)])
def test_no_secret_is_found_anywhere(tmp_path: Path, executor: str) -> None:
    with tempfile.TemporaryDirectory(prefix="fs", ignore_cleanup_errors=True) as ray_folder:
        project = Project(tmp_path, Path(ray_folder), everything=executor == "ray")
        tries = tmp_path / "tries"
        run = project.flowc(
            "run", "careless.flow.yaml", "--id", "c1", "--executor", executor, "-i", f"tries={tries}"
        )
        assert run.returncode == 0, run.stderr.decode()[-3_000:]
        for number, how in enumerate(HOW):
            assert f"holds the secret CANARY_{number}," in run.stdout.decode(), how
        for words in (["show"], ["show", "--json"], ["output"], ["list"]):
            done = project.flowc(words[0], *([] if words == ["list"] else ["c1"]), *words[1:])
            assert done.returncode == 0, done.stderr
        said = b"".join(project.heard)
        assert b"printed ***" in said
        assert b"no line end ***" in said
        assert b"then ***" in said
        assert said.count(b"written ***") > 0 or executor == "local"
        assert said.count(b"child ***") > 0 or executor == "local"
        folders = [tmp_path / ".flowc", Path(ray_folder)]
        assert (tmp_path / ".flowc" / "blobs").exists()
        logs = [path for path in Path(ray_folder).rglob("worker-*") if path.stat().st_size > 0]
        assert logs or executor == "local"
        assert leaks(project.heard, *folders) == []


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The test above can fail: each needle is found when it is put somewhere."""
    secret = canaries()["CANARY_12"]
    (tmp_path / "x").write_bytes(b"..." + base64.b64encode(b"u:" + secret.encode()) + b"...")
    assert leaks([], tmp_path)
    assert leaks([secret.upper().encode()])
    assert leaks([urllib.parse.quote(canaries()["CANARY_4"], safe="").encode()])
