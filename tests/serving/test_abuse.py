"""Malformed bodies and URLs, load while versions come and go, and memory that stays where it was."""

import http.client
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving import json_text, rest_exact, rest_fast
from serving.errors import ServingError
from serving.signature import Signature, TensorInfo

SEEDS = [
    b'{"instances": [1.0, 2.0, [3]]}', b'{"inputs": {"x": [[1.0], [2.0]]}}',
    b'{"signature_name": "pair", "instances": [{"a": 1, "b": 2}]}',
    b'{"signature_name": "upper", "inputs": [{"b64": "YWI="}, "\\u00e9\\ud83d\\ude00"]}',
    b'{"examples": [{"x": [1.5, 2]}], "context": {"y": "a"}}',
    b'{"signature_name": "echo_int32", "instances": [1e3, NaN, -Infinity, true, null, 18446744073709551616]}',
]  # fmt: skip


PIECES = (b'"', b"{", b"]", b",", b":", b"\\", b"\x00", b"9" * 30, b"e", b"-", b"\xff")
# Paths of them nearly are those of the API.
PARTS = (
    "v1", "models", "zoo", "half", "versions", "labels", "1", "99999999999999999999", "stable", "metadata",
    ":predict", ":classify", ":regress", "%2F", "%", "%zz", "?x=1", "#", "", "..", "\u00e9", "a" * 300,
)  # fmt: skip
METHODS = ("POST", "POST", "POST", "GET", "PUT", "DELETE", "OPTIONS")
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


def some_body(random):
    """A good body with some bytes cut out, doubled or replaced; or anything at all."""
    if random.randrange(10) == 0:
        return random.randbytes(random.randrange(201))
    body = bytearray(random.choice(SEEDS))
    for _ in range(random.randrange(5)):
        at, width = random.randrange(max(1, len(body))), random.randrange(7)
        body[at : at + width] = random.choice((b"", bytes(body[at : at + width]) * 2, *PIECES))
    return bytes(body)


def some_target(random):
    path = "/v1/models/zoo:predict"
    if random.randrange(2):
        path = "/" + "/".join(random.choices(PARTS, k=random.randrange(8)))
    return path.encode("utf-8").decode("latin-1")


