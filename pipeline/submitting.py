"""`slipway submit`: upload a pipeline to Kubeflow Pipelines, start it or set a schedule, and follow the run."""

import contextlib
import io
import json
import os
import re
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.config_file import ConfigFile
from pipeline.errors import DATA_REFUSED, DONE, NOT_BLESSED, STEP_FAILED, SetupError
from pipeline.home import Home
from pipeline.screen import logged_to

SOCKET_TIMEOUT_S = 30.0
# A run may take days, and a server or the way to it may be away for a moment.
ANSWERS_MISSED = 10
ENDED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """Where Kubeflow Pipelines is.

    Attributes:
        url: of its API, without /apis.
        page_url: of its pages for people.
        token: a bearer token, or None.
        namespace: of the user, where there are several.
    """

    url: str
    page_url: str
    token: str | None = None
    namespace: str | None = None


@dataclass(frozen=True)
class Wish:
    """What to do with an uploaded pipeline.

    Attributes:
        name: of the run or of the schedule; None makes one.
        cron: times to run at; None runs now.
        wait: follow the run.
        poll_s: seconds between two looks at it.
    """

    name: str | None = None
    cron: str | None = None
    wait: bool = False
    poll_s: float = 5.0


def server_of_environment() -> Server:
    """Return the server that KF_PIPELINES_ENDPOINT and its like name.

    Raises:
        SetupError: none is named, or not by a URL.
    """
    url, read = os.environ.get("KF_PIPELINES_ENDPOINT", "").rstrip("/"), os.environ.get
    if not re.match(r"https?://[^/]", url):
        raise SetupError(
            f"KF_PIPELINES_ENDPOINT: no URL of Kubeflow Pipelines, got {url!r}; set it, such as http://127.0.0.1:8080"
        )
    pages = read("KF_PIPELINES_UI_ENDPOINT", "").rstrip("/") or url
    return Server(url, pages, read("KF_PIPELINES_TOKEN") or None, read("KF_PIPELINES_NAMESPACE") or None)


def schedule(cron: str) -> str:
    """Return a cron expression as KFP wants it, with the seconds first; five fields, as crontab has them, get a 0.

    Raises:
        SetupError: it has another number of fields.
    """
    fields = cron.split()
    if len(fields) == 6 or cron.startswith("@"):
        return cron
    if len(fields) == 5:
        return " ".join(["0", *fields])
    raise SetupError(f"--cron: no cron expression, got {cron!r}; six fields, seconds first: '0 0 3 * * *' is at 3:00")


def submit(file: ConfigFile, home: Home, server: Server, wish: Wish, say: Say) -> int:
    """Compile, upload and start a pipeline, or set its schedule; return the exit code.

    Args:
        file: the config.
        home: of this machine, for the log.
        server: where to.
        wish: what to do there.
        say: prints a line.

    Raises:
        SetupError: the server is not there or refuses.
        ConfigError: the config cannot run on a cluster.
    """
    if wish.cron and wish.wait:
        raise SetupError("--wait: a schedule has no end, got --cron too; drop one")
    cron = schedule(wish.cron) if wish.cron else None
    with _refusals(server), tempfile.TemporaryDirectory() as folder:
        client, package = _client(server), Path(folder) / "pipeline.yaml"
        _compile(file, home, package)
        name = wish.name or f"{file.config.name} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        what = _uploaded(client, server, file, package, name)
        if cron:
            with _quiet():
                schedule_id = client.create_recurring_run(
                    job_name=name, cron_expression=cron, no_catchup=True, **what
                ).recurring_run_id
            say(f"{file.config.name}: runs at {cron!r}: {server.page_url}/#/recurringrun/details/{schedule_id}")
            return DONE
        with _quiet():
            run_id = client.run_pipeline(job_name=name, **what).run_id
        page = f"{server.page_url}/#/runs/details/{run_id}"
        say(f"{file.config.name}: submitted as {name!r}: {page}")
        return _follow(client, run_id, wish.poll_s, page, file.config.name, say) if wish.wait else DONE


def _compile(file: ConfigFile, home: Home, package: Path) -> None:
    """Compile with TFX's noise in a log."""
    from pipeline.runners import kubeflow

    with logged_to(home.root / "compile.log") as screen, screen.working_on("loading TFX"):
        kubeflow.compile(file, home, package)


def _client(server: Server) -> Any:
    """Return kfp's client of a server that has answered.

    kfp's client asks a server five times whether it is well, five seconds apart, whatever it answers; so it is asked
    here first, once.
    """
    with _quiet():
        import kfp
        import kfp_server_api

    settings = kfp_server_api.Configuration(host=server.url)
    if server.token:
        settings.api_key["authorization"], settings.api_key_prefix["authorization"] = server.token, "Bearer"
    with kfp_server_api.ApiClient(settings) as api:
        answer = kfp_server_api.HealthzServiceApi(api).healthz_service_get_healthz(_preload_content=False)
    try:
        several_users = json.loads(answer.data).get("multi_user")
    except (AttributeError, ValueError) as error:  # another server's page, or one to log in
        raise SetupError(
            f"{server.url}: is no API of Kubeflow Pipelines, got {answer.data[:40]!r}; check KF_PIPELINES_ENDPOINT"
        ) from error
    if several_users and not server.namespace:
        raise SetupError(f"KF_PIPELINES_NAMESPACE: is not set, got no value; {server.url} has several: name yours")
    with _quiet():
        # "kubeflow" is kfp's word for: one user, who needs no namespace.
        return kfp.Client(host=server.url, namespace=server.namespace or "kubeflow", existing_token=server.token)


