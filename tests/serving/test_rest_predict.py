"""Predict over REST, rule by rule of the specification (sections 4.1 to 4.4 and 6)."""

import math

import numpy as np
import pytest

PARSE = "JSON Parse error: "
TYPE = "is not of expected type: "


def body(signature: str, **keys):
    return {"signature_name": signature, **keys}


GOOD = [
    ("rows of values", {"instances": [1.0, 2.0, 5.0]}, {"predictions": [2.5, 3.0, 4.5]}),
    ("rows of lists", {"instances": [[1.0], [2.0]]}, {"predictions": [[2.5], [3.0]]}),
    ("rows of another shape than declared", {"instances": [[1, 2], [3, 4]]}, {"predictions": [[2.5, 3], [3.5, 4]]}),
    ("rows of objects", {"instances": [{"x": [1.0]}, {"x": [2.0]}]}, {"predictions": [[2.5], [3.0]]}),
    ("whole numbers for floats", {"instances": [1, 2]}, {"predictions": [2.5, 3.0]}),
    ("a column", {"inputs": [[1.0], [2.0]]}, {"outputs": [[2.5], [3.0]]}),
    ("a named column", {"inputs": {"x": [1.0, 2.0]}}, {"outputs": [2.5, 3.0]}),
    ("a scalar column", {"inputs": 1.0}, {"outputs": 2.5}),
    ("a deep column", {"inputs": [[[1.0]]]}, {"outputs": [[[2.5]]]}),
    ("an empty column", {"inputs": []}, {"outputs": []}),
    ("an empty matrix", {"inputs": [[], []]}, {"outputs": [[], []]}),
    ("an extra name in a column", {"inputs": {"x": [1.0], "other": 3}}, {"outputs": [2.5]}),
    ("an unknown key at the top", {"instances": [1.0], "comment": {"a": [1]}}, {"predictions": [2.5]}),
    ("an empty signature name", body("", instances=[1.0]), {"predictions": [2.5]}),
    ("the signature by name", body("serving_default", instances=[1.0]), {"predictions": [2.5]}),
    (
        "two inputs by row",
        body("pair", instances=[{"a": 1.5, "b": 2}, {"b": 3, "a": 1}]),
        {"predictions": [{"number": 4, "total": 3.5}, {"number": 6, "total": 4.0}]},
    ),
    (
        "two inputs by column",
        body("pair", inputs={"a": [1.5], "b": [2]}),
        {"outputs": {"number": [4], "total": [3.5]}},
    ),
    ("strings", body("upper", instances=["ab", "ü"]), None),
    ("base64 rows", body("upper", inputs={"s": [{"b64": "YWI="}]}), {"outputs": {"size": [2], "text": ["AB"]}}),
    (
        "base64 without padding",
        body("upper", inputs={"s": [{"b64": "YWI"}]}),
        {"outputs": {"size": [2], "text": ["AB"]}},
    ),
    ("base64 with white space", body("upper", inputs=[{"b64": "YW I="}]), {"outputs": {"size": [2], "text": ["AB"]}}),
    ("base64 as the only row", body("upper", inputs={"b64": "YWI="}), {"outputs": {"size": 2, "text": "AB"}}),
    (
        "base64 values as rows",
        body("upper", instances=[{"b64": "YWI="}, "c"]),
        {"predictions": [{"size": 2, "text": "AB"}, {"size": 1, "text": "C"}]},
    ),
    (
        "an output called _bytes",
        body("same_bytes", instances=["ab"]),
        {"predictions": [{"out_bytes": {"b64": "YWI="}, "size_bytes": 2}]},
    ),
    ("no rank in a column", body("total", inputs=[1.0, 2.0]), {"outputs": 3.0}),
    ("another batch size than asked", body("longer", instances=[1.0]), {"predictions": [1.0, 1.0]}),
    ("a vocabulary from a file", body("lookup", instances=["cab", "bus"]), {"predictions": [1, -1]}),
    ("a matrix", body("matrix", instances=[[1, 2]]), {"predictions": [[3.0, 3.0, 3.0]]}),
    ("uneven outputs in a column", body("uneven", inputs=[5.0]), {"outputs": {"a": [5.0], "b": [1.0, 2.0]}}),
    ("true and false", body("echo_bool", instances=[True, False]), {"predictions": [True, False]}),
    ("int32", body("echo_int32", instances=[-(2**31), 2**31 - 1]), {"predictions": [-(2**31), 2**31 - 1]}),
    ("int64", body("echo_int64", instances=[-(2**63), 2**63 - 1]), {"predictions": [-(2**63), 2**63 - 1]}),
    ("uint64", body("echo_uint64", instances=[2**64 - 1]), {"predictions": [2**64 - 1]}),
    ("uint32", body("echo_uint32", instances=[2**32 - 1]), {"predictions": [2**32 - 1]}),
    ("a narrow integer wraps", body("echo_uint8", instances=[300, -1]), {"predictions": [44, 255]}),
    ("int8 wraps", body("echo_int8", instances=[200]), {"predictions": [-56]}),
    ("int16", body("echo_int16", instances=[40000]), {"predictions": [-25536]}),
    ("an integer beyond 64 bits is a double", body("echo_float64", inputs=10**30), {"outputs": 1e30}),
    ("tensors of rank 3", body("echo_float32", instances=[[[1, 2]], [[3, 4]]]), {"predictions": [[[1, 2]], [[3, 4]]]}),
]