class Asker:
    """One kept connection, opened again when the server closed it."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def __call__(self, method, target, body):
        for _ in range(2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                self.connection._validate_path = lambda url: None
                self.connection._encode_request = lambda request: request.encode("latin-1")
            try:
                self.connection.request(method, target, body)
                answer = self.connection.getresponse()
                answer.read()
                if answer.getheader("Connection") == "close":
                    self.connection.close()
                    self.connection = None
                return answer.status
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                self.connection = None
        raise AssertionError("the server closed twice without an answer")


def abuse(port, count):
    # Hypothesis takes longer to make up a request than the server to answer it.
    ask, seen, random = Asker(port), set(), Random(count)
    for _ in range(count):
        request = random.choice(METHODS), some_target(random), some_body(random)
        seen.add(status := ask(*request))
        assert status in (200, 400, 404, 501), request
        assert status != 501 or b"float16" in request[-1], request
    return seen


def test_nonsense_is_answered_and_harms_nobody(zoo, rest):
    assert {200, 400, 404} <= abuse(zoo.server.rest_port, 500)
    assert rest.predict({"instances": [1.0]}).json == {"predictions": [2.5]}


def own_mb(child):
    """MiB of the server alone; what it maps of TensorFlow's libraries, 370 to 480, is the page cache's choice."""
    with open(f"/proc/{child.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:")) / 2**10


@pytest.mark.slow
def test_twenty_thousand_malformed_requests_leave_no_trace(zoo_model, server_process, rest_of):
    with server_process(zoo_model, name="zoo") as (child, port, _):
        abuse(port, 5000)
        before = own_mb(child)
        abuse(port, 20_000)
        assert own_mb(child) < before + 15
        assert before < 300
        rest = rest_of(SimpleNamespace(rest_port=port))
        assert rest.predict({"instances": [1.0]}).json == {"predictions": [2.5]}


INFOS = {
    "a": TensorInfo("a", "a:0", 1, None),
    "b": TensorInfo("b", "b:0", 9, None),
    "s": TensorInfo("s", "s:0", 7, None),
}
VALUES = st.recursive(
    st.one_of(
        st.integers(-(2**70), 2**70).map(str),
        st.floats(width=32).map(lambda f: repr(f).replace("nan", "NaN").replace("inf", "Infinity")),
        st.sampled_from(["true", "null", '"x"', '"\\u00e9"', '{"b64": "YWI="}', '{"b64": "!"}', "1.0", "1e2", "-0"]),
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"), max_leaves=6,
)  # fmt: skip


@settings(max_examples=1500, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(
    st.sampled_from([("a",), ("b",), ("s",), ("a", "b"), ("a", "s")]),
    st.lists(st.dictionaries(st.sampled_from("abs"), VALUES), max_size=3), VALUES,
    st.sampled_from(["rows", "row", "columns", "column"]), st.booleans(),
)  # fmt: skip
def test_the_fast_reader_answers_only_what_the_exact_one_does(names, rows, value, form, twice):
    signature = Signature("s", {name: INFOS[name] for name in names}, {}, "")
    objects = ["{" + ", ".join(f'"{k}": {v}' for k, v in row.items()) + "}" for row in rows]
    text = {
        "rows": f'{{"instances": [{", ".join(objects)}]}}',
        "row": f'{{"instances": [{value}, {value}]}}',
        "columns": f'{{"inputs": {objects[0] if objects else "{}"}}}',
        "column": f'{{"inputs": {value}}}',
    }[form]
    if twice:
        text = text.replace('"a": ', '"a": 1, "a": ', 1)
    document = rest_fast.read(text.encode())
    fast = rest_fast.tensors(document, signature) if document is not None else None
    try:
        exact = rest_exact.tensors(json_text.parse(text.encode()), signature)
    except ServingError:
        assert fast is None, text
        return
    if fast is not None:
        assert fast[1] == exact[1]
        for name in names:
            left, right = fast[0][name], exact[0][name]
            assert (left.dtype, left.shape, left.tolist()) == (right.dtype, right.shape, right.tolist()), text


class Load:
    """Ask `per_s` times a second for `seconds`, on eight connections; keeps (time, status, body)."""

    def __init__(self, port, per_s, seconds):
        self.port, self.per_s, self.seconds, self.answers = port, per_s, seconds, []
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(8)]

    def _run(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        started = time.monotonic() + number / self.per_s
        for turn in range(int(self.per_s * self.seconds / 8)):
            time.sleep(max(0.0, started + turn * 8 / self.per_s - time.monotonic()))
            connection.request("POST", "/v1/models/half:predict", b'{"instances": [0.0]}')
            answer = connection.getresponse()
            self.answers.append((time.monotonic(), answer.status, answer.read()))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()


@pytest.mark.slow
def test_versions_come_and_go_under_load_and_no_request_fails(tmp_path, half_models, put_version, serving_half):
    from serving.versions import LifePolicy

    put_version(half_models[1], tmp_path, 1)
    with serving_half(tmp_path, life=LifePolicy(poll_s=1, max_load_retries=1, retry_interval_s=2)) as (server, _):
        with Load(server.rest_port, 200, 30) as load:
            time.sleep(4)
            put_version(half_models[2], tmp_path, 2)
            time.sleep(5)
            (tmp_path / "tmp.3").mkdir()
            (tmp_path / "tmp.3" / "saved_model.pb").write_bytes(b"corrupt" * 100)
            (tmp_path / "tmp.3").rename(tmp_path / "3")
            time.sleep(5)
            put_version(half_models[4], tmp_path, 4)
            time.sleep(6)
            shutil.rmtree(tmp_path / "3")
            shutil.rmtree(tmp_path / "4")
            time.sleep(6)
        listed = {number: state for number, state, _ in server.versions.status("half")}
    assert len(load.answers) == 6000
    assert {status for _, status, _ in load.answers} == {200}
    order = [body for _, _, body in sorted(load.answers)]
    values = [float(body.split(b"[")[1].split(b"\n")[0]) for body in order]
    changes = [value for at, value in enumerate(values) if at == 0 or values[at - 1] != value]
    assert set(changes) == {1, 2, 4}
    assert (changes[0], changes[-1]) == (1, 2)
    assert listed == {1: "END", 2: "AVAILABLE", 3: "END", 4: "END"}


@pytest.mark.slow
def test_a_hundred_thousand_requests_leave_memory_where_it_was(zoo_model, server_process):
    def ask(port, count):
        asker = Asker(port)
        for n in range(count):
            assert asker("POST", "/v1/models/zoo:predict", b'{"instances": [%d.0]}' % n) == 200

    def crowd(port, count):
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(ask, port, count // 8) for _ in range(8)]:
                done.result()

    with server_process(zoo_model, name="zoo") as (child, port, _):
        crowd(port, 20_000)
        before = own_mb(child)
        crowd(port, 100_000)
        assert own_mb(child) < before + 15
