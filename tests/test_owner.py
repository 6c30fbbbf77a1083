"""Who holds a run, and ids of runs."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowrt.errors import BadRunId
from flowrt.run_id import check_run_id, new_run_id
from flowrt.store.owner import alive, this_owner

OWNER = (
    "from flowrt.store.owner import this_owner; import sys; print(this_owner(), flush=True); sys.stdin.read()"
)


def test_this_process_lives():
    me = this_owner()
    assert alive(me) is True
    assert (me.pid, me.started != "") == (os.getpid(), True)


def test_each_owner_has_a_token_of_its_own():
    one, other = this_owner(), this_owner()
    assert one != other
    assert dataclasses.replace(one, token="") == dataclasses.replace(other, token="")


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def owner_of(pid):
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return dataclasses.replace(this_owner(), pid=pid, started=started)


def test_another_process_lives_until_it_is_killed_even_before_it_is_waited_for(child):
    owner = owner_of(child.pid)
    assert alive(owner) is True
    child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while alive(owner) is not False and time.monotonic() < deadline:
        time.sleep(0.01)
    assert alive(owner) is False
    child.wait()
    assert alive(owner) is False


def test_a_process_with_the_same_id_that_started_later_is_another(child):
    assert alive(dataclasses.replace(owner_of(child.pid), started="12345")) is False


def test_a_name_with_spaces_and_brackets_does_not_confuse(tmp_path):
    odd = tmp_path / "a) R 1 2 ("
    odd.symlink_to(sys.executable)
    process = subprocess.Popen(
        [odd, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, executable=sys.executable
    )
    assert alive(owner_of(process.pid)) is True
    process.communicate()


@pytest.mark.parametrize(
    "changes", [{"host": "elsewhere"}, {"boot": "another boot"}, {"boot": ""}, {"pid": 10**30}], ids=repr
)
def test_elsewhere_nothing_is_known(changes):
    assert alive(dataclasses.replace(this_owner(), **changes)) is None


# Ids


@pytest.mark.parametrize("text", ["a", "A1", "0", "hello-20261122-015000-k3f9", "a.b_c-d", "x" * 128])
def test_ids(text):
    check_run_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a..b",
        "../a",
        "a/b",
        "a\\b",
        "-a",
        "_a",
        ".a",
        "a b",
        "a\n",
        "ä",
        "x" * 129,
        "a\0",
        "a:b",
        "%2e",
    ],
)
def test_what_is_no_id(text):
    with pytest.raises(BadRunId, match="no id of a run") as caught:
        check_run_id(text)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


def test_new_ids_can_be_read_and_sorted():
    start = 1_795_312_200_000_000
    first, second = new_run_id("hello", start), new_run_id("hello", start + 1_000_000)
    assert first.startswith("hello-20261122-015000-")
    assert len(first) == len("hello-20261122-015000-k3f9")
    assert first < second
    assert len({new_run_id("hello", start) for _ in range(50)}) > 45


@pytest.mark.parametrize(
    "flow", ["", "_", "größe", "a..b", "a....b", "../x", "日本", "x" * 300, "_private", "a b"]
)
def test_new_ids_are_ids_whatever_the_flow_is_called(flow):
    check_run_id(new_run_id(flow, 0))
