"""Rows to answers, in process, over REST and over gRPC: the same lines, and a line for every mistake."""

import json

import pytest

from pipeline import asking

ANSWERS = [
    '  {"score": 44.5}  for {"fare": 2.5, "company": "It\'s ünique", "zone": 7}',
    '  {"score": 30.0}  for {"company": "A"}',
]


@pytest.fixture
def rows_file(tmp_path):
    """Return a function that writes lines to a file."""

    def write(text):
        path = tmp_path / "rows.jsonl"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_all_three_ways_to_ask_print_the_same_answers(command, home, served):
    rest, grpc = f"http://127.0.0.1:{served.rest_port}", f"127.0.0.1:{served.grpc_port}"
    for arguments, title in [
        ((), "small version 3"),
        (("--url", rest), f"small at {rest}"),
        (("--grpc", grpc), f"small at {grpc}"),
        (("--url", rest, "--version", 3), f"small at {rest}"),
    ]:
        assert command("predict", "small", *arguments).output.splitlines() == [title, *ANSWERS]


def test_rows_come_from_the_argument_or_the_option(command, rows_file):
    path = rows_file('{"fare": 1, "company": "ab"}\n\n{"zone": null}\n')
    expected = [
        "small version 3",
        '  {"score": 33.0}  for {"fare": 1, "company": "ab"}',
        '  {"score": 29.0}  for {"zone": null}',
    ]
    for arguments in ((path,), ("--rows", path)):
        assert command("predict", "small", *arguments).output.splitlines() == expected


def test_base64_is_the_bytes_it_stands_for_at_every_way_to_ask(command, rows_file, served):
    path = rows_file('{"company": {"b64": "/9j/4AAQSkZJRgABAQAAAQABAAD/2w=="}}')
    expected = '  {"score": 51.0}  for {"company": {"b64": "/9j/4AAQSkZJRgABAQAAAQAB…"}}'
    rest, grpc = f"http://127.0.0.1:{served.rest_port}", f"127.0.0.1:{served.grpc_port}"
    for arguments in ((), ("--url", rest), ("--grpc", grpc)):
        assert command("predict", "small", path, *arguments).output.splitlines()[1:] == [expected]


def test_a_version_is_named_by_number_by_label_or_is_the_one_that_serves(command):
    nobody = ("--url", "http://127.0.0.1:9")
    assert command("predict", "small", "--version", 1).output.startswith("small version 1\n")
    command("promote", "small", 2, *nobody)
    assert command("predict", "small").output.startswith("small version 2\n"), "what a request would get"
    command("promote", "small", 3, "--label", "canary", *nobody)
    assert command("predict", "small", "--label", "stable").output.startswith("small version 2\n")
    assert command("predict", "small", "--label", "canary").output.startswith("small version 3\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("smal", "slipway predict: no pushed model in "),
        ("smal", "got 'smal'; did you mean 'small'?"),
        ("small --version 9", "slipway predict: no such version, got 9; there are 1, 2, 3"),
        ("small --version 1 --label stable", "a version or a label, got 1 and 'stable'; drop one"),
        ("small --label stable", "no such label, got 'stable'; there are none; `slipway promote` gives one"),
        ("small nowhere.jsonl", "nowhere.jsonl: cannot be read, got "),
        ("small a.jsonl --rows b.jsonl", "one file of rows, got a.jsonl and --rows b.jsonl; drop one"),
        ("small --url http://127.0.0.1:9", "http://127.0.0.1:9: no server answers, got [Errno 111] Connection refused"),
        ("small --url 127.0.0.1:9", "127.0.0.1:9: cannot be asked, got url: must be http://host:port"),
        ("small --grpc 127.0.0.1:9", "127.0.0.1:9: no server answers, got UNAVAILABLE: "),
        ("small --url http://127.0.0.1:9 --grpc 127.0.0.1:9", "one at a time, got --url http://127.0.0.1:9 and"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(command, arguments, line):
    result = command("predict", *arguments.split())
    assert result.exit_code == 2
    assert line in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "no rows, got an empty file; write one JSON object per line"),
        ("{", ":1: not JSON, got '{'"),
        ("[1]", ":1: no object, got '[1]'"),
        ('{"fares": 1}', ":1: no such feature of the model, got 'fares'; did you mean 'fare'?"),
        ('{"fare": 1}\n\n{"fare": "1"}', ":3: fare is of another type, got '1'; the model takes float"),
        ('{"zone": 1.5}', ":1: zone is of another type, got 1.5; the model takes int"),
        ('{"zone": true}', ":1: zone is of another type, got True; the model takes int"),
        ('{"company": [1]}', ":1: company is of another type, got [1]; the model takes string"),
        ('{"company": {"b64": "no base64"}}', ":1: company is no base64, got 'no base64': "),
        ('{"company": {"b64": 1}}', ":1: company is no base64, got '1': a text is needed, got 1"),
        ('{"company": {"b65": "AA=="}}', ":1: company is of another type, got {'b65': 'AA=='}; the model takes string"),
        (json.dumps({"zone": 2**70}), "the model refuses, got INVALID_ARGUMENT: zone: wrong value"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_its_line(command, rows_file, text, line):
    result = command("predict", "small", rows_file(text))
    assert result.exit_code == 2
    assert line in result.output
    assert len(result.output.splitlines()) == 1


def test_a_server_that_does_not_know_the_model_says_so(command, served, rows_file):
    path = rows_file("{}")
    rest = command("predict", "other", path, "--url", f"http://127.0.0.1:{served.rest_port}")
    grpc = command("predict", "other", path, "--grpc", f"127.0.0.1:{served.grpc_port}")
    for result, status in ((rest, "404"), (grpc, "NOT_FOUND")):
        assert result.exit_code == 2
        assert f"the server refuses, got {status}: Servable not found for request: Latest(other)" in result.output


def test_what_is_no_model_server_is_told(command, served):
    result = command("predict", "small", "--url", f"http://127.0.0.1:{served.grpc_port}")
    assert result.exit_code == 2
    assert "does not speak HTTP" in result.output


def test_what_tensorflow_says_of_its_nodes_is_left_out():
    said = "INVALID_ARGUMENT: {{function_node a}} {{node b/c}} Unknown image file format.\n\t [[{{node d}}]]"
    assert asking.in_short(ValueError(said)) == "INVALID_ARGUMENT: Unknown image file format."
