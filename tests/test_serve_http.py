"""The HTTP API over real sockets: what it answers, to whom, and that it keeps to its document."""

import asyncio
import hashlib
import hmac
import json
import re
import socket
import time
from contextlib import contextmanager
from importlib.resources import files
from threading import Event, Thread

import httpx
import pytest
from openapi_schema_validator import OAS31Validator, validate
from openapi_spec_validator import validate as validate_document
from served_flows import write_flows

from flowc.compile import compile_all
from flowrt.engine.serve import serve
from flowrt.executor.local import LocalExecutor
from flowrt.serve import listen
from flowrt.serve.access import Access
from flowrt.serve.app import make_app
from flowrt.serve.deploy import Catalog, deployment_of
from flowrt.serve.intake import Intake
from flowrt.serve.listen import Listener, bind, url_of
from flowrt.serve.service import Service
from flowrt.serve.signs import Signs
from flowrt.store.open import open_store

TOKEN = "a-token-of-the-tests"
SECRET = "a-secret-of-senders"
DOCUMENT = json.loads((files("flowc_schemas") / "openapi.json").read_text(encoding="utf-8"))
MIB = 1024 * 1024
SIGNS = Signs()
HTTP = httpx.Client(timeout=70)
"""One client for all: to make one takes longer than most requests."""


