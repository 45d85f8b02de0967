"""Targets, methods, headers, status and metadata (sections 1, 2, 3, 7, 8), and classify and regress (4.5, 5)."""

import gzip
import http.client
import socket
import struct

import pytest

from serving.errors import ServingError
from serving.rest_url import EmptyBody, Route, route

ROUTES = [
    ("POST", "/v1/models/m:predict", Route("predict", "m")),
    ("POST", "/v1/models/m/versions/7:predict", Route("predict", "m", 7)),
    ("POST", "/v1/models/m/versions/007:classify", Route("classify", "m", 7)),
    ("POST", "/v1/models/m/labels/stable:regress", Route("regress", "m", None, "stable")),
    ("POST", "/V1/MODELS/M:predict", Route("predict", "M")),
    ("POST", "/v1/models/a%2Fb%3Ac+d:predict", Route("predict", "a/b:c+d")),
    ("POST", "/v1/models/%C3%BC:predict", Route("predict", "ü")),
    ("GET", "/v1/models/m", Route("status", "m")),
    ("GET", "/v1/models/m/versions/1", Route("status", "m", 1)),
    ("GET", "/v1/models/m/labels/x", Route("status", "m", None, "x")),
    ("GET", "/v1/models/m/metadata", Route("metadata", "m")),
    ("GET", "/v1/models/m/versions/1/metadata", Route("metadata", "m", 1)),
    ("GET", "/v1/models/m?x=1", Route("status", "m?x=1")),
    ("GET", "/v1/models/versions", Route("status", "versions")),
    ("GET", "/v1/models/metadata", Route("status", "metadata")),
]


@pytest.mark.parametrize(("method", "target", "expected"), ROUTES)
def test_a_target_names_a_model_and_an_action(method, target, expected):
    assert route(method, target) == expected


MALFORMED = [
    ("POST", "/v1/models/m:predict?x=1"), ("POST", "/v1/models/m:PREDICT"), ("POST", "/v1/models/m:predict/"),
    ("POST", "/v1/models/m"), ("POST", "/v1/models/m/metadata"), ("POST", "/v1/models/m/versions/a:predict"),
    ("POST", "/v1/models/m/versions/1/labels/x:predict"), ("POST", "/v1/models/:predict"), ("GET", "/v1/models/m/"),
    ("GET", "/v1/models/m:predict"), ("GET", "/v1/models/m/versions/-1"), ("GET", "/v1/"), ("GET", "/v1/other"),
    ("PUT", "/v1/models/m"), ("DELETE", "/v1/models/m"), ("PATCH", "/v1/models/m:predict"), ("HEAD", "/v1/models/m"),
    ("POST", "/v1/models/m/versions/١:predict"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target"), MALFORMED)
def test_any_other_target_is_malformed(method, target):
    with pytest.raises(ServingError) as caught:
        route(method, target)
    assert (caught.value.code, caught.value.message) == ("INVALID_ARGUMENT", f"Malformed request: {method} {target}")


@pytest.mark.parametrize("target", ["/v1/models", "/v1/models/versions/1", "/v1/models/labels/x"])
def test_a_target_without_a_model_says_so(target):
    with pytest.raises(ServingError, match=r"Missing model name in request\."):
        route("GET", target)


def test_a_version_beyond_int64_is_answered_without_a_body(rest):
    with pytest.raises(EmptyBody):
        route("POST", "/v1/models/m/versions/9223372036854775808:predict")
    answer = rest("/v1/models/zoo/versions/9223372036854775808:predict", "{}")
    assert (answer.status, answer.body) == (400, b"")


WHERE = [
    ("/v1/models/zoo:predict", 200, None),
    ("/v1/models/zoo/versions/1:predict", 200, None),
    ("/v1/models/zoo/labels/stable:predict", 200, None),
    ("/v1/models/zoo/versions/2:predict", 404, "Servable not found for request: Specific(zoo, 2)"),
    ("/v1/models/zoo/labels/broken:predict", 404, "Servable not found for request: Specific(zoo, 77)"),
    ("/v1/models/zoo/labels/nope:predict", 400, "Unrecognized servable version label: nope"),
    ("/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"),
    ("/v1/models/none/labels/stable:predict", 400, "Unrecognized servable version label: stable"),
    ("/v1/models/zoo:predict?debug=1", 400, "Malformed request: POST /v1/models/zoo:predict?debug=1"),
    ("/v1/models/zoo:explain", 400, "Malformed request: POST /v1/models/zoo:explain"),
]


@pytest.mark.parametrize(("target", "status", "text"), WHERE)
def test_a_model_is_found_by_name_version_and_label(rest, target, status, text):
    answer = rest(target, {"instances": [1.0]})
    assert answer.status == status
    assert text is None or answer.error == text


def test_what_is_wrong_first_is_told_first(rest):
    assert rest.predict("{}", model="none").status == 404
    assert rest.predict("{", model="none").status == 400
    assert rest("/v1/models/none:classify", '{"examples": 3}').status == 400
    assert rest("/v1/models/none:classify", '{"examples": [{}]}').status == 404


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404), ("GET", "/v1", 404), ("POST", "/v2/models/zoo:predict", 404), ("GET", "/v1x", 404),
        ("HEAD", "/v1/models/zoo", 400), ("PUT", "/v1/models/zoo", 400), ("GET", "/v1/models/zoo:predict", 400),
        ("GET", "/v1/models/none", 404), ("GET", "/v1/models", 400), ("TRACE", "/v1/models/zoo", 501),
        ("OPTIONS", "/v1/models/zoo", 400), ("GET", "/monitoring/prometheus/metrics", 200),
        ("GET", "/monitoring/prometheus/metrics?x=1", 400),
    ],
)  # fmt: skip
def test_methods_and_paths_have_their_statuses(rest, method, target, status):
    answer = rest(target, method=method)
    assert answer.status == status
    assert answer.headers["Date"]
    assert answer.headers["Content-Length"]