def _uploaded(client: Any, server: Server, file: ConfigFile, package: Path, name: str) -> dict[str, Any]:
    """Upload a pipeline, or a new version of it; return what names it to the client."""
    called = file.config.name
    with _quiet():
        experiment = client.create_experiment(called, namespace=server.namespace)
        pipeline_id = _known(client, called, server.namespace)
        if pipeline_id is None:
            pipeline_id = client.upload_pipeline(str(package), called, namespace=server.namespace).pipeline_id
            newest = client.list_pipeline_versions(pipeline_id, page_size=1, sort_by="created_at desc")
            version = newest.pipeline_versions[0]
        else:
            version = client.upload_pipeline_version(str(package), f"{name} {time.time_ns():x}", pipeline_id)
    section = file.config.kubeflow
    return {
        "experiment_id": experiment.experiment_id,
        "pipeline_id": pipeline_id,
        "version_id": version.pipeline_version_id,
        "service_account": section.service_account if section else None,
    }


def _known(client: Any, called: str, namespace: str | None) -> str | None:
    """Return the id of the pipeline of that name, or None. kfp's own get_pipeline_id finds none with a namespace."""
    equals = 1
    of_that_name = {"operation": equals, "key": "display_name", "stringValue": called}
    found = client.list_pipelines(filter=json.dumps({"predicates": [of_that_name]}), namespace=namespace).pipelines
    return found[0].pipeline_id if found else None


def _follow(client: Any, run_id: str, poll_s: float, page: str, name: str, say: Say) -> int:
    """Print what becomes of each step until the run ends; return the exit code."""
    told: dict[str, str] = {}
    missed = 0
    while True:
        try:
            run = client.get_run(run_id)
            missed = 0
        except Exception as error:
            missed += 1
            if getattr(error, "status", None) in (401, 403) or missed > ANSWERS_MISSED:
                say(f"{name}: the run goes on, but cannot be followed: {page}")
                raise
            time.sleep(poll_s)
            continue
        tasks = (run.run_details.task_details if run.run_details else None) or []
        for task in tasks:
            if task.state in ENDED and told.get(task.display_name) != task.state:
                told[task.display_name] = task.state
                say(f"  {task.display_name:<18}{task.state.lower()}{_message(task.error)}")
        if run.state in ENDED:
            say(f"{name}: {run.state.lower()}{_message(run.error)}: {page}")
            return DONE if run.state == "SUCCEEDED" else _exit_code([task.error for task in tasks] + [run.error])
        time.sleep(poll_s)


def _message(error: Any) -> str:
    return f", {error.message.splitlines()[0]}" if error and error.message else ""


def _exit_code(errors: list[Any]) -> int:
    """Return the exit code of a failed run: that of its step, where the server tells it, else 1."""
    told = re.findall(r"exit (?:code|status):? (\d+)", " ".join(error.message or "" for error in errors if error))
    return next((code for code in (DATA_REFUSED, NOT_BLESSED) if str(code) in told), STEP_FAILED)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what kfp prints beside its answers."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _refusals(server: Server) -> Iterator[None]:
    """Put what a server, or the lack of one, says into a line."""
    import kfp_server_api
    import urllib3

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SOCKET_TIMEOUT_S)
    try:
        yield
    except kfp_server_api.ApiException as error:
        if not error.status:
            what = f"no safe connection, got {_told(error)}; check KF_PIPELINES_ENDPOINT"
        elif error.status in (401, 403):
            missing = "takes no request without a token" if server.token is None else "refuses the token"
            what = f"{missing}, got HTTP {error.status}; set KF_PIPELINES_TOKEN to a valid one"
        elif error.status == 404:
            what = "knows no such thing, got HTTP 404; is KF_PIPELINES_ENDPOINT the URL of Kubeflow Pipelines 2?"
        else:
            what = f"the server refuses, got HTTP {error.status}: {_told(error)}; see its log"
        raise SetupError(f"{server.url}: {what}") from error
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        what = re.sub(r"^<.*?>: ", "", str(reason))
        raise SetupError(f"{server.url}: no server answers, got {what}; check KF_PIPELINES_ENDPOINT") from error
    finally:
        socket.setdefaulttimeout(before)


def _told(error: Any) -> str:
    """Return the first line of what a server says about a request that it refuses."""
    try:
        content = json.loads(error.body)
    except (TypeError, ValueError):
        content = {}
    text = content.get("message") or content.get("error") if isinstance(content, dict) else None
    return str(text or error.reason or "no reason").splitlines()[0]