@pytest.fixture(scope="module", autouse=True)
def _closed():
    yield
    HTTP.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store whose flows are deployed and whose runs are served."""
    folder = tmp_path_factory.mktemp("served")
    store, blobs = open_store(str(folder / "store"))
    for each in compile_all(write_flows(folder)):
        if each.program.main != "pulse":
            now = time.time_ns() // 1000
            store.deploy(deployment_of(each.program, python_path=[str(folder)], snapshot=None, now=now))
    over, executor = Event(), LocalExecutor(4)
    engine = Thread(
        target=serve, args=(store, blobs, executor), kwargs={"interrupt": over, "on_turn": SIGNS.turned}
    )
    engine.start()
    yield folder / "store"
    over.set()
    engine.join()
    executor.close()
    store.close()


@contextmanager
def listening(place, access):
    store, blobs = open_store(str(place))
    intake = Intake(store)
    bound = bind("127.0.0.1", 0)
    service = Service(store, blobs, Catalog(store), intake, access, SIGNS)
    listener = Listener(make_app(service), bound)
    try:
        yield url_of(bound)
    finally:
        service.closing.set()
        listener.close()
        intake.close()
        store.close()


@pytest.fixture(scope="module")
def url(place):
    with listening(place, Access()) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(place):
    with listening(place, Access(TOKEN, SECRET)) as url:
        yield url


@pytest.fixture(scope="module")
def client(url):
    return Checked(url)


class Checked:
    """A client that holds every answer to the document."""

    def __init__(self, url):
        self.url = url

    def __call__(self, method, path, **more):
        answer = HTTP.request(method, self.url + path, **more)
        held_to_document(method, path, answer)
        return answer


def held_to_document(method, path, answer):
    template = next((t for t in DOCUMENT["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", t), path)), None)
    kind = answer.headers["content-type"].partition(";")[0]
    if template is None or method.lower() not in DOCUMENT["paths"][template]:
        assert kind == "application/problem+json"
        return
    responses = DOCUMENT["paths"][template][method.lower()]["responses"]
    described = responses[str(answer.status_code)]["content"][kind]["schema"]
    if kind != "text/plain":
        validate(answer.json(), {**described, "components": DOCUMENT["components"]}, cls=OAS31Validator)


def submitted(client, flow, **inputs):
    answer = client("POST", "/v1/runs", json={"flow": flow, "inputs": inputs})
    assert answer.status_code == 201
    return answer.json()["run"]


def status(client, run):
    return client("GET", f"/v1/runs/{run}").json()["status"]


def waited(client, run):
    deadline = time.monotonic() + 20
    while status(client, run) != "waiting":
        assert time.monotonic() < deadline
        time.sleep(0.05)


# What it does


def test_the_document_is_valid_and_the_routes_are_its_paths(client, place):
    validate_document(DOCUMENT)
    assert client("GET", "/openapi.json").json() == DOCUMENT
    with listening(place, Access()) as url:
        for path, methods in DOCUMENT["paths"].items():
            allowed = {name.upper() for name in methods if name != "parameters"}
            answer = HTTP.request("PUT", url + path.replace("{run_id}", "a"))
            assert answer.status_code == 405
            assert {word.strip() for word in answer.headers["allow"].split(",")} - {"HEAD"} <= allowed


def test_a_run_is_submitted_and_its_output_waited_for(client):
    answer = client(
        "POST", "/v1/runs", json={"flow": "doubled", "inputs": {"n": 21}, "labels": {"by": "test"}}
    )
    assert answer.status_code == 201
    run = answer.json()["run"]
    assert answer.headers["location"] == f"/v1/runs/{run}"
    assert answer.json()["labels"] == {"team": "core", "by": "test"}
    output = client("GET", f"/v1/runs/{run}/output", params={"wait": 30})
    assert output.json() == {
        "run": run,
        "flow": "doubled",
        "status": "succeeded",
        "result": 42,
        "error": None,
    }
    shown = client("GET", f"/v1/runs/{run}").json()
    assert (shown["status"], shown["result"], shown["inputs"]) == ("succeeded", 42, {"n": 21})
    listed = client("GET", "/v1/runs", params={"flow": "doubled", "limit": 5}).json()["runs"]
    assert run in [each["run"] for each in listed]
    assert client("GET", "/v1/runs", params={"status": "failed", "flow": "doubled"}).json() == {"runs": []}


def test_the_same_id_and_inputs_are_the_same_run(client):
    body = {"flow": "doubled", "inputs": {"n": 4}, "id": "four"}
    assert client("POST", "/v1/runs", json=body).status_code == 201
    assert client("POST", "/v1/runs", json=body).status_code == 200
    other = client("POST", "/v1/runs", json={**body, "inputs": {"n": 5}})
    assert other.status_code == 409
    assert "other inputs" in other.json()["detail"]


def test_a_run_that_failed_says_why(client):
    run = submitted(client, "fails")
    answer = client("GET", f"/v1/runs/{run}/output", params={"wait": 30}).json()
    assert (answer["status"], answer["result"]) == ("failed", None)
    assert answer["error"]["type"] == "ValueError"
    assert answer["error"]["message"] == "as told"


def test_an_event_reaches_the_run_that_waits(client):
    run = submitted(client, "waits", key="e1")
    waited(client, run)
    shown = client("GET", f"/v1/runs/{run}").json()["waiting"]
    assert [(each["kind"], each["event"], each["key"]) for each in shown] == [("event", "approval", "e1")]
    assert client("GET", f"/v1/runs/{run}/output").status_code == 409
    answer = client("POST", "/v1/events", json={"name": "approval", "key": "e1", "data": {"yes": [1, None]}})
    assert answer.status_code == 202
    output = client("GET", f"/v1/runs/{run}/output", params={"wait": 30}).json()
    assert output["result"] == {"yes": [1, None]}


def test_an_event_is_accepted_once_for_each_name(client):
    body = {"name": "approval", "key": "none", "dedupe": "d1"}
    first = client("POST", "/v1/events", json=body).json()
    assert client("POST", "/v1/events", json=body).json() == first
    named = client("POST", "/v1/events", json={"name": "approval"}, headers={"Idempotency-Key": "d1"})
    assert named.json() == first
    other = client("POST", "/v1/events", json=body, headers={"Idempotency-Key": "d2"})
    assert other.status_code == 422


def test_many_events_at_once_are_all_accepted(url, place):
    async def send(count):
        limits = httpx.Limits(max_connections=50)
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
            posts = [
                client.post("/v1/events", json={"name": "approval", "key": "storm", "data": n})
                for n in range(count)
            ]
            return await asyncio.gather(*posts)

    answers = asyncio.run(send(120))
    assert {answer.status_code for answer in answers} == {202}
    numbers = {answer.json()["event"] for answer in answers}
    assert len(numbers) == 120
    store, _ = open_store(str(place))
    assert numbers <= {row.event_id for row in store.events("approval", "storm", "any", 0, 1000)}
    store.close()


def test_an_event_for_one_run_that_is_not_there_takes_no_other_with_it(client):
    assert client("POST", "/v1/events", json={"name": "approval", "run": "nobody"}).status_code == 404
    assert client("POST", "/v1/events", json={"name": "approval", "run": "../x"}).status_code == 404


def test_a_waiting_run_is_cancelled(client):
    run = submitted(client, "waits", key="c1")
    waited(client, run)
    assert client("POST", f"/v1/runs/{run}/cancel", json={"reason": "no more"}).status_code == 200
    output = client("GET", f"/v1/runs/{run}/output", params={"wait": 30}).json()
    assert output["status"] == "cancelled"
    again = client("POST", f"/v1/runs/{run}/cancel")
    assert again.status_code == 409
    assert again.json()["run_status"] == "cancelled"


def test_what_is_deployed_is_told(client):
    flows = {each["flow"]: each for each in client("GET", "/v1/flows").json()["flows"]}
    assert set(flows) == {"doubled", "fails", "naps", "waits"}
    assert flows["doubled"]["inputs"] == [
        {"name": "n", "required": True, "doc": ""},
        {"name": "day", "required": False, "doc": ""},
    ]


def test_health_and_metrics(client):
    told = client("GET", "/healthz")
    assert (told.status_code, told.json()) == (200, {"status": "ok", "store": True, "engine": True})
    text = client("GET", "/metrics").text
    assert 'flowc_http_requests_total{method="GET",status="200"}' in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"flow": "doubled", "inputs": {}}, "Input `n` is missing"),
        ({"flow": "doubled", "inputs": {"n": "x", "m": 1}}, "has no input `m`"),
        ({"flow": "doubled", "inputs": {"n": "x"}}, "Input `n`: expected int"),
        ({"flow": "doubled", "inputs": {"n": 1, "day": "soon"}}, "Input `day`"),
        ({"flow": "doubled", "inputs": [1]}, "`inputs` has to be an object"),
        ({"flow": "doubled", "inputs": {"n": 1}, "id": "../x"}, "no id of a run"),
        ({"flow": "doubled", "inputs": {"n": 1}, "labels": {"a": 1}}, "values are text"),
        ({"flow": "doubled", "inputs": {"n": 1}, "label": {}}, "unknown field `label`"),
        ({"flow": 3}, "`flow` has to be text"),
        ({}, "`flow` is missing"),
        ([], "has to be a JSON object"),
    ],
)
def test_wrong_inputs_are_told_as_on_the_command_line(client, body, said):
    answer = client("POST", "/v1/runs", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/runs/", 404),
        ("GET", "/v1/runs/nobody", 404),
        ("GET", "/v1/runs/nobody/output", 404),
        ("POST", "/v1/runs/nobody/cancel", 404),
        ("GET", "/v1/runs/..%2f..%2fetc", 404),
        ("GET", "/v1/runs/%00", 404),
        ("GET", "/v1/runs/a%20b", 404),
        ("DELETE", "/v1/runs/nobody", 405),
        ("PUT", "/v1/events", 405),
        ("POST", "/healthz", 405),
        ("GET", "/v1/runs?limit=0", 422),
        ("GET", "/v1/runs?limit=many", 422),
        ("GET", "/v1/runs?status=odd", 422),
        ("GET", "/v1/runs/nobody/output?wait=3000", 422),
        ("GET", "/v1/runs/nobody/output?wait=-1", 422),
    ],
)
def test_what_is_not_there_is_told(client, method, path, status):
    answer = HTTP.request(method, client.url + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert "Traceback" not in answer.text


def test_an_unknown_flow_is_told(client):
    answer = client("POST", "/v1/runs", json={"flow": "doubld"})
    assert answer.status_code == 404
    assert "doubled" in answer.json()["detail"]


# Bodies


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "line 1, column 2"),
        (b'{"flow": "doubled",\n "inputs" 3}', 400, "line 2, column 11"),
        (b"\xff\xfe", 400, "not UTF-8"),
        (b'{"name": "a", "name": "b"}', 400, "stands twice"),
        (b'{"data": NaN}', 400, "NaN"),
        (b'{"data": ' + b"9" * 5000 + b"}", 400, "5,000 digits"),
        (b'{"data": [-1e400]}', 400, "beyond the largest float"),
        (b"[" * 500_000, 400, "deep"),
        (b'{"name": "approval", "data": ' + b"[" * 101 + b"]" * 101 + b"}", 400, "deep"),
        (b'{"data":' * 200 + b"1" + b"}" * 200, 400, "deep"),
        (b'{"name": "a b"}', 422, "`name`"),
        (b'{"name": "approval", "key": 1.5}', 422, "`key`"),
        (b'{"name": "approval", "key": "' + b"k" * 2000 + b'"}', 422, "`key`"),
        (b'{"name": "approval", "dedupe": "' + b"d" * 300 + b'"}', 422, "`dedupe`"),
        (b'{"name": "approval", "run": 7}', 422, "`run`"),
        (b"", 422, "`name`"),
        (b'{"data": "' + b"x" * MIB + b'"}', 413, "bytes"),
    ],
    ids=range(17),
)
def test_hostile_bodies_get_an_answer(client, body, status, said):
    began = time.monotonic()
    answer = client("POST", "/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert time.monotonic() - began < 5


def test_half_a_surrogate_pair_is_carried(client):
    body = b'{"name": "approval", "key": "s", "data": "\\ud800"}'
    answer = client("POST", "/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (202, 422)


def test_a_body_of_a_mebibyte_is_taken(client):
    body = b'{"name": "approval", "key": "big", "data": "'
    body += b"x" * (MIB - len(body) - 2) + b'"}'
    assert len(body) == MIB
    answer = client("POST", "/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202


def test_a_body_without_a_length_is_bounded_too(url):
    def parts():
        for _ in range(40):
            yield b"x" * 65536

    answer = HTTP.post(url + "/v1/events", content=parts(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken(client, kind):
    headers = {"Content-Type": kind} if kind else {}
    for path in ("/v1/runs", "/v1/events"):
        assert client("POST", path, content=b"{}", headers=headers).status_code == 415


def raw(url, data, patience=5.0):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=patience) as peer:
        peer.sendall(data)
        return drained(peer)


def drained(peer):
    """All that comes until the other side has closed."""
    parts = []
    try:
        while part := peer.recv(65536):
            parts.append(part)
    except ConnectionResetError:  # It closed before it had read all that was sent.
        pass
    return b"".join(parts)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"y" * 400_000 + b"\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: nine\r\n\r\n",
        b"GET /v1/runs/\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /v1/runs HTTP/1.0\r\n\r\n",
    ],
    ids=["tls", "long head", "bad length", "bad path", "no host"],
)
def test_what_is_no_request_of_ours_is_refused(url, data):
    answer = raw(url, data)
    assert not answer or answer.split(b" ")[1][:1] == b"4"
    assert b"Traceback" not in answer


def test_a_request_that_does_not_come_whole_is_not_waited_for(place, monkeypatch):
    monkeypatch.setattr(listen, "HEAD_S", 0.3)
    monkeypatch.setattr("flowrt.serve.body.BODY_S", 0.3)
    with listening(place, Access()) as url:
        began = time.monotonic()
        assert raw(url, b"") == b""
        assert raw(url, b"GET /healthz HTTP/1.1\r\nHost: local") == b""
        with socket.create_connection(url.removeprefix("http://").split(":"), timeout=5) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert peer.recv(65536).startswith(b"HTTP/1.1 200")
            peer.sendall(b"GET /hea")
            assert b"HTTP" not in drained(peer)
        slow = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        assert raw(url, slow + b"Content-Length: 50\r\n\r\n{").startswith(b"HTTP/1.1 408")
        assert time.monotonic() - began < 4


# Who is let in


def signed(body, *, secret=SECRET, at=None, sign_at=None):
    at = str(int(time.time()) if at is None else at)
    over = str(sign_at or at).encode() + b"." + body
    return {
        "Content-Type": "application/json",
        "X-Flowc-Signature": f"t={at},v1={hmac.new(secret.encode(), over, hashlib.sha256).hexdigest()}",
    }


BEARER = {"Authorization": f"Bearer {TOKEN}"}
EVENT = json.dumps({"name": "approval", "key": "auth"}).encode()


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json"])
def test_what_gives_nothing_away_is_open(guarded, path):
    assert HTTP.get(guarded + path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/runs"),
        ("GET", "/v1/runs/nobody"),
        ("GET", "/v1/runs/four"),
        ("GET", "/v1/runs/four/output"),
        ("POST", "/v1/runs/four/cancel"),
        ("POST", "/v1/runs"),
        ("POST", "/v1/events"),
        ("GET", "/v1/events"),
        ("GET", "/v1/flows"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("DELETE", "/v1/runs"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {SECRET}"},
        {"Cookie": f"token={TOKEN}"},
    ],
    ids=range(8),
)
def test_without_the_token_all_is_one(guarded, method, path, headers):
    """Nothing tells a run that is there from one that is not, nor a path that is from one that is not."""
    answer = HTTP.request(method, guarded + path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The request is not authorised, or names what is not there."
    assert answer.headers["www-authenticate"] == "Bearer"


def test_with_the_token_all_is_open(guarded):
    for scheme in ("Bearer", "bearer"):
        answer = HTTP.get(guarded + "/v1/runs", headers={"Authorization": f"{scheme} {TOKEN}"})
        assert answer.status_code == 200
    assert HTTP.get(guarded + "/v1/runs/nobody", headers=BEARER).status_code == 404
    headers = {**BEARER, "Content-Type": "application/json", "Host": "flows.example.org"}
    assert HTTP.post(guarded + "/v1/events", content=EVENT, headers=headers).status_code == 202


def test_a_sender_may_sign_instead_and_the_same_signature_is_one_event(guarded):
    headers = signed(EVENT)
    first = HTTP.post(guarded + "/v1/events", content=EVENT, headers=headers)
    again = HTTP.post(guarded + "/v1/events", content=EVENT, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    later = HTTP.post(guarded + "/v1/events", content=EVENT, headers=signed(EVENT, at=int(time.time()) - 5))
    assert later.json() != first.json()


@pytest.mark.parametrize(
    "headers",
    [
        signed(EVENT, secret="another secret of it"),
        signed(EVENT + b" "),
        signed(EVENT, at=int(time.time()) - 301),
        signed(EVENT, at=int(time.time()) + 3000),
        signed(EVENT, sign_at=int(time.time()) - 7),
        {**signed(EVENT), "X-Flowc-Signature": "t=1"},
        {**signed(EVENT), "X-Flowc-Signature": "v1=00"},
        {**signed(EVENT), "X-Flowc-Signature": "t=,v1="},
        {**signed(EVENT), "X-Flowc-Signature": "t=" + "9" * 5000 + ",v1=00"},
        {**signed(EVENT), "X-Flowc-Signature": ""},
    ],
    ids=range(10),
)
def test_a_signature_that_does_not_hold_is_refused(guarded, headers):
    answer = HTTP.post(guarded + "/v1/events", content=EVENT, headers=headers)
    assert answer.status_code == 401


def test_a_signature_opens_nothing_but_events(guarded):
    body = json.dumps({"flow": "doubled", "inputs": {"n": 1}}).encode()
    assert HTTP.post(guarded + "/v1/runs", content=body, headers=signed(body)).status_code == 401
    assert HTTP.get(guarded + "/v1/runs", headers=signed(b"")).status_code == 401


def test_a_signer_does_not_learn_which_runs_there_are(guarded):
    body = json.dumps({"name": "approval", "run": "nobody"}).encode()
    refused = HTTP.post(guarded + "/v1/events", content=body, headers={"Content-Type": "application/json"})
    unknown = HTTP.post(guarded + "/v1/events", content=body, headers=signed(body))
    assert (unknown.status_code, unknown.content) == (refused.status_code, refused.content)


def test_a_signature_does_not_cover_a_header(guarded):
    headers = {**signed(EVENT), "Idempotency-Key": "again"}
    assert HTTP.post(guarded + "/v1/events", content=EVENT, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.org"},
        {"Host": "localhost.evil.example.org"},
        {"Host": "127.0.0.1.evil.example.org:80"},
        {"Host": "192.168.0.1"},
        {"Host": ""},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
    ids=range(8),
)
def test_pages_of_other_sites_are_refused_where_there_is_no_token(url, headers):
    for path in ("/v1/runs", "/healthz", "/openapi.json", "/nowhere"):
        assert HTTP.get(url + path, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:1"},
        {"Host": "LOCALHOST"},
        {"Host": "[::1]:8484"},
        {"Host": "127.8.9.1"},
        {"Origin": "http://localhost:3000"},
    ],
)
def test_this_machine_is_known_by_its_names(url, headers):
    answer = HTTP.get(url + "/healthz", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