def test_a_preflight_needs_no_flag(rest):
    answer = rest("/v1/models/x:predict", method="OPTIONS", headers={"Origin": "http://a.example"})
    assert (answer.status, answer.body) == (200, b"")


def test_a_zipped_body_is_unzipped(rest):
    zipped = gzip.compress(b'{"instances": [1.0]}')
    for encoding in ("gzip", "my_gzip"):
        answer = rest("/v1/models/zoo:predict", zipped, headers={"Content-Encoding": encoding})
        assert answer.json == {"predictions": [2.5]}
    for broken in (b"no gzip", zipped[:-3]):
        answer = rest("/v1/models/zoo:predict", broken, headers={"Content-Encoding": "gzip"})
        assert answer.error == "JSON Parse error: The document is empty"


def test_status_lists_versions(rest):
    entry = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for target in ("/v1/models/zoo", "/v1/models/zoo/versions/1", "/v1/models/zoo/labels/anything"):
        assert rest(target).json == {"model_version_status": [entry]}
    assert rest("/v1/models/none").error == "Could not find any versions of model none"
    assert rest("/v1/models/zoo/versions/9").error == "Could not find version 9 of model zoo"


def test_metadata_shows_signatures_with_their_defaults(rest):
    answer = rest("/v1/models/zoo/labels/stable/metadata").json
    assert answer["model_spec"] == {"name": "zoo", "signature_name": "", "version": "1"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["x"] == {
        "name": "serving_default_x:0",
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False},
    }
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    assert signatures["echo_int32"]["inputs"]["x"]["tensor_shape"] == {"dim": [], "unknown_rank": True}
    assert signatures["__saved_model_init_op"]["outputs"]["__saved_model_init_op"]["dtype"] == "DT_INVALID"
    assert rest("/v1/models/zoo/labels/nope/metadata").status == 400
    assert rest("/v1/models/zoo/versions/3/metadata").status == 404


