"""Run the requests a model brings along before it serves any. Source: saved_model_warmup_util.cc."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving import inference
from serving.errors import ServingError, invalid
from serving.predictor import Predictor
from serving.tensor_proto import to_array

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_MAX_RECORDS = 1000


def run(predictor: Predictor, path: Path, iterations: int = 1) -> int:
    """Replay a version's warm-up file.

    Args:
        predictor: the loaded model.
        path: the version's folder.
        iterations: how often each record is run.

    Returns:
        How many records were read; 0 when there is no file.

    Raises:
        ServingError: the file or a record is wrong, or a request in it fails.
    """
    count = 0
    for count, record in enumerate(_records(path / FILE), 1):
        if count > _MAX_RECORDS:
            raise invalid(f"Number of warmup records exceeds the maximum ({_MAX_RECORDS}); {path / FILE}")
        log = _parse(record)
        for _ in range(max(1, iterations)):
            _replay(predictor, log)
    return count


def _records(file: Path) -> Iterator[bytes]:
    if not file.is_file() or file.stat().st_size == 0:
        return
    import tensorflow as tf

    try:
        yield from tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        what = f"{error.message}. Please verify your warmup data is in TFRecord format"
        raise ServingError("DATA_LOSS", what) from None


def _parse(record: bytes) -> Any:
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise invalid(f"Failed to parse warmup record: {error}") from None


def _replay(predictor: Predictor, log: Any) -> None:
    kind = log.WhichOneof("log_type")
    if kind is None:
        return
    if kind == "predict_log":
        request = log.predict_log.request
        name = request.model_spec.signature_name or "serving_default"
        signature = predictor.signatures.get(name)
        if signature is None:
            raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        inputs = {alias: to_array(tensor, alias) for alias, tensor in request.inputs.items()}
        unknown = sorted(set(inputs) ^ set(signature.inputs))
        if unknown:
            raise invalid(f"warm-up request does not fit signature {name}; inputs that differ: {', '.join(unknown)}")
        predictor.run(signature, inputs, list(request.output_filter) or None)
    elif kind == "classify_log":
        request = log.classify_log.request
        _examples(predictor, request.model_spec.signature_name, request.input, inference.CLASSIFY)
    elif kind == "regress_log":
        request = log.regress_log.request
        _examples(predictor, request.model_spec.signature_name, request.input, inference.REGRESS)
    elif kind == "multi_inference_log":
        request = log.multi_inference_log.request
        for task in request.tasks:
            _examples(predictor, task.model_spec.signature_name, request.input, task.method_name)
    else:
        raise ServingError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")


def _examples(predictor: Predictor, signature_name: str, given: Any, method: str) -> None:
    signature = inference.find(predictor.signatures, signature_name, method, check_method=False)
    predictor.run(signature, {"inputs": inference.examples_tensor(inference.serialized(given))})
