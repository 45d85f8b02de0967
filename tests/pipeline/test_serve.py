"""`slipway serve`: it says how to ask, answers, ends in order, and refuses in one line."""

import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager

import pytest

from pipeline import pushed
from pipeline.errors import SetupError
from pipeline.serve import LONGEST_PASTED, _curl, _port, _reachable, _sample

FREE = ("--engine", "embedded", "--port", "0", "--grpc-port", "0")


@contextmanager
def serving(home, *arguments):
    """The command in a process of its own; yields it and the lines it printed until it was ready."""
    command = [sys.executable, "-m", "pipeline", "serve", home.name, *arguments, "--home", str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if line.endswith("Ctrl-C stops\n"):
                    break
            yield process, lines
        finally:
            process.kill()


def listens(url):
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_it_says_how_to_ask_follows_a_release_and_ends_with_0(home, command):
    command("promote", "small", 2, "--url", "http://127.0.0.1:9")
    command("promote", "small", 3, "--label", "canary", "--url", "http://127.0.0.1:9")
    with serving(home, *FREE) as (process, lines):
        assert lines[0] == "small: engine embedded (as asked for)"
        assert lines[1].startswith("small: versions 2 (stable), 3 (canary) at http://127.0.0.1:")
        body = shlex.split(lines[2])[2]
        assert json.loads(body)["instances"] == [{"company": "It's ünique", "fare": 2.5, "zone": 7}]
        url = shlex.split(lines[2])[3].partition("/v1")[0]
        assert pushed.running_url(home) == url
        with urllib.request.urlopen(shlex.split(lines[2])[3], body.encode()) as answer:
            assert json.load(answer) == {"predictions": [44.5]}
        if shutil.which("curl"):
            asked = subprocess.run(["sh", "-c", lines[2]], capture_output=True, text=True, check=True).stdout
            assert json.loads(asked) == {"predictions": [44.5]}
        assert f"the server at {url} serves it" in command("rollback", "small").output
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert rest == "small: stopped\n"
    assert not (home.serving / pushed.SERVING_AT).exists()
    assert not listens(url)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot tell a child of its parent's death")
def test_a_killed_command_leaves_no_server_behind(home):
    with serving(home, *FREE) as (process, lines):
        url = shlex.split(lines[2])[3].partition("/v1")[0]
        assert listens(url)
        process.kill()
        end = time.monotonic() + 20
        while listens(url) and time.monotonic() < end:
            time.sleep(0.05)
        assert not listens(url)
    assert pushed.running_url(home) == "http://127.0.0.1:8501", "a note of a dead process does not count"


def test_a_try_asks_one_row_and_stops(home, command):
    result = command("serve", "small", "--try", *FREE)
    assert result.exit_code == 0, result.output
    *_, curl, answer, end = result.output.splitlines()
    assert curl.startswith("curl -d '{")
    assert (answer, end) == ('{"predictions": [44.5]}', "small: stopped")
    assert "version 3 is available" in (home.root / "serve.log").read_text()


def test_a_try_of_a_model_that_does_not_load_says_why(home, command):
    (home.serving / "3" / "saved_model.pb").write_bytes(b"no graph")
    result = command("serve", "small", "--try", *FREE)
    assert result.exit_code == 1
    assert "small: the engine ended by itself, got exit code 1: Failed to start server. Error: " in result.output
    assert result.output.splitlines()[-1].endswith(f"all of it is in {home.root}/serve.log")


def test_a_try_takes_a_free_port_where_none_was_named_and_the_usual_one_is_taken(capsys):
    held = ExitStack()
    with held, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert _port(held, "127.0.0.1", "--port", None, port, True) != port
        assert capsys.readouterr().out == f"port {port} cannot be used (Address already in use), taking a free one\n"
        for wanted, any_will_do in ((None, False), (port, True)):
            with pytest.raises(SetupError, match=f"--port: cannot listen on 127.0.0.1, got {port}: Address already"):
                _port(held, "127.0.0.1", "--port", wanted, port, any_will_do)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("smal", "slipway serve: no pushed model in "),
        ("smal", "got 'smal'; did you mean 'small'?"),
        ("../serving/small", "slipway serve: no pushed model in "),
        (". --engine embedded", "slipway serve: no pushed model in "),
        ("smal --write-files {tmp}/files", "got 'smal'; did you mean 'small'?"),
        ("small --engine torch", "slipway serve: engine: unknown, got torch; use auto, "),
        ("small --engine tensorflow_model_server", "slipway serve: engine: no tensorflow_model_server on the PATH"),
        ("small --engine docker", "slipway serve: engine: no docker on the PATH"),
        ("small --port {taken}", "slipway serve: --port: cannot listen on 127.0.0.1, got {taken}: Address already"),
        ("small --port 0 --grpc-port {taken}", "--grpc-port: cannot listen on 127.0.0.1, got {taken}: Address already"),
        ("small --port {free} --grpc-port {free}", "--grpc-port: cannot listen on 127.0.0.1, got {free}: "),
        ("small --host nowhere.invalid", "--port: cannot listen on nowhere.invalid, got 8501: "),
        ("small --write-files {tmp}/file/x", "slipway serve: --write-files: "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(command, tmp_path, monkeypatch, arguments, line):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()
        values = {"taken": taken.getsockname()[1], "free": free, "tmp": tmp_path}
        result = command("serve", *arguments.format(**values).split())
    assert result.exit_code == 2, result.output
    assert line.format(**values) in result.output
    assert len(result.output.splitlines()) == 1


def test_files_for_containers_and_clusters_are_written(command, home, tmp_path):
    result = command("serve", "small", "--write-files", tmp_path / "files")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == f"small: wrote {tmp_path / 'files'}"
    assert {"  Dockerfile", "  compose.yaml", "  k8s/", "  models/"} <= set(lines)
    assert (tmp_path / "files" / "models" / "small" / "3" / "saved_model.pb").exists()


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("here", "here")],
)
def test_a_url_names_an_address_that_can_be_asked(host, address):
    assert _reachable(host) == address


def test_what_the_fullest_sample_row_lacks_comes_from_another(home, served):
    path = home.serving / "3" / "assets.extra" / "sample_rows.jsonl"
    rows = [{"fare": 2.5, "company": "B", "zone": None}, {"zone": 7, "fare": 1.0}, {"company": "A"}]
    url = f"http://127.0.0.1:{served.rest_port}"
    for count, zone in ((3, 7), (1, -(2**63))):
        path.write_text("\n".join(map(json.dumps, rows[:count])), encoding="utf-8")
        assert _sample(home, url, 3) == {"fare": 2.5, "company": "B", "zone": zone}


def test_a_picture_that_is_too_long_to_paste_goes_into_a_file(home):
    short, long = ({"image": b"\xff" * size} for size in (90, LONGEST_PASTED))
    assert '{"b64": "////' in _curl(home, "http://127.0.0.1:8501", short)
    line = _curl(home, "http://127.0.0.1:8501", long)
    _, _, place, url = shlex.split(line)
    assert url == "http://127.0.0.1:8501/v1/models/small:predict"
    with open(place.removeprefix("@"), encoding="utf-8") as file:
        assert json.load(file)["instances"][0]["image"]["b64"].startswith("////")
