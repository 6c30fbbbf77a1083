"""Secrets in texts, in encoded bytes, and in what is printed."""

import base64
import io
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from flowrt.encoding.codec import encode
from flowrt.executor import printed
from flowrt.executor.redaction import Redaction

SECRET = "s3cr3t+value/Zq9"


def hiding(*values: str) -> Redaction:
    secrets = Redaction()
    for number, value in enumerate(values):
        secrets.add(f"S{number}", value)
    return secrets


def test_a_text_without_secrets_stays_as_it_is():
    assert hiding(SECRET).text("all is well") == "all is well"
    assert Redaction().text(SECRET) == SECRET
    assert not Redaction()


@pytest.mark.parametrize("start", ["", "u", "us", "usr:"])
@pytest.mark.parametrize("end", ["", "e", "en"])
def test_base64_is_known_wherever_the_secret_begins(start, end):
    coded = base64.b64encode(f"{start}{SECRET}{end}".encode()).decode()
    hidden = hiding(SECRET).text(f"Authorization: Basic {coded}")
    assert "***" in hidden
    assert len(hidden) < len(f"Authorization: Basic {coded}") - len(SECRET) + 6


def test_the_longest_of_two_secrets_is_hidden_whole():
    assert hiding("abcdefgh", "abcdefgh-ijkl").text("x abcdefgh-ijkl y") == "x *** y"


def test_short_secrets():
    assert hiding("abc").text("abc") == "abc"
    assert hiding("abcd").text("abcd abcde") == "*** ***e"
    assert hiding("hunter2\n").text("the password hunter2 is wrong") == "the password *** is wrong"
    assert hiding("hunter2").found_in(encode("hunter2")) is None
    assert hiding("hunter22").found_in(encode("hunter22")) == "S0"


def test_each_long_line_of_a_secret_is_one():
    assert hiding("first line of it\nsecond line of it").text("> second line of it") == "> ***"


@pytest.mark.parametrize(
    "value",
    [
        {"deep": [(SECRET,)]},
        SECRET.encode(),
        Exception(SECRET),
        ["x" * ((1 << 20) - 30), SECRET],
        np.frombuffer(b"x" * ((1 << 20) - 5) + SECRET.encode() + b"y" * (1 << 20), dtype=np.uint8),
        np.array(["y" * 100, SECRET]),
        SECRET.upper(),
    ],
    ids=["deep", "bytes", "pickle", "over a chunk", "buffer", "array of texts", "capitals"],
)
def test_a_secret_in_encoded_bytes_is_found(value):
    assert hiding("something else", SECRET).found_in(encode(value)) == "S1"


def test_a_value_without_secrets_is_free():
    value = {"a": list(range(1000)), "b": np.arange(100_000), "c": "text " * 1000}
    assert hiding(SECRET).found_in(encode(value)) is None


def test_threads_that_print_share_the_streams(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    begun = threading.Barrier(2)

    def attempt(secret):
        with printed.redacted(hiding(secret), whole_process=False):
            begun.wait(5)
            for _ in range(50):
                sys.stdout.write(f"<{secret}>\n")
            begun.wait(5)

    threads = [threading.Thread(target=attempt, args=(secret,)) for secret in ("secret one", "secret two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.stdout is out
    assert out.getvalue().splitlines() == ["<***>"] * 100


def test_a_stream_that_is_stood_in_for_is_still_a_stream(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    with printed.redacted(hiding(SECRET), whole_process=False):
        print(SECRET[:5], end="", flush=True)
        print(SECRET[5:])
        sys.stdout.buffer.write(SECRET.encode() + b"\r")
        sys.stdout.writelines(["a\n", SECRET, "\n"])
        assert sys.stdout.writable()
        assert not sys.stdout.isatty()
        sys.stdout.flush()
        print("the end", end="")
    assert out.getvalue() == "***\n***\ra\n***\nthe end"


def run_alone(body: str) -> subprocess.CompletedProcess[str]:
    """Run some lines within the block of a process that makes one attempt at a time."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    code = (
        "import os, subprocess, sys, time\n"
        "from flowrt.executor import printed\n"
        "from flowrt.executor.redaction import Redaction\n"
        f"secret = {SECRET!r}\n"
        "secrets = Redaction()\n"
        "secrets.add('S', secret)\n"
        "with printed.redacted(secrets, whole_process=True):\n"
        f"{lines}\n"
        "print('after', secret)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=os.environ
    )


def test_all_that_a_process_prints_is_caught():
    done = run_alone(
        "print('one', secret)\n"
        "os.write(1, f'two {secret}\\n'.encode())\n"
        "subprocess.run([sys.executable, '-c', f'print(\"three {secret}\")'], check=True)\n"
        "print('four', secret, file=sys.stderr)\n"
        "os.system(f'echo five {secret} >&2')\n"
        "print('six', secret, end='')"
    )
    assert sorted(done.stdout.splitlines()[:3]) == ["one ***", "three ***", "two ***"]
    assert done.stdout.splitlines()[3:] == [f"six ***after {SECRET}"]
    assert done.stderr.splitlines() == ["four ***", "five ***"]


def test_much_output_neither_waits_nor_gets_lost():
    began = time.monotonic()
    done = run_alone(
        "for i in range(400):\n    os.write(1, (f'{i:06d} {secret} ' + 'x' * 100_000 + '\\n').encode())"
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 401
    assert all(line.startswith(f"{i:06d} *** xxx") for i, line in enumerate(lines[:400]))
    assert time.monotonic() - began < 30


def test_lines_come_while_the_attempt_runs():
    code = (
        "import sys, time\n"
        "from flowrt.executor import printed\n"
        "from flowrt.executor.redaction import Redaction\n"
        "secrets = Redaction()\n"
        f"secrets.add('S', {SECRET!r})\n"
        "with printed.redacted(secrets, whole_process=True):\n"
        f"    print('now', {SECRET!r}, flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "now ***\n"
        process.communicate("go on\n", timeout=20)
        assert process.returncode == 0
