"""The client, the launcher's command lines, and the doors that must agree."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from serving import client, doors, launcher, releases
from serving.client import Client, GrpcClient, ServerError
from serving.launcher import Engine, LaunchOptions


@pytest.fixture
def asked():
    """A client whose transport answers from a list and remembers what it was asked."""
    calls, answers = [], []

    def transport(method, path, body):
        calls.append((method, path, body))
        return answers.pop(0)

    return Client(transport=transport), calls, answers


def test_a_client_speaks_through_any_transport(asked):
    ask, calls, answers = asked
    answers += [(200, b'{"predictions": [1.5]}'), (400, b'{"error": "why"}'), (502, b"<html>")]
    row = {"a": np.float32(1.5), "b": b"\xff", "c": b"text", "d": np.array([1, 2])}
    assert ask.predict("m/x", [row], label="stable") == [1.5]
    method, path, body = calls[0]
    assert (method, path) == ("POST", "/v1/models/m%2Fx/labels/stable:predict")
    assert body == b'{"signature_name": "", "instances": [{"a": 1.5, "b": {"b64": "/w=="}, "c": "text", "d": [1, 2]}]}'
    with pytest.raises(ServerError, match="400: why"):
        ask.predict("m", [1])
    with pytest.raises(ServerError, match="502: <html>"):
        ask.status("m")
    with pytest.raises(ValueError, match="give one of them"):
        ask.predict("m", [1], version=1, label="stable")


def test_the_clients_agree_with_a_real_server(zoo):
    rest = Client(f"http://127.0.0.1:{zoo.server.rest_port}")
    assert rest.predict("zoo", [{"a": 1.5, "b": 2}], signature_name="pair") == [{"number": 4, "total": 3.5}]
    assert rest.predict_columns("zoo", {"s": [b"a"]}, signature_name="upper", version=1) == {"size": [1], "text": ["A"]}
    assert rest.status("half") == {123: "AVAILABLE"}
    assert "pair" in rest.metadata("zoo", label="stable")
    with pytest.raises(ServerError, match="404: Servable not found"):
        rest.predict("none", [1])
    ask = GrpcClient(channel=zoo.grpc)
    outputs = ask.predict("zoo", {"a": np.float32([1.5]), "b": np.int64([2])}, signature_name="pair")
    assert {name: array.tolist() for name, array in outputs.items()} == {"number": [4], "total": [3.5]}
    assert ask.predict("zoo", {"s": np.array([b"a"], object)}, signature_name="upper")["text"].tolist() == [b"A"]
    with pytest.raises(ServerError, match="NOT_FOUND"):
        ask.predict("none", {})


def test_a_kept_connection_that_was_closed_is_opened_again(half_model):
    from serving.server import for_model, running

    with running(for_model("half", half_model)) as server:
        rest = Client(f"http://127.0.0.1:{server.rest_port}")
        assert rest.predict("half", [1.0]) == [2.5]
        for connection in list(server._http.connections):
            server._loop.call_soon_threadsafe(connection._transport.close)
        assert rest.predict("half", [1.0]) == [2.5]
    with pytest.raises(ConnectionRefusedError):
        rest.status("half")


def test_a_curl_line_can_be_pasted(zoo):
    line = client.curl_line(f"http://127.0.0.1:{zoo.server.rest_port}", "zoo", {"x": [1.0]}, "stable")
    assert "/v1/models/zoo/labels/stable:predict" in line
    if shutil.which("curl"):
        assert b"[2.5]" in subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout
    assert "'\\''" in client.curl_line("http://h:1", "m", "it's")


FLAGS = [
    "--model_config_file_poll_wait_seconds=1", "--allow_version_labels_for_unavailable_models=true",
]  # fmt: skip


def test_each_engine_has_its_command_line(tmp_path):
    batching = tmp_path / "batching.config"
    options = LaunchOptions(tmp_path / "taxi", rest_port=9501, grpc_port=9500, extra=("--x=1",))
    config = f"--model_config_file={tmp_path / 'taxi' / 'models.config'}"
    assert launcher.command(options, "tensorflow_model_server") == [
        "tensorflow_model_server", "--port=9500", "--rest_api_port=9501", config, *FLAGS, "--x=1",
    ]  # fmt: skip
    assert launcher.command(options, "podman") == [
        "podman", "run", "--rm", "--init", "-p", "127.0.0.1:9501:8501", "-p", "127.0.0.1:9500:8500",
        "-v", f"{tmp_path / 'taxi'}:{tmp_path / 'taxi'}:ro", "docker.io/tensorflow/serving:2.19.0",
        "--port=8500", "--rest_api_port=8501", config, *FLAGS, "--x=1",
    ]  # fmt: skip
    assert launcher.command(options, "embedded") == [
        sys.executable, "-m", "serving.cli", "--host=127.0.0.1", "--port=9500", "--rest_api_port=9501", config, *FLAGS,
        "--x=1",
    ]  # fmt: skip
    line = launcher.command(LaunchOptions(tmp_path, batching_file=str(batching)), "docker")
    assert f"{batching}:{batching}:ro" in line
    assert line[-2:] == ["--enable_batching=true", f"--batching_parameters_file={batching}"]


def fake_tool(folder, name, script):
    tool = folder / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def test_the_best_engine_at_hand_is_taken_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = []
    assert launcher.find_engine().name == "embedded"
    fake_tool(tmp_path, "podman", '[ "$1" = ps ]')
    found = launcher.find_engine(announce=said.append)
    assert (found.name, found.why) == (
        "embedded",
        "no tensorflow_model_server on the PATH, no docker on the PATH, podman cannot get " + launcher.IMAGE,
    )
    assert "podman pulls docker.io/tensorflow/serving" in said.pop()
    fake_tool(tmp_path, "docker", '[ "$1" = ps ] || [ "$1" = pull ]')
    assert launcher.find_engine() == Engine("docker", "no tensorflow_model_server on the PATH, docker is there")
    fake_tool(tmp_path, "docker", '[ "$1" != pull ]')
    assert launcher.find_engine(announce=said.append).name == "docker"
    assert not said, "an image that is here is not pulled"
    fake_tool(tmp_path, "tensorflow_model_server", "")
    assert launcher.find_engine() == Engine("tensorflow_model_server", "tensorflow_model_server is there")
    assert launcher.find_engine("embedded") == Engine("embedded", "as asked for")


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("torch", "engine: unknown, got torch; use auto, tensorflow_model_server, docker, podman, embedded"),
        ("podman", "engine: no podman on the PATH, got no such program; use auto or embedded"),
        ("tensorflow_model_server", "engine: no tensorflow_model_server on the PATH"),
        ("docker", "engine: docker does not run, got no daemon; use auto or embedded"),
    ],
)
def test_an_engine_that_is_not_there_says_so(tmp_path, monkeypatch, engine, text):
    monkeypatch.setenv("PATH", str(tmp_path))
    fake_tool(tmp_path, "docker", "echo a warning >&2; echo no daemon >&2; exit 1")
    with pytest.raises(ValueError, match=text):
        launcher.find_engine(engine)


def test_an_engine_is_started_and_stopped(tmp_path, half_model, eventually):
    base = tmp_path / "half"
    shutil.copytree(half_model, base)
    files = [f"--rest_port_file={tmp_path / 'port'}", "--quiet"]
    options = LaunchOptions(base, rest_port=-1, grpc_port=-1, extra=tuple(files))
    with launcher.running(options, Engine("embedded", "")) as child:
        eventually((tmp_path / "port").exists, 60)
        rest = Client(f"http://127.0.0.1:{(tmp_path / 'port').read_text()}")
        assert rest.predict("half", [1.0]) == [2.5]
        releases.promote(base, 123, server=None)
        eventually(lambda: rest_answers(rest), 10)
    assert child.returncode == 0
    with (
        pytest.raises(ValueError, match="no such folder"),
        launcher.running(LaunchOptions(tmp_path / "none"), Engine("embedded", "")),
    ):
        pass


def rest_answers(rest):
    try:
        return rest.predict("half", [1.0], label="stable") == [2.5]
    except ServerError:
        return False


@pytest.fixture(scope="module")
def two_doors(tmp_path_factory):
    """Export a model whose serving_examples adds `error` to what serving_default answers."""
    import tensorflow as tf

    def export(error):
        model = tf.Module()

        def score(x, n, s):
            return {"score": x * 2 + tf.cast(n, tf.float32), "text": tf.strings.upper(s)}

        @tf.function(input_signature=[
            tf.TensorSpec([None], tf.float32, name="x"), tf.TensorSpec([None], tf.int64, name="n"),
            tf.TensorSpec([None], tf.string, name="s"),
        ])  # fmt: skip
        def named(x, n, s):
            return score(x, n, s)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
        def examples(serialized):
            spec = {"x": tf.float32, "n": tf.int64, "s": tf.string}
            parsed = tf.io.parse_example(serialized, {k: tf.io.FixedLenFeature([], v) for k, v in spec.items()})
            outputs = score(**parsed)
            return {**outputs, "score": outputs["score"] + error}

        model.doors = {"serving_default": named, "serving_examples": examples}
        path = tmp_path_factory.mktemp("doors") / "1"
        tf.saved_model.save(model, str(path), signatures=model.doors)
        return path

    return export


ROWS = [{"x": 0.1, "n": 3, "s": "a"}, {"x": -1e6, "n": -4, "s": "ü"}]


def test_doors_that_agree_pass_through_every_port(two_doors):
    from serving.server import for_model, running

    path = two_doors(0.0)
    with running(for_model("m", path.parent)) as server:
        rest, grpc = Client(f"http://127.0.0.1:{server.rest_port}"), GrpcClient(f"127.0.0.1:{server.grpc_port}")
        report = doors.check(path, ROWS, rest=rest, grpc=grpc, model="m")
        grpc.close()
    assert report.agree, report.lines()
    assert report.doors == (
        "serving_examples", "REST serving_default", "gRPC serving_default", "REST serving_examples",
        "gRPC serving_examples",
    )  # fmt: skip
    assert len(report.differences) == 10


def test_doors_that_differ_are_named_with_what_was_seen(two_doors):
    report = doors.check(two_doors(0.5), ROWS)
    assert not report.agree
    (different,) = [found for found in report.differences if found.worst > report.tolerance]
    assert (different.door, different.output) == ("serving_examples", "score")
    assert "not 3.2" in different.detail
    assert doors.check(two_doors(1e-8), ROWS).agree


def test_a_model_with_one_door_is_refused(half_model):
    with pytest.raises(ValueError, match="no signature serving_examples"):
        doors.check(half_model / "123", ROWS)
    with pytest.raises(ValueError, match="rows: none"):
        doors.check(half_model / "123", [])


def test_a_server_that_is_not_there_is_a_difference(two_doors):
    report = doors.check(two_doors(0.0), ROWS, rest=Client("http://127.0.0.1:9"), model="m")
    assert not report.agree
    assert "ConnectionRefusedError" in report.lines()[2]
