"""PredictionService: Predict, Classify, Regress, MultiInference, GetModelMetadata.

Source: model_servers/prediction_service_impl.cc, servables/tensorflow/predict_util.cc, multi_inference.cc.
"""

import asyncio
import threading
import time
from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np

from serving import inference, request_log
from serving.batching import Batcher, Job, Outputs
from serving.catalog import Catalog
from serving.errors import ServingError, invalid
from serving.grpc_status import answering
from serving.metadata import signature_map
from serving.metrics import Metrics
from serving.request_log import RequestLog
from serving.servable import Servable
from serving.signature import Signature, dtype_name
from serving.tensor_proto import fill, to_array


class PredictionService:
    """The servicer; `answering` turns ServingErrors into gRPC statuses and counts requests."""

    def __init__(
        self,
        catalog: Catalog,
        batcher: Batcher,
        metrics: Metrics,
        log: RequestLog,
        *,
        check_method_name: bool = False,
        as_content: bool = False,
    ) -> None:
        self.metrics = metrics
        self._catalog, self._batcher, self._log = catalog, batcher, log
        self._check_method_name, self._as_content = check_method_name, as_content

    @answering("Predict")
    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run any signature on tensors."""
        from tensorflow_serving.apis import predict_pb2

        servable = self._acquire(request)
        try:
            signature = _signature(servable, request.model_spec.signature_name or "serving_default")
            inputs = _inputs(signature, request.inputs)
            wanted = _wanted(signature, request.output_filter)
            outputs = await self._run(servable, signature, inputs, wanted)
            response = predict_pb2.PredictResponse()
            _fill_spec(response.model_spec, servable, signature.name)
            for name, array in outputs.items():
                fill(response.outputs[name], array, signature.outputs[name].dtype, as_content=self._as_content)
            if self._log.wants(servable.name):
                self._log.put(servable.name, partial(request_log.predict_log, servable, signature, inputs, outputs))
            return response
        finally:
            servable.release()

    @answering("Classify")
    async def Classify(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Labels and scores for Examples."""
        from tensorflow_serving.apis import classification_pb2

        response = classification_pb2.ClassificationResponse()
        await self._examples(request, response, inference.CLASSIFY)
        return response

    @answering("Regress")
    async def Regress(self, request: Any, context: Any) -> Any:  # noqa: N802
        """One value for each Example."""
        from tensorflow_serving.apis import regression_pb2

        response = regression_pb2.RegressionResponse()
        await self._examples(request, response, inference.REGRESS)
        return response

    async def _examples(self, request: Any, response: Any, method: str) -> None:
        servable = self._acquire(request)
        try:
            name = request.model_spec.signature_name
            signature = inference.find(servable.predictor.signatures, name, method, self._check_method_name)
            examples = inference.serialized(request.input)
            inputs = {"inputs": inference.examples_tensor(examples)}
            outputs = await self._run(servable, signature, inputs, None)
            results = _results(method, signature, outputs, len(examples), response.result)
            _fill_spec(response.model_spec, servable, signature.name)
            self.metrics.observe("request_example_counts", len(examples), servable.name)
            self.metrics.count("request_example_count_total", servable.name, by=len(examples))
            if self._log.wants(servable.name):
                make = request_log.classify_log if method == inference.CLASSIFY else request_log.regress_log
                self._log.put(servable.name, partial(make, servable, signature.name, examples, results))
        finally:
            servable.release()

    @answering("MultiInference", counted=False)
    async def MultiInference(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Several classify and regress tasks on the same Examples."""
        from tensorflow_serving.apis import inference_pb2

        if not request.tasks:
            raise invalid("ModelSpec has no name specified.")
        servable = self._catalog.acquire(*which(request.tasks[0].model_spec))
        try:
            signatures = [self._task(servable, request, task) for task in request.tasks]
            if len({s.name for s in signatures}) != len(signatures):
                raise invalid(f"Duplicate evaluation of signature: {_twice(signatures)}")
            examples = inference.serialized(request.input)
            inputs = {"inputs": inference.examples_tensor(examples)}
            response = inference_pb2.MultiInferenceResponse()
            for task, signature in zip(request.tasks, signatures, strict=True):
                outputs = await self._run(servable, signature, inputs, None)
                result = response.results.add()
                _fill_spec(result.model_spec, servable, signature.name)
                target = (
                    result.classification_result if task.method_name == inference.CLASSIFY else result.regression_result
                )
                _results(task.method_name, signature, outputs, len(examples), target)
            return response
        finally:
            servable.release()

    def _task(self, servable: Servable, request: Any, task: Any) -> Signature:
        if not task.model_spec.name:
            raise invalid("ModelSpec has no name specified.")
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        name = task.model_spec.signature_name or "serving_default"
        if name not in servable.predictor.signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in (inference.CLASSIFY, inference.REGRESS):
            raise ServingError("UNIMPLEMENTED", f"Unsupported signature method_name: {task.method_name}")
        return inference.find(servable.predictor.signatures, name, task.method_name, self._check_method_name)

    @answering("GetModelMetadata", counted=False)
    async def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The signatures of a model."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        servable = self._acquire(request)
        try:
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = servable.name
            response.model_spec.version.value = servable.version
            response.metadata["signature_def"].Pack(signature_map(servable))
            return response
        finally:
            servable.release()

    def _acquire(self, request: Any) -> Servable:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        return self._catalog.acquire(*which(request.model_spec))

    async def _run(
        self, servable: Servable, signature: Signature, inputs: dict[str, np.ndarray], wanted: tuple[str, ...] | None
    ) -> Outputs:
        """Run a job. The version stays in use until the graph is done with it, even if the client has gone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outputs] = loop.create_future()
        here, started = threading.get_ident(), time.perf_counter()

        def settle(outputs: Outputs | None, error: ServingError | None) -> None:
            if future.done():
                return
            if outputs is None:
                future.set_exception(error or ServingError("INTERNAL", "no outputs"))
            else:
                future.set_result(outputs)

        def done(outputs: Outputs | None, error: ServingError | None) -> None:
            servable.release()
            if threading.get_ident() == here:
                settle(outputs, error)
            else:
                loop.call_soon_threadsafe(settle, outputs, error)

        servable.share()
        try:
            self._batcher.submit(Job(servable, signature, inputs, done, wanted))
        except BaseException:
            servable.release()
            raise
        outputs = await future
        micros = (time.perf_counter() - started) * 1e6
        self.metrics.observe("runtime_latency", micros, servable.name, "Predict", "TF1")
        return outputs


