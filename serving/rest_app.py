"""Answer one REST request: route, read, find the model, run, write. No sockets here.

Source: model_servers/http_rest_api_handler.cc; the order of the checks is part of the interface.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from serving import inference, json_text, metadata, request_log, rest_answer, rest_exact, rest_examples, rest_fast
from serving.batching import Batcher, Job, Outputs
from serving.catalog import Catalog
from serving.errors import ServingError, from_exception, invalid
from serving.json_show import show
from serving.metrics import Metrics
from serving.request_log import RequestLog
from serving.rest_url import EmptyBody, Route, route
from serving.servable import Servable
from serving.signature import Signature

log = logging.getLogger(__name__)
Respond = Callable[[int, bytes], None]
_API = {"predict": "predict", "classify": "classify", "regress": "regress", "status": "", "metadata": ""}


@dataclass(eq=False)
class Exchange:
    """A request under way: where its answer goes, and what is recorded of it."""

    respond: Respond
    metrics: Metrics
    started: float
    model: str = ""
    action: str = ""

    def succeed(self, body: bytes) -> None:
        """Answer 200."""
        self.metrics.count("request_count", self.model, "OK")
        micros = (time.perf_counter() - self.started) * 1e6
        self.metrics.observe("request_latency", micros, self.model, _API[self.action], "REST")
        self.respond(200, body)

    def fail(self, failure: BaseException) -> None:
        """Answer with the status of an error; anything but a ServingError is a bug of ours, and is logged."""
        if not isinstance(failure, ServingError):
            log.error("request failed", exc_info=failure)
        error = from_exception(failure)
        self.metrics.count("request_count", self.model, error.code)
        body = b"" if isinstance(error, EmptyBody) else rest_answer.error(error.message)
        self.respond(error.http_status, body)


class RestApp:
    """The REST API over a catalog of models."""

    def __init__(
        self,
        catalog: Catalog,
        batcher: Batcher,
        metrics: Metrics,
        request_log: RequestLog,
        *,
        check_method_name: bool = False,
        max_rows: int = 0,
    ) -> None:
        self._catalog, self._batcher = catalog, batcher
        self._metrics, self._request_log = metrics, request_log
        self._check_method_name = check_method_name
        self._max_rows = max_rows

    def handle(self, method: str, target: str, body: bytes, respond: Respond) -> None:
        """Answer a request whose target matches /v1/.

        Args:
            method: such as 'POST'.
            target: path and query string as sent, as latin-1.
            body: as sent, but already unzipped.
            respond: called once, with the HTTP status and the JSON body; now, or later on the delivery thread.
        """
        exchange = Exchange(respond, self._metrics, time.perf_counter())
        try:
            found = route(method, target)
            exchange.model, exchange.action = found.model, found.action
            if found.action == "predict":
                self._predict(found, body, exchange)
            elif found.action == "status":
                exchange.succeed(metadata.status_json(self._catalog.versions.status(found.model, found.version)))
            elif found.action == "metadata":
                self._metadata(found, exchange)
            else:
                self._examples(found, body, exchange)
        except Exception as error:  # noqa: BLE001  (the client is told)
            exchange.fail(error)

    def _metadata(self, found: Route, exchange: Exchange) -> None:
        servable = self._catalog.acquire(found.model, found.version, found.label)
        try:
            body = metadata.metadata_json(servable)
        finally:
            servable.release()
        exchange.succeed(body)

    def _predict(self, found: Route, body: bytes, exchange: Exchange) -> None:
        document = rest_fast.read(body)
        exact = document is None
        if document is None:
            document = _read_exactly(body)
        name = _signature_name(document)
        servable = self._catalog.acquire(found.model, found.version, found.label)
        try:
            signature = servable.predictor.signatures.get(name or "serving_default")
            if signature is None:
                raise invalid(f'Serving signature name: "{name or "serving_default"}" not found in signature def')
            if not signature.inputs:
                raise invalid(f"Failed to get input map for signature: {name or 'DEFAULT'}")
            read = None if exact else rest_fast.tensors(document, signature)
            inputs, as_rows = read or rest_exact.tensors(document if exact else json_text.parse(body), signature)
            write = rest_answer.rows if as_rows else rest_answer.columns

            def finish(outputs: Outputs) -> bytes:
                if self._request_log.wants(servable.name):
                    make = partial(request_log.predict_log, servable, signature, inputs, outputs)
                    self._request_log.put(servable.name, make)
                return write(signature, outputs)

            self._submit(Job(servable, signature, inputs, self._done(servable, exchange, finish)))
        except BaseException:
            servable.release()
            raise

    def _examples(self, found: Route, body: bytes, exchange: Exchange) -> None:
        document = _read_exactly(body)
        name = _signature_name(document)
        examples = rest_examples.examples(document)
        servable = self._catalog.acquire(found.model, found.version, found.label)
        try:
            method = inference.CLASSIFY if found.action == "classify" else inference.REGRESS
            signature = inference.find(servable.predictor.signatures, name, method, self._check_method_name)

            finish = partial(self._finish_examples, servable, signature, method, examples)
            inputs = {"inputs": inference.examples_tensor(examples)}
            self._submit(Job(servable, signature, inputs, self._done(servable, exchange, finish)))
        except BaseException:
            servable.release()
            raise
        self._metrics.observe("request_example_counts", len(examples), found.model)
        self._metrics.count("request_example_count_total", found.model, by=len(examples))

    def _finish_examples(
        self, servable: Servable, signature: Signature, method: str, examples: list[bytes], outputs: Outputs
    ) -> bytes:
        results: Any
        make: Callable[..., Any]
        if method == inference.CLASSIFY:
            results, make = inference.classifications(signature, outputs, len(examples)), request_log.classify_log
            body = rest_answer.classifications(results)
        else:
            results, make = inference.regressions(signature, outputs, len(examples)), request_log.regress_log
            body = rest_answer.regressions(results)
        if self._request_log.wants(servable.name):
            self._request_log.put(servable.name, partial(make, servable, signature.name, examples, results))
        return body

    def _submit(self, job: Job) -> None:
        if self._max_rows and job.rows > self._max_rows:
            raise invalid(f"rows: too many in one request, got {job.rows}; the limit is {self._max_rows}")
        self._batcher.submit(job)

    def _done(
        self, servable: Servable, exchange: Exchange, finish: Callable[[Outputs], bytes]
    ) -> Callable[[Outputs | None, ServingError | None], None]:
        def done(outputs: Outputs | None, error: ServingError | None) -> None:
            servable.release()
            try:
                if outputs is None:
                    raise error or ServingError("INTERNAL", "no outputs")
                body = finish(outputs)
            except Exception as failure:  # noqa: BLE001  (the client is told)
                exchange.fail(failure)
                return
            api = exchange.action.capitalize()
            micros = (time.perf_counter() - exchange.started) * 1e6
            self._metrics.observe("runtime_latency", micros, exchange.model, api, "TF1")
            exchange.succeed(body)

        return done


def _read_exactly(body: bytes) -> dict[str, Any]:
    document = json_text.parse(body)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {show(document)} Is not object")
    return document


def _signature_name(document: dict[str, Any]) -> str:
    name = document.get("signature_name", "")
    if isinstance(name, bytes):
        return name.decode("utf-8", "surrogateescape")
    if not isinstance(name, str):
        what = "not formatted correctly. 'signature_name' key must be a string value."
        raise invalid(f"JSON Value: {show(document)} {what}")
    return name


def size_of(outputs: Outputs) -> int:
    """How many elements are to be written."""
    return sum(int(np.size(array)) for array in outputs.values())
