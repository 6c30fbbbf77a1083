"""A server inside a Ray cluster: it outlives who started it, comes back when killed, and ends when told."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import ray
from ray_cluster import ray_cluster
from served_flows import write_flows

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(240)]

FLOWC = [sys.executable, "-m", "flowc"]


def flowc(*argv):
    return subprocess.run([*FLOWC, *argv], capture_output=True, text=True, timeout=120, check=False)


def output(run):
    done = flowc("output", run, "--wait", "90", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pid_of(name):
    actor = ray.get_actor(name, namespace="flowc")
    return ray.get(actor.pid.remote(), timeout=60)


def test_it_outlives_its_submitter_and_comes_back_when_killed(tmp_path, monkeypatch):
    write_flows(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVED_EFFECTS", str(tmp_path / "effects"))
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with ray_cluster() as address:
        started = flowc("serve", "--in-cluster", "--address", address, "served.flow.yaml")
        assert started.returncode == 0, started.stderr
        again = flowc("serve", "--in-cluster", "--address", address)
        assert again.returncode == 0, again.stderr
        first = flowc("run", "--detach", "served.flow.yaml", "-i", "n=4", "--quiet").stdout.strip()
        assert output(first) == 8
        naps = flowc("run", "--detach", "served.flow.yaml:naps", "-i", "count=8", "--quiet").stdout.strip()
        while not (tmp_path / "effects").exists() or "nap" not in (tmp_path / "effects").read_text():
            time.sleep(0.1)
        name = next(word for word in again.stderr.split() if word.startswith("flowc-serve-"))
        pid = pid_of(name)
        os.kill(pid, signal.SIGKILL)
        assert output(naps) == 28
        assert pid_of(name) != pid
        ended = flowc("serve", "--in-cluster", "--address", address, "--stop")
        assert ended.returncode == 0, ended.stderr
        assert "has ended" in ended.stderr
        gone = flowc("serve", "--in-cluster", "--address", address, "--stop")
        assert gone.returncode == 2
        assert "No server" in gone.stderr
