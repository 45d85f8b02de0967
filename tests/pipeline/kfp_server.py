"""A small stand-in of the Kubeflow Pipelines API; it refuses what kfp_server_api's models do not allow."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

TOKEN = "open sesame"
API = "/apis/v2beta1"


class Kubeflow:
    """What the server knows.

    Attributes:
        url: of the server.
        states: those of the next run, one for each look at it; an empty one is an error.
        uploads: the pipelines that were uploaded, as messages, with their names.
        places: the namespaces and names of the pipelines.
        runs, schedules: the requests that made them.
        requests: the method and path of each request.
    """

    def __init__(self) -> None:
        self.url = ""
        self.multi_user = False
        self.states: list[dict[str, Any]] = [{"state": "SUCCEEDED"}]
        self.uploads: list[tuple[str, Any]] = []
        self.places: set[tuple[str | None, str]] = set()
        self.runs: list[dict[str, Any]] = []
        self.schedules: list[dict[str, Any]] = []
        self.requests: list[str] = []

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, kind: str) -> tuple[int, Any]:
        """Return the status and the answer of a request."""
        self.requests.append(f"{method} {path}")
        routes = {
            ("GET", "/healthz"): lambda: {"multi_user": self.multi_user},
            ("GET", "/experiments"): dict,
            ("POST", "/experiments"): lambda: {**_checked("V2beta1Experiment", body), "experiment_id": "e1"},
            ("GET", "/pipelines"): lambda: self._known(query),
            ("POST", "/pipelines/upload"): lambda: self._new(query, body, kind),
            ("POST", "/pipelines/upload_version"): lambda: self._upload(query["name"], body, kind),
            ("GET", "/pipelines/p1/versions"): lambda: {"pipeline_versions": [self._version()]},
            ("POST", "/runs"): lambda: self._started(body),
            ("GET", "/runs/r1"): self._looked_at,
            ("POST", "/recurringruns"): lambda: self._scheduled(body),
        }
        try:
            return 200, routes[method, path.removeprefix(API)]()
        except KeyError:
            return 404, {"message": f"no {path}"}
        except (ValueError, json_format.ParseError) as error:
            return 400, {"message": str(error), "code": 3}

    def _known(self, query: dict[str, str]) -> dict[str, Any]:
        """A namespace's pipelines are told to those who ask with it."""
        (asked,) = json.loads(query["filter"])["predicates"]
        place = (query.get("namespace"), asked["stringValue"])
        return {"pipelines": [{"pipeline_id": "p1"}]} if place in self.places else {}

    def _new(self, query: dict[str, str], body: bytes, kind: str) -> dict[str, Any]:
        place = (query.get("namespace"), query["name"])
        if place in self.places:
            raise ValueError(f"the name {query['name']} is taken")
        self.places.add(place)
        return self._upload(query["name"], body, kind)

    def _upload(self, name: str, body: bytes, kind: str) -> dict[str, Any]:
        part = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload()[0]
        content = list(yaml.safe_load_all(part.get_payload(decode=True)))
        self.uploads.append((name, json_format.ParseDict(content[0], pipeline_spec_pb2.PipelineSpec())))
        return self._version()

    def _version(self) -> dict[str, Any]:
        return {"pipeline_id": "p1", "pipeline_version_id": f"v{len(self.uploads)}"}

    def _started(self, body: bytes) -> dict[str, Any]:
        self.runs.append(_checked("V2beta1Run", body))
        return {**self.runs[-1], "run_id": "r1"}

    def _looked_at(self) -> dict[str, Any]:
        state = self.states.pop(0)
        if not state:
            raise ValueError("away for a moment")
        return {"run_id": "r1", **state}

    def _scheduled(self, body: bytes) -> dict[str, Any]:
        self.schedules.append(_checked("V2beta1RecurringRun", body))
        if "*" not in self.schedules[-1]["trigger"]["cron_schedule"]["cron"]:
            raise ValueError("Invalid cron format\nand more")
        return {**self.schedules[-1], "recurring_run_id": "s1"}


def _checked(model: str, body: bytes) -> dict[str, Any]:
    """Return a request, after kfp_server_api's model has read all of it."""
    content = json.loads(body)
    client = kfp_server_api.ApiClient()
    read = client.deserialize(SimpleNamespace(data=body.decode()), model)
    unknown = set(content) - set(client.sanitize_for_serialization(read))
    if unknown:
        raise ValueError(f"{model} has no {sorted(unknown)}")
    return content


@contextmanager
def running(token: str | None = None, page: str | None = None) -> Iterator[Kubeflow]:
    """Serve until the block ends; with `page`, it is another server that has only this to say."""
    kubeflow = Kubeflow()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if token and self.headers.get("authorization") != f"Bearer {token}":
                status, answer = 401, {"message": "Unauthorized"}
            else:
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                status, answer = kubeflow.answer(
                    self.command, url.path, query, body, self.headers.get("Content-Type") or ""
                )
            self.send_response(200 if page else status)
            self.send_header("Content-Type", "text/html" if page else "application/json")
            self.end_headers()
            self.wfile.write((page or json.dumps(answer)).encode())

        do_GET = do_POST = _answer  # noqa: N815, the names are http.server's

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kubeflow.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kubeflow
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