@pytest.mark.parametrize(("asked", "expected"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
def test_a_good_request_is_answered(rest, asked, expected):
    answer = rest.predict(asked)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    if expected is not None:
        assert answer.json == expected


TEXTS = [
    ("a byte order mark", b'\xef\xbb\xbf{"instances": [1.0]}', [2.5]),
    ("text after the document", b'{"instances": [1.0]} and more', [2.5]),
    ("the first of two equal keys", b'{"instances": [1.0], "instances": [2.0]}', [2.5]),
    ("the first of two equal names in a row", b'{"instances": [{"x": 1.0, "x": 2.0}]}', [2.5]),
    ("space before a colon", b'{"instances" : [1.0], "instances" : [2.0]}', [2.5]),
    ("a key twice and another before a space", b'{"instances": [1.0], "instances": [2.0], "x" : 3}', [2.5]),
    ("an escaped key", b'{"inst\\u0061nces": [1.0]}', [2.5]),
    ("exponents", b'{"instances": [1e0, 10e-1]}', [2.5, 2.5]),
    ("an infinity", b'{"instances": [Infinity, Inf, -Infinity, -Inf]}', [math.inf, math.inf, -math.inf, -math.inf]),
    ("a float beyond float32", b'{"instances": [1e39, -1e39]}', [math.inf, -math.inf]),
    ("a float below float32", b'{"instances": [1e-60]}', [2.0]),
    ("no float spaces", b'{"instances":[1.0,2.0]}', [2.5, 3.0]),
    ("any white space", b'\n\t{ "instances"\r\n:\t[ 1.0\n] }\n', [2.5]),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_json_is_read_as_the_real_server_reads_it(rest, text, expected):
    answer = rest.predict(text)
    assert (answer.status, answer.json) == (200, {"predictions": expected}), answer.body


def test_nan_comes_and_goes_bare(rest):
    answer = rest.predict(b'{"instances": [NaN]}')
    assert answer.status == 200
    assert b"[NaN\n" in answer.body


BAD = [
    ("an empty body", b"", 400, PARSE + "The document is empty"),
    ("white space only", b"  ", 400, PARSE + "The document is empty"),
    (
        "half a document",
        b'{"instances": [1.0',
        400,
        PARSE + "Missing a comma or ] after an array element. at offset: 18",
    ),
    ("a trailing comma", b'{"instances": [1.0,]}', 400, PARSE + "Invalid value. at offset: 19"),
    ("single quotes", b"{'instances': [1.0]}", 400, PARSE + "Missing a name for object member. at offset: 1"),
    ("a comment", b'{"instances": [1.0] /* one */}', 400, PARSE + "Missing a comma or } after an object member."),
    ("nan in small letters", b'{"instances": [nan]}', 400, PARSE + "Invalid value."),
    ("a number beyond double", b'{"instances": [1e400]}', 400, PARSE + "Number too big to be stored in double."),
    ("a very long integer", b'{"instances": [' + b"9" * 401 + b"]}", 400, "Number too big to be stored in double."),
    ("a leading zero", b'{"instances": [01]}', 400, PARSE + "Missing a comma or ]"),
    ("a bare fraction", b'{"instances": [1.]}', 400, PARSE + "Miss fraction part in number."),
    ("a bare exponent", b'{"instances": [1e]}', 400, PARSE + "Miss exponent in number."),
    ("a raw control character", b'{"a\nb": 1}', 400, PARSE + "Invalid escape character in string."),
    ("a bad escape", b'{"\\x": 1}', 400, PARSE + "Invalid escape character in string."),
    ("a lone surrogate", b'{"\\ud800": 1}', 400, PARSE + "The surrogate pair in string is invalid."),
    ("an open string", b'{"instances', 400, PARSE + "Missing a closing quotation mark in string."),
    ("a list at the top", [1], 400, "Is not object"),
    ("a scalar at the top", b"3", 400, "JSON Value: 3 Is not object"),
    (
        "a signature name that is a number",
        {"signature_name": 3, "instances": [1]},
        400,
        "'signature_name' key must be a",
    ),
    ("no rows and no columns", {}, 400, "Missing 'inputs' or 'instances' key"),
    ("rows and columns", {"inputs": [1], "instances": [1]}, 400, "expecting only one of 'inputs' or 'instances'"),
    ("rows that are no list", {"instances": 1}, 400, "Expecting 'instances' to be an list/array"),
    ("no row", {"instances": []}, 400, "No values in 'instances' array"),
    (
        "an unknown signature",
        body("nope", instances=[1]),
        400,
        'Serving signature name: "nope" not found in signature def',
    ),
    ("a signature without inputs", body("__saved_model_init_op", instances=[1]), 400, "Failed to get input map for"),
    ("plain rows for two inputs", body("pair", instances=[1]), 400, "instances is a plain list, but expecting list of"),
    ("a plain column for two inputs", body("pair", inputs=[1]), 400, "inputs is a plain value/list, but expecting an"),
    (
        "a value after objects",
        {"instances": [{"x": 1}, 2]},
        400,
        "Expecting object but got list at item 1 of input list",
    ),
    ("an object after values", {"instances": [1, {"x": 2}]}, 400, "Expecting value/list but got object at item 1 of"),
    ("an unknown name in a row", {"instances": [{"z": 1}]}, 400, "JSON object: does not have named input: z"),
    ("a name missing in a row", body("pair", instances=[{"a": 1}]), 400, "keys must be equal to: a,b"),
    ("a column missing", body("pair", inputs={"a": [1]}), 400, "Missing named input: b in 'inputs' object."),
    ("rows of unequal size", {"instances": [[1], [1, 2]]}, 400, "Expecting tensor size: 1 but got: 2"),
    ("rows of unequal shape", {"instances": [[[1], [2]], [[1, 2]]]}, 400, "Expecting shape [2,1] but got: [1,2]"),
    (
        "a wrapped row error",
        {"instances": [1, "a"]},
        400,
        "Failed to process element: 1 of 'instances' list. Error: INV",
    ),
    (
        "a wrapped named error",
        {"instances": [{"x": "a"}]},
        400,
        "Failed to process element: 0 key: x of 'instances' list.",
    ),
    (
        "a ragged column",
        {"inputs": [[1, 2], [3]]},
        400,
        "Encountered list at unexpected size: 1 at level: 1 expected size",
    ),
    (
        "a scalar among lists",
        {"inputs": [[1], 2]},
        400,
        "found at incorrect level: 2 in the JSON DOM. Expected at level",
    ),
    ("a list among scalars", {"inputs": [1, [2]]}, 400, "Encountered list at unexpected level: 1 expected < 1"),
    ("text for a float", {"inputs": "a"}, 400, 'JSON Value: "a" Type: String ' + TYPE + "float"),
    ("true for a float", {"inputs": True}, 400, "Type: True " + TYPE + "float"),
    ("null for a float", {"inputs": None}, 400, "Type: Null " + TYPE + "float"),
    ("an object for a float", {"inputs": [{"a": 1}]}, 400, "Type: Object " + TYPE + "float"),
    ("a fraction for an integer", b'{"signature_name": "echo_int32", "inputs": 1.0}', 400, TYPE + "int32"),
    ("an exponent for an integer", b'{"signature_name": "echo_int64", "inputs": 1e2}', 400, TYPE + "int64"),
    ("beyond int32", body("echo_int32", inputs=2**31), 400, TYPE + "int32"),
    ("beyond int64", body("echo_int64", inputs=2**63), 400, TYPE + "int64"),
    ("negative for unsigned", body("echo_uint64", inputs=-1), 400, TYPE + "uint64"),
    ("beyond uint32", body("echo_uint32", inputs=2**32), 400, TYPE + "uint32"),
    ("one for true", body("echo_bool", inputs=1), 400, TYPE + "bool"),
    ("true for an integer", body("echo_int32", inputs=True), 400, TYPE + "int32"),
    ("a number for text", body("upper", inputs=[1]), 400, "Type: Number " + TYPE + "string"),
    ("bad base64", body("upper", inputs=[{"b64": "a"}]), 400, "Unable to base64 decode"),
    ("URL-safe base64", body("upper", inputs=[{"b64": "-_-_"}]), 400, "Unable to base64 decode"),
    ("wrong padding", body("upper", inputs=[{"b64": "YWI=="}]), 400, "Unable to base64 decode"),
    ("another object for text", body("upper", inputs=[{"b65": "a"}]), 400, "not formatted correctly for base64 data"),
    ("half in a column", body("echo_float16", inputs=[1.0]), 501, "to type: half"),
    (
        "half in rows",
        body("echo_float16", instances=[1.0]),
        400,
        "UNIMPLEMENTED: Conversion of JSON Value: 1.0 to type",
    ),
    ("bfloat16 in a column", body("echo_bfloat16", inputs=[1.0]), 501, "to type: bfloat16"),
    ("uint16 in a column", body("echo_uint16", inputs=[1]), 501, "to type: uint16"),
    ("complex in a column", body("echo_complex64", inputs=[1]), 501, "to type: complex64"),
    ("no rank in rows", body("total", instances=[1.0]), 400, "Tensor name: y has no shape information"),
    (
        "uneven outputs in rows",
        body("uneven", instances=[1.0]),
        400,
        "Tensor name: b has inconsistent batch size: 2 exp",
    ),
    ("a shape the graph refuses", body("matrix", instances=[[1, 2, 3]]), 400, "Matrix size-incompatible"),
    ("a row the graph refuses", body("picky", instances=[-1.0]), 400, "a negative row"),
    ("broken examples", body("serving_examples", instances=["x"]), 400, "Could not parse example input"),
]


@pytest.mark.parametrize(("asked", "status", "text"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_request_is_told_why(rest, asked, status, text):
    answer = rest.predict(asked)
    assert answer.status == status, answer.body
    assert list(answer.json) == ["error"]
    assert text in answer.error
    assert answer.headers["Content-Type"] == "application/json"


def test_a_deep_document_is_no_crash(rest):
    deep = b"[" * 500_000 + b"]" * 500_000
    assert rest.predict(b'{"instances": [1.0], "other": ' + deep + b"}").json == {"predictions": [2.5]}
    answer = rest.predict(b'{"inputs": ' + deep + b"}")
    assert (answer.status, "dimensions" in answer.error) == (400, True)


def test_a_quoted_value_is_cut(rest):
    answer = rest.predict({"inputs": {"x": ["a" * 100_000]}})
    assert answer.status == 400
    assert len(answer.body) < 1000


def test_state_is_kept_from_request_to_request(rest):
    first = rest.predict(body("counter", instances=[1, 1, 1])).json["predictions"][0]
    assert rest.predict(body("counter", instances=[1])).json["predictions"] == [first + 1]


FLOATS = [
    ("echo_float32", 9e6, b"9e+06"), ("echo_float32", 16777216.0, b"16777216.0"),
    ("echo_float32", 1 / 3, b"0.333333343"),
    ("echo_float32", -0.0, b"-0.0"), ("echo_float32", 0.1, b"0.1"), ("echo_float32", 100000.0, b"100000.0"),
    ("echo_float64", 0.1, b"0.1"), ("echo_float64", 1 / 3, b"0.33333333333333331"), ("echo_float64", 1e300, b"1e+300"),
    ("echo_int64", 2**53 + 1, b"9007199254740993"), ("echo_string", 'a"\\\n\x01/é', '"a\\"\\\\\\n\\u0001/é"'.encode()),
]  # fmt: skip


@pytest.mark.parametrize(("signature", "value", "text"), FLOATS)
def test_numbers_and_text_are_written_as_the_real_server_writes_them(rest, signature, value, text):
    answer = rest.predict(body(signature, inputs=value))
    assert b'"outputs": ' + text + b"\n" in answer.body


def test_bytes_that_are_not_utf8_leave_as_they_came(rest):
    answer = rest.predict(body("echo_string", inputs={"b64": "/w=="}))
    assert b'"outputs": "\xff"' in answer.body


def test_logarithms_give_what_json_has_no_word_for(rest):
    answer = rest.predict(body("log", instances=[0.0, -1.0]))
    assert b"[-Infinity, NaN" in answer.body or b"[-Infinity, -NaN" in answer.body


def test_the_fast_and_the_exact_reader_agree(rest):
    """A space before one colon sends the same rows the other way."""
    rows = ", ".join(f'{{"a": {a:.17g}, "b": {b}}}' for a, b in zip(np.random.rand(50) * 1e6, range(50), strict=True))
    text = f'{{"signature_name": "pair", "instances": [{rows}]}}'
    fast, exact = rest.predict(text), rest.predict(text.replace('"instances":', '"instances" :'))
    assert (fast.status, fast.body) == (200, exact.body)


def test_a_run_that_takes_too_long_is_cancelled(zoo_model, tmp_path):
    from serving.loading import LoadOptions
    from serving.server import for_model, running

    with running(for_model("zoo", zoo_model, load=LoadOptions(timeout_s=0.3))) as server:
        import urllib.error
        import urllib.request

        url = f"http://127.0.0.1:{server.rest_port}/v1/models/zoo:predict"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, b'{"signature_name": "spin", "instances": [1e30]}', timeout=30)
        assert caught.value.code == 504
        caught.value.close()
