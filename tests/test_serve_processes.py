"""`flowc serve` as processes: runs handed over, servers killed, signals, what is durable when answered."""

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest
from served_flows import write_flows

from flowc.cli.main import main

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("folder")]

FLOWC = [sys.executable, "-m", "flowc"]
LISTENING = re.compile(r"listening at (http://\S+)")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_flows(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("FLOWC_STORE", "FLOWC_TOKEN", "FLOWC_EVENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def flowc(*argv):
    return subprocess.run([*FLOWC, *argv], capture_output=True, text=True, timeout=60, check=False)


class Server:
    """A `flowc serve` process. `url` is where it listens; its log is read as it comes."""

    def __init__(self, *argv):
        command = [*FLOWC, "serve", "--executor", "local", "--port", "0", *argv]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        self.log = ""
        self.url = self.until(LISTENING).group(1) if "--no-http" not in argv else None

    def until(self, pattern, patience=40):
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, self.log)):
            left = deadline - time.monotonic()
            assert left > 0, self.log
            if select.select([self.process.stderr], [], [], left)[0]:
                part = os.read(self.process.stderr.fileno(), 65536)
                assert part, self.log
                self.log += part.decode()
        return found

    def post(self, path, **body):
        return httpx.post(self.url + path, json=body, timeout=30)

    def get(self, path):
        return httpx.get(self.url + path, timeout=60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=30)
        self.log += rest.decode()
        return self.process.returncode


@contextmanager
def servers(*each):
    """Servers, started at the same time, and none left behind."""
    started = []
    try:
        for argv in each:
            started.append(Server(*argv))  # noqa: PERF401 - those before one that fails have to be ended
        yield started
    finally:
        for server in started:
            server.kill()
            server.process.stdout.close()
            server.process.stderr.close()


def ended(run, patience=30):
    done = flowc("output", run, "--wait", str(patience), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def effects(folder):
    path = folder / "effects"
    return path.read_text().splitlines() if path.exists() else []


def test_a_run_is_handed_over_and_its_output_waited_for():
    told = flowc("run", "--detach", "served.flow.yaml", "-i", "n=4")
    run = told.stdout.strip()
    assert told.returncode == 0
    assert "Nobody has taken the run yet" in told.stderr
    assert json.loads(flowc("show", run, "--json").stdout)["status"] == "pending"
    with servers(["--no-http"]) as [server]:
        assert ended(run) == 8
        taken = flowc("run", "--detach", "served.flow.yaml", "-i", "n=5")
        assert "The run is being moved on" in taken.stderr
        assert ended(taken.stdout.strip()) == 10
        waits = flowc("run", "--detach", "served.flow.yaml:waits", "--quiet").stdout.strip()
        deadline = time.monotonic() + 20
        while json.loads(flowc("show", waits, "--json").stdout)["status"] != "waiting":
            assert time.monotonic() < deadline
        assert flowc("cancel", waits).returncode == 0
        assert flowc("output", waits, "--wait", "20").returncode == 1
        assert json.loads(flowc("show", waits, "--json").stdout)["status"] == "cancelled"
        assert server.end() == 0
    assert "ended" in server.log


def test_of_two_servers_one_is_killed_and_the_other_finishes(folder):
    with servers(["served.flow.yaml"], []) as [first, second]:
        both = [first, second]
        runs = [
            both[n % 2].post("/v1/runs", flow="naps", inputs={"count": 6}).json()["run"] for n in range(6)
        ]
        waits = first.post("/v1/runs", flow="waits", inputs={"key": "k"}).json()["run"]
        while len(effects(folder)) < 8:
            time.sleep(0.05)
        pids = {line.rpartition(" ")[2] for line in effects(folder) if line.startswith("nap")}
        first.kill()
        assert second.post("/v1/events", name="approval", key="k", data="late").status_code == 202
        for run in runs:
            answer = second.get(f"/v1/runs/{run}/output?wait=40").json()
            assert (answer["status"], answer.get("result")) == ("succeeded", 15), answer
        assert second.get(f"/v1/runs/{waits}/output?wait=40").json()["result"] == "late"
        assert pids
        again = Server()
        try:
            assert again.get("/healthz").json() == {"status": "ok", "store": True, "engine": True}
            assert {each["flow"] for each in again.get("/v1/flows").json()["flows"]} >= {"naps", "waits"}
            assert again.end(signal.SIGINT) == 0
        finally:
            again.kill()
            again.process.stdout.close()
            again.process.stderr.close()


def test_an_event_is_durable_when_it_is_answered():
    """The server is killed the moment the answer is there; the event is there all the same."""
    run = flowc("run", "--detach", "served.flow.yaml:waits", "-i", "key=d", "--quiet").stdout.strip()
    for number in range(3):
        with servers([]) as [server]:
            key = "d" if number == 2 else "other"
            answer = server.post("/v1/events", name="approval", key=key, data=number)
            server.kill()
            assert answer.status_code == 202
    with servers(["--no-http"]):
        assert ended(run) == 2


def test_each_slot_runs_once_though_two_servers_race_and_one_is_killed(folder):
    with servers(["served.flow.yaml"], ["served.flow.yaml"]) as [first, second]:
        time.sleep(3)
        first.kill()
        time.sleep(2)
        second.end()
    listed = json.loads(flowc("list", "--flow", "pulse", "--json").stdout)
    slots = [each["labels"]["slot"] for each in listed]
    assert len(slots) >= 3
    assert len(set(slots)) == len(slots)
    done = [line for line in effects(folder) if line.startswith("pulse")]
    assert {line.split()[1] for line in done} <= set(slots)


@pytest.mark.parametrize(
    ("argv", "environment", "said"),
    [
        (["--host", "0.0.0.0"], {}, "Set FLOWC_TOKEN"),
        (["--host", "192.0.2.1"], {"FLOWC_EVENT_SECRET": "s" * 20}, "Set FLOWC_TOKEN"),
        ([], {"FLOWC_TOKEN": "short"}, "at least 16"),
        ([], {"FLOWC_TOKEN": "with a space in it"}, "a space"),
        (["--token-file", "none"], {}, "cannot be read"),
        (["--host", "192.0.2.1"], {"FLOWC_TOKEN": "t" * 20}, "cannot listen"),
        (["--port", "99999"], {}, "no port"),
        (["none.flow.yaml"], {}, "cannot be read"),
        (["served.flow.yaml", "served.flow.yaml"], {}, "served by name"),
        (["--stop"], {}, "--in-cluster"),
    ],
    ids=range(10),
)
def test_what_cannot_be_served_is_refused_before_anything_is_deployed(monkeypatch, argv, environment, said):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr(sys, "stderr", stream)
        assert main(["serve", "--executor", "local", *argv]) == 2
    assert said in stream.getvalue()
    assert "Traceback" not in stream.getvalue()


def test_a_flow_with_a_finding_is_not_served(folder):
    (folder / "bad.flow.yaml").write_text(
        "flowc: 1\nflow: a\nschedule: {every: 1h}\ninputs: {n: int}\nresult: n\n"
    )
    answer = flowc("serve", "bad.flow.yaml")
    assert answer.returncode == 3
    assert "F0505" in answer.stderr