EXAMPLES = [
    ("classify", "classify", [{"x": 0.25}], [[["yes", 0.25], ["no", 0.75]]]),
    ("classify", "classify_scores", [{"x": 0.25}], [[["", 0.25], ["", 0.75]]]),
    ("classify", "classify_classes", [{"x": 1.0}], [[["yes", 0.0], ["no", 0.0]]]),
    ("regress", "regress", [{"x": 1.5}, {"x": [2.5]}], [3.0, 5.0]),
    ("regress", "regress_column", [{"x": 1.5}], [3.0]),
    ("regress", "regress", [{"x": 1.5, "other": ["a", {"b64": "YQ=="}], "none": []}], [3.0]),
]


@pytest.mark.parametrize(("verb", "signature", "examples", "expected"), EXAMPLES)
def test_examples_are_classified_and_regressed(rest, verb, signature, examples, expected):
    answer = rest(f"/v1/models/zoo:{verb}", {"signature_name": signature, "examples": examples})
    assert (answer.status, answer.json) == (200, {"results": expected}), answer.body


def test_a_context_is_merged_into_every_example(rest):
    asked = {"signature_name": "regress", "context": {"x": 2.5}, "examples": [{}, {"other": 1}]}
    assert rest("/v1/models/zoo:regress", asked).json == {"results": [5.0, 5.0]}