def which(spec: Any) -> tuple[str, int | None, str | None]:
    """Name, version and label of a ModelSpec."""
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return spec.name, version, spec.version_label if choice == "version_label" else None


def _fill_spec(spec: Any, servable: Servable, signature_name: str) -> None:
    spec.name, spec.signature_name = servable.name, signature_name
    spec.version.value = servable.version


def _signature(servable: Servable, name: str) -> Signature:
    signature = servable.predictor.signatures.get(name)
    if signature is None:
        raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
    return signature


def _inputs(signature: Signature, given: Any) -> dict[str, np.ndarray]:
    sent = dict(given)
    if sent.keys() != signature.inputs.keys():
        _require_inputs(signature, sent.keys())
    arrays: dict[str, np.ndarray] = {}
    for name, info in signature.inputs.items():
        if (proto := sent.get(name)) is None:
            continue
        if proto.dtype != info.dtype and proto.dtype:
            expects, got = info.dtype_name, dtype_name(proto.dtype)
            raise invalid(f"Expects arg[{len(arrays)}] to be {expects} but {got} is provided")
        arrays[name] = to_array(proto, name)
    return arrays


def _require_inputs(signature: Signature, sent: Collection[str]) -> None:
    extra = sorted(set(sent) - set(signature.inputs))
    missing = sorted(set(signature.inputs) - set(sent) - set(signature.defaults))
    if extra or missing:
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(signature.inputs)} "
            f"len({{{','.join(sorted(sent))}}}) != len({{{','.join(signature.inputs)}}}). "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )


def _wanted(signature: Signature, output_filter: Any) -> tuple[str, ...] | None:
    if not output_filter:
        return None
    seen: list[str] = []
    for name in output_filter:
        if name not in signature.outputs:
            known = ",".join(signature.outputs)
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set {{{known}}}."
            )
        if name in seen:
            raise invalid(f"duplicate output tensor alias: {name}")
        seen.append(name)
    return tuple(seen)


def _results(method: str, signature: Signature, outputs: Outputs, count: int, target: Any) -> Any:
    """Fill a ClassificationResult or a RegressionResult; returns what was put in."""
    target.SetInParent()
    if method == inference.REGRESS:
        values = inference.regressions(signature, outputs, count)
        for value in values.tolist():
            target.regressions.add(value=value)
        return values
    results = inference.classifications(signature, outputs, count)
    for result in results:
        added = target.classifications.add()
        for label, score in result:
            added.classes.add(label=label.decode("utf-8", "replace"), score=score)
    return results


def _twice(signatures: list[Signature]) -> str:
    names = [signature.name for signature in signatures]
    return next(name for name in names if names.count(name) > 1)
