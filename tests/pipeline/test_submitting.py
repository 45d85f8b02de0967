"""`slipway submit` against a stand-in of Kubeflow Pipelines that checks its requests."""

import re
import socket

import pytest
from click.testing import CliRunner

from pipeline import submitting
from pipeline.cli import slipway
from pipeline.errors import SetupError
from tests.pipeline import kfp_server

SECTION = "kubeflow={image: localhost/slipway:1, service_account: runner}"
DONE = {"state": "SUCCEEDED", "run_details": {"task_details": [{"display_name": "Trainer", "state": "SUCCEEDED"}]}}


def failed(message=None):
    error = {"code": 1, "message": message} if message else None
    task = {"display_name": "Evaluator", "state": "FAILED", "error": error}
    return {"state": "FAILED", "run_details": {"task_details": [task]}}


@pytest.fixture
def submit(on_kubeflow, monkeypatch):
    """Return a function that submits and gives the exit code and the lines; what is sent was compiled before."""
    compiled = on_kubeflow.compiled.read_text()
    monkeypatch.setattr(submitting, "_compile", lambda file, home, package: package.write_text(compiled))

    def submitted(kubeflow, token=None, namespace=None, **wish):
        lines = []
        server = submitting.Server(kubeflow.url, "https://pages", token, namespace)
        wish = submitting.Wish(poll_s=0.01, **wish)
        code = submitting.submit(on_kubeflow.file, on_kubeflow.home, server, wish, lines.append)
        return code, lines

    return submitted


def test_a_pipeline_is_uploaded_and_started_and_a_second_time_is_a_new_version(submit):
    with kfp_server.running() as kubeflow:
        code, lines = submit(kubeflow, name="first")
        submit(kubeflow)
    assert code == 0
    assert lines == ["taxi: submitted as 'first': https://pages/#/runs/details/r1"]
    assert kubeflow.uploads[0][0] == "taxi"
    assert kubeflow.uploads[0][1].pipeline_info.name == "taxi"
    first, second = kubeflow.runs
    assert first["pipeline_version_reference"] == {"pipeline_id": "p1", "pipeline_version_id": "v1"}
    assert second["pipeline_version_reference"] == {"pipeline_id": "p1", "pipeline_version_id": "v2"}
    assert (first["display_name"], first["service_account"], first["experiment_id"]) == ("first", "runner", "e1")


def test_a_schedule_is_a_recurring_run_that_does_not_catch_up(submit):
    with kfp_server.running() as kubeflow:
        code, lines = submit(kubeflow, name="nightly", cron="0 3 * * *")
    assert code == 0
    assert lines == ["taxi: runs at '0 0 3 * * *': https://pages/#/recurringrun/details/s1"]
    (schedule,) = kubeflow.schedules
    assert schedule["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
    assert (schedule["mode"], schedule["max_concurrency"], schedule["no_catchup"]) == ("ENABLE", 1, True)
    assert kubeflow.runs == []


@pytest.mark.parametrize(
    ("end", "code", "told"),
    [
        (DONE, 0, "taxi: succeeded: https://pages"),
        (failed(), 1, "  Evaluator         failed\n"),
        (failed("Error (exit code 4)\nand more"), 4, "  Evaluator         failed, Error (exit code 4)\n"),
        ({"state": "CANCELED"}, 1, "taxi: canceled: https://pages"),
    ],
)
def test_waiting_ends_as_the_run_does(end, code, told, submit):
    with kfp_server.running() as kubeflow:
        kubeflow.states = [{"state": "PENDING"}, {"state": "RUNNING"}, end]
        ended, lines = submit(kubeflow, wait=True)
    assert ended == code
    assert told in "\n".join(lines)


def test_a_server_that_is_away_for_a_moment_is_waited_for(submit):
    with kfp_server.running() as kubeflow:
        kubeflow.states = [{"state": "RUNNING"}, {}, {}, DONE]
        assert submit(kubeflow, wait=True)[0] == 0


@pytest.mark.parametrize(
    ("token", "told"),
    [("guessed", "refuses the token, got HTTP 401; set KF_PIPELINES_TOKEN"), (None, "no request without a token")],
)
def test_a_wrong_token_is_told_at_once_and_nothing_is_uploaded(token, told, submit):
    with kfp_server.running(token=kfp_server.TOKEN) as kubeflow:
        with pytest.raises(SetupError, match=told) as caught:
            submit(kubeflow, token=token)
        assert kubeflow.requests == []
        assert submit(kubeflow, token=kfp_server.TOKEN)[0] == 0
    assert "guessed" not in str(caught.value)


def test_a_server_that_is_down_is_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    result = CliRunner().invoke(slipway, ["submit", "configs/taxi.yaml"], env={"KF_PIPELINES_ENDPOINT": url})
    assert result.exit_code == 2
    assert re.fullmatch(rf"{url}: no server answers, got .*refused.*; check KF_PIPELINES_ENDPOINT\n", result.output)


def test_a_page_to_log_in_is_no_api(submit):
    with kfp_server.running(page="<html>Log in</html>") as kubeflow, pytest.raises(SetupError, match="is no API of"):
        submit(kubeflow)


def test_what_the_server_refuses_is_told(submit):
    with (
        kfp_server.running() as kubeflow,
        pytest.raises(SetupError, match="HTTP 400: Invalid cron format; see its log"),
    ):
        submit(kubeflow, cron="0 0 0 0 0 0")


def test_a_server_of_several_users_wants_a_namespace(submit):
    with kfp_server.running() as kubeflow:
        kubeflow.multi_user = True
        with pytest.raises(SetupError, match="KF_PIPELINES_NAMESPACE: is not set"):
            submit(kubeflow)
        assert submit(kubeflow, namespace="ada")[0] == 0
        assert submit(kubeflow, namespace="ada")[0] == 0
        assert [run["pipeline_version_reference"]["pipeline_version_id"] for run in kubeflow.runs] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("arguments", "endpoint", "told"),
    [
        ((), "", "KF_PIPELINES_ENDPOINT: no URL of Kubeflow Pipelines, got ''"),
        ((), "pipelines:80", "KF_PIPELINES_ENDPOINT: no URL of Kubeflow Pipelines, got 'pipelines:80'"),
        (("--cron", "0 0 3 * * *", "--wait"), "http://x", "--wait: a schedule has no end"),
        (("--cron", "daily"), "http://x", "--cron: no cron expression, got 'daily'"),
    ],
)
def test_a_mistake_of_the_command_line_is_told_before_anything_is_sent(arguments, endpoint, told):
    environment = {"KF_PIPELINES_ENDPOINT": endpoint}
    result = CliRunner().invoke(slipway, ["submit", "configs/taxi.yaml", *arguments], env=environment)
    assert result.exit_code == 2
    assert result.output.startswith(told)
