"""Keep a sample of requests and answers, as TFRecord files of PredictionLog: a model's `logging_config`.

`log_collector_config { filename_prefix: "/where/name" }` gives /where/name-<time>-<process>.tfrecord, written by a
thread of its own; `sampling_config { sampling_rate: 0.1 }` keeps a tenth. Source: config/logging_config.proto,
core/request_logger.cc; which collectors there are, TensorFlow Serving leaves to its builder.
"""

import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.catalog import Catalog
from serving.metrics import Metrics
from serving.servable import Servable
from serving.signature import Signature
from serving.tensor_proto import fill

log = logging.getLogger(__name__)
_MOST_WAITING = 1000  # records; when the disk cannot keep up, the rest is dropped and counted
_FLUSH_S = 1.0


class RequestLog:
    """Writes what the config in force asks for; `close` writes the rest."""

    def __init__(self, catalog: Catalog, metrics: Metrics) -> None:
        self._catalog, self._metrics = catalog, metrics
        self._waiting: queue.Queue[tuple[str, str, Callable[[], Any]] | None] = queue.Queue(_MOST_WAITING)
        self._writers: dict[str, Any] = {}
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def wants(self, name: str) -> bool:
        """Decide by chance whether this request of a model is to be kept."""
        model = self._catalog.model(name)
        if model is None or not model.HasField("logging_config"):
            return False
        config = model.logging_config
        rate = config.sampling_config.sampling_rate
        return bool(config.log_collector_config.filename_prefix) and rate > 0 and random.random() < rate

    def put(self, name: str, make: Callable[[], Any]) -> None:
        """Keep one; `make` builds the PredictionLog on the writing thread."""
        model = self._catalog.model(name)
        if model is None:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="request-log", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait((name, model.logging_config.log_collector_config.filename_prefix, make))
        except queue.Full:
            self._metrics.count("request_log_count", name, "RESOURCE_EXHAUSTED")

    def close(self) -> None:
        """Write what waits, and close the files."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _write(self) -> None:
        last_flush = time.monotonic()
        while True:
            try:
                item = self._waiting.get(timeout=_FLUSH_S)
            except queue.Empty:
                item = ("", "", lambda: None)
            if item is None:
                break
            name, prefix, make = item
            if prefix:
                self._write_one(name, prefix, make)
            if time.monotonic() - last_flush >= _FLUSH_S:
                last_flush = time.monotonic()
                for writer in self._writers.values():
                    writer.flush()
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _write_one(self, name: str, prefix: str, make: Callable[[], Any]) -> None:
        try:
            self._writer(prefix).write(make().SerializeToString())
            self._metrics.count("request_log_count", name, "OK")
        except Exception as error:  # noqa: BLE001  (a log must not stop the server)
            log.warning("%s: a request could not be logged: %s", name, error)
            self._metrics.count("request_log_count", name, "UNKNOWN")

    def _writer(self, prefix: str) -> Any:
        if prefix not in self._writers:
            import tensorflow as tf

            Path(prefix).parent.mkdir(parents=True, exist_ok=True)
            path = f"{prefix}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.tfrecord"
            self._writers[prefix] = tf.io.TFRecordWriter(path)
        return self._writers[prefix]


def predict_log(
    servable: Servable, signature: Signature, inputs: dict[str, np.ndarray], outputs: dict[str, np.ndarray]
) -> Any:
    """A PredictionLog of a Predict call."""
    made = _new(servable, signature.name)
    request, response = made.predict_log.request, made.predict_log.response
    _spec(request.model_spec, servable, signature.name)
    _spec(response.model_spec, servable, signature.name)
    for name, array in inputs.items():
        fill(request.inputs[name], array, signature.inputs[name].dtype)
    for name, array in outputs.items():
        fill(response.outputs[name], array, signature.outputs[name].dtype)
    return made


def classify_log(
    servable: Servable, name: str, examples: Sequence[bytes], results: Sequence[Sequence[tuple[bytes, float]]]
) -> Any:
    """A PredictionLog of a Classify call; `results` holds (label, score) pairs per example."""
    made = _new(servable, name)
    _request(made.classify_log.request, servable, name, examples)
    response = made.classify_log.response
    _spec(response.model_spec, servable, name)
    for result in results:
        added = response.result.classifications.add()
        for label, score in result:
            added.classes.add(label=label.decode("utf-8", "replace"), score=score)
    return made


def regress_log(servable: Servable, name: str, examples: Sequence[bytes], values: Sequence[float]) -> Any:
    """A PredictionLog of a Regress call."""
    made = _new(servable, name)
    _request(made.regress_log.request, servable, name, examples)
    _spec(made.regress_log.response.model_spec, servable, name)
    for value in values:
        made.regress_log.response.result.regressions.add(value=value)
    return made


def _new(servable: Servable, signature_name: str) -> Any:
    from tensorflow_serving.apis import prediction_log_pb2

    made = prediction_log_pb2.PredictionLog()
    _spec(made.log_metadata.model_spec, servable, signature_name)
    return made


def _spec(spec: Any, servable: Servable, signature_name: str) -> None:
    spec.name, spec.signature_name = servable.name, signature_name or "serving_default"
    spec.version.value = servable.version


def _request(request: Any, servable: Servable, name: str, examples: Sequence[bytes]) -> None:
    _spec(request.model_spec, servable, name)
    for example in examples:
        request.input.example_list.examples.add().MergeFromString(example)