WRONG_EXAMPLES = [
    ("classify", {}, "key 'examples' is expected and was not found"),
    ("regress", {}, "When method is classify, key 'examples' is expected and was not found"),
    ("classify", {"examples": 1}, "Expecting 'examples' value to be an list/array"),
    ("classify", {"examples": []}, "'examples' value is an empty array"),
    ("classify", {"examples": [1]}, "Example must be JSON object but got JSON Number"),
    ("classify", {"context": 1, "examples": [{}]}, "Example must be JSON object but got JSON Number"),
    ("regress", {"examples": [{"x": [1, 1.5]}]}, "Unexpected element type in feature: x expecting type: int64"),
    ("regress", {"examples": [{"x": [1.5, "a"]}]}, "Unexpected element type in feature: x expecting type: float"),
    ("regress", {"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null"),
    ("regress", {"examples": [{"x": [[1]]}]}, "Feature: x has element with unexpected JSON type: Array"),
    ("regress", {"examples": [{"x": {"a": 1}}]}, "Feature: x has element with unexpected JSON type: Object"),
    ("regress", {"examples": [{"x": 2**63}]}, "Feature: x has uint64_t element. Only int64_t is supported."),
    ("regress", {"examples": [{"x": 2}]}, "Data types don't match"),
    ("regress", {"examples": [{}]}, "is required but could not be found"),
    ("classify", {"signature_name": "nope", "examples": [{}]}, "No signature was found with the name: nope"),
    ("classify", {"signature_name": "pair", "examples": [{}]}, "Expected one input Tensor."),
    ("classify", {"signature_name": "regress", "examples": [{}]}, "to contain at least one of"),
    ("classify", {"signature_name": "upper", "examples": [{}]}, "No classification inputs found in SignatureDef"),
    ("regress", {"signature_name": "upper", "examples": [{}]}, "Expected one output Tensor."),
    ("regress", {"signature_name": "regress_other", "examples": [{}]}, "No regression outputs found"),
    ("classify", {"signature_name": "classify_three", "examples": [{}]}, "Expected one or two output Tensors, found 3"),
    ("classify", {"signature_name": "classify_flat"}, "Expected Tensor shape: [batch_size num_classes] but got [1]"),
    ("classify", {"signature_name": "classify_double"}, "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE"),
    ("classify", {"signature_name": "classify_short", "n": 2}, "Expected scores output batch size of 2. Got: 1"),
    ("regress", {"signature_name": "regress_wide"}, "to be either [batch_size] or [batch_size, 1] but got [1,2]"),
    (
        "regress",
        {"signature_name": "regress_short", "n": 2},
        "Input batch size did not match output batch size: 2 vs. 1",
    ),
    ("regress", {"signature_name": "regress_double"}, "Expected output Tensor of DT_FLOAT.  Got: DT_DOUBLE"),
]


@pytest.mark.parametrize(("verb", "asked", "text"), WRONG_EXAMPLES)
def test_wrong_examples_are_told_why(rest, verb, asked, text):
    if "n" in asked or list(asked) == ["signature_name"]:
        asked = {"signature_name": asked["signature_name"], "examples": [{"x": 0.5}] * asked.get("n", 1)}
    elif "examples" in asked and "signature_name" not in asked:
        asked = {"signature_name": verb, **asked}
    answer = rest(f"/v1/models/zoo:{verb}", asked)
    assert answer.status == 400, answer.body
    assert text in answer.error


def talk(port: int, data: bytes, answers: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(data)
        got = b""
        while got.count(b"HTTP/1.1 ") < answers or not got.rstrip().endswith(b"}"):
            more = client.recv(65536)
            if not more:
                break
            got += more
        return got


def predict_text(body: bytes, headers: bytes = b"") -> bytes:
    return b"POST /v1/models/zoo:predict HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s" % (
        headers,
        len(body),
        body,
    )


def test_pipelined_requests_are_answered_in_order(zoo):
    bodies = [b'{"instances": [%d.0]}' % n for n in range(40)]
    got = talk(zoo.server.rest_port, b"".join(map(predict_text, bodies)), 40)
    answers = [float(part.split(b"\n")[0].rstrip(b"]")) for part in got.split(b'"predictions": [')[1:]]
    assert answers == [n / 2 + 2 for n in range(40)]


def test_thousands_of_pipelined_errors_do_not_overflow_the_stack(zoo):
    first = predict_text(b'{"instances": [1.0]}')
    got = talk(zoo.server.rest_port, first + b"GET /v1/ HTTP/1.1\r\n\r\n" * 3000, 3001)
    assert got.count(b"HTTP/1.1 400") == 3000


def test_a_chunked_body_and_expect_continue_are_understood(zoo):
    head = b"POST /v1/models/zoo:predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = head + b'5\r\n{"ins\r\nf\r\ntances": [1.0]}\r\n0\r\n\r\n'
    assert b"[2.5" in talk(zoo.server.rest_port, chunks, 1)
    got = talk(zoo.server.rest_port, predict_text(b'{"instances": [1.0]}', b"Expect: 100-continue\r\n"), 2)
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_what_is_no_http_is_refused(zoo):
    assert talk(zoo.server.rest_port, b"\x00\x01\x02 hello\r\n\r\n", 1).startswith(b"HTTP/1.1 400")


def test_a_head_without_end_is_refused(zoo):
    assert talk(zoo.server.rest_port, b"GET /v1/models/zoo HTTP/1.1\r\nA: " + b"a" * 2_000_000, 1).startswith(
        b"HTTP/1.1 431"
    )
    assert talk(zoo.server.rest_port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 1).startswith(b"HTTP/1.1 404")


def test_long_targets_are_not_remembered():
    from serving.rest_url import _remembered

    before = _remembered.cache_info().currsize
    assert route("GET", "/v1/models/" + "a" * 1000).model == "a" * 1000
    assert _remembered.cache_info().currsize == before


def test_a_connection_is_kept_unless_asked_otherwise(zoo):
    client = http.client.HTTPConnection("127.0.0.1", zoo.server.rest_port, timeout=10)
    for _ in range(3):
        client.request("POST", "/v1/models/zoo:predict", b'{"instances": [1.0]}')
        assert client.getresponse().read()
    client.request("GET", "/v1/models/zoo", headers={"Connection": "close"})
    assert client.getresponse().getheader("Connection") == "close"
    client.close()


def test_a_client_that_leaves_early_harms_nobody(zoo, rest):
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", zoo.server.rest_port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(predict_text(b'{"signature_name": "spin", "instances": [10000.0]}'))
        client.close()
    assert rest.predict({"instances": [1.0]}).status == 200
