"""Ask a model server over REST or gRPC, ours or TensorFlow Serving's.

A transport is a function (method, path, body) -> (status, body); `over_http` makes the usual one. So a client is
tested, or pointed at a server in the same process, without a socket.
"""

import base64
import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

Transport = Callable[[str, str, bytes], tuple[int, bytes]]


class ServerError(Exception):
    """The server refused.

    Attributes:
        status: HTTP status, or the name of the gRPC code.
        message: what the server said.
    """

    def __init__(self, status: int | str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


def over_http(url: str, timeout_s: float = 60.0) -> Transport:
    """A transport over one kept connection per thread.

    Args:
        url: such as 'http://127.0.0.1:8501'.
        timeout_s: for connecting and for each answer.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"url: must be http://host:port, got {url}")
    mine = threading.local()

    def send(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        for attempt in (1, 2):
            connection = getattr(mine, "connection", None)
            kept = connection is not None
            if connection is None:
                connection = mine.connection = http.client.HTTPConnection(
                    str(parts.hostname), parts.port or 80, timeout=timeout_s
                )
            try:
                connection.request(method, path, body or None, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, ConnectionError) as error:
                connection.close()
                mine.connection = None
                if not kept or attempt == 2:  # a kept connection may have been closed for being idle; a new one not
                    if isinstance(error, OSError):
                        raise
                    raise ConnectionError(f"{url} does not speak HTTP, got {error!r}") from error
        raise AssertionError("unreachable")

    return send


class Client:
    """REST. Every method raises ServerError when the server refuses, and OSError when there is none."""

    def __init__(self, url: str = "http://127.0.0.1:8501", *, transport: Transport | None = None) -> None:
        self._send = transport or over_http(url)

    def predict(
        self,
        model: str,
        rows: Sequence[Any],
        *,
        version: int | None = None,
        label: str | None = None,
        signature_name: str = "",
    ) -> list[Any]:
        """Predict rows.

        Args:
            model: its name.
            rows: objects by input name, or bare values for a model with one input; bytes and numpy values are fine.
            version: which version; None the newest one served.
            label: which version by label, such as 'stable'; not together with `version`.
            signature_name: '' means serving_default.

        Returns:
            One element per row: an object by output name, or a bare value when there is one output.
        """
        asked = {"signature_name": signature_name, "instances": [plain(row) for row in rows]}
        return self._ask("POST", path(model, version, label) + ":predict", asked)["predictions"]

    def predict_columns(
        self, model: str, inputs: Mapping[str, Any], *, version: int | None = None, label: str | None = None,
        signature_name: str = "",
    ) -> Any:  # fmt: skip
        """Predict whole columns: arrays by input name in, the same by output name out (bare for one output)."""
        asked = {"signature_name": signature_name, "inputs": plain(dict(inputs))}
        return self._ask("POST", path(model, version, label) + ":predict", asked)["outputs"]

    def status(self, model: str) -> dict[int, str]:
        """The state of every version, by number, newest first."""
        listed = self._ask("GET", path(model), None)["model_version_status"]
        return {int(entry["version"]): entry["state"] for entry in listed}

    def loaded(self, model: str) -> set[int]:
        """The versions that answer."""
        return {version for version, state in self.status(model).items() if state == "AVAILABLE"}

    def labelled(self, model: str, labels: Sequence[str]) -> dict[str, int]:
        """The version each label points to; without those that the server does not know."""
        found = {}
        for label in labels:
            with contextlib.suppress(ServerError):
                answer = self._ask("GET", path(model, label=label) + "/metadata", None)
                found[label] = int(answer["model_spec"]["version"])
        return found

    def metadata(self, model: str, *, version: int | None = None, label: str | None = None) -> dict[str, Any]:
        """SignatureDefs as JSON, by signature name."""
        found = self._ask("GET", path(model, version, label) + "/metadata", None)
        return found["metadata"]["signature_def"]["signature_def"]

    def _ask(self, method: str, target: str, asked: Any) -> Any:
        body = b"" if asked is None else json.dumps(asked).encode()
        status, text = self._send(method, target, body)
        try:
            answer = json.loads(text) if text else {}
        except ValueError:
            answer = {"error": text[:200].decode("utf-8", "replace")}
        if status != 200:
            raise ServerError(status, answer.get("error", ""))
        return answer


class GrpcClient:
    """gRPC's Predict, with arrays; needs TensorFlow's protos, so the first call takes seconds."""

    def __init__(self, address: str = "127.0.0.1:8500", *, channel: Any = None, timeout_s: float = 60.0) -> None:
        import grpc

        whole = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = channel or grpc.insecure_channel(address, options=whole)
        self._timeout_s = timeout_s

    def predict(
        self,
        model: str,
        inputs: Mapping[str, np.ndarray],
        *,
        version: int | None = None,
        label: str | None = None,
        signature_name: str = "",
    ) -> dict[str, np.ndarray]:
        """Arrays by input name to arrays by output name; strings are object arrays of bytes."""
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        from serving.signature import DTYPES
        from serving.tensor_proto import fill, to_array

        numbers = {kind: number for number, (_, kind) in DTYPES.items() if kind is not None}
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature_name
        _specify(request.model_spec, model, version, label)
        for name, array in inputs.items():
            fill(request.inputs[name], array, numbers[array.dtype.type])
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        response = self._call(stub.Predict, request)
        return {name: to_array(proto, name) for name, proto in response.outputs.items()}

    def metadata(self, model: str, *, version: int | None = None, label: str | None = None) -> dict[str, Any]:
        """SignatureDef protos by signature name."""
        from tensorflow_serving.apis import get_model_metadata_pb2, prediction_service_pb2_grpc

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        _specify(request.model_spec, model, version, label)
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        found = get_model_metadata_pb2.SignatureDefMap()
        self._call(stub.GetModelMetadata, request).metadata["signature_def"].Unpack(found)
        return dict(found.signature_def)

    def _call(self, method: Any, request: Any) -> Any:
        import grpc

        try:
            return method(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise ServerError(error.code().name, error.details()) from None

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def _specify(spec: Any, model: str, version: int | None, label: str | None) -> None:
    spec.name = model
    if version is not None:
        spec.version.value = version
    elif label is not None:
        spec.version_label = label


def path(model: str, version: int | None = None, label: str | None = None) -> str:
    """The REST path of a model, a version of it, or a label.

    Raises:
        ValueError: both a version and a label.
    """
    if version is not None and label is not None:
        raise ValueError(f"version and label: give one of them, got {version} and {label}")
    which = f"/versions/{version}" if version is not None else f"/labels/{quote(label, safe='')}" if label else ""
    return f"/v1/models/{quote(model, safe='')}{which}"


def plain(value: Any) -> Any:
    """What JSON can carry: numpy values as lists and numbers, bytes as {"b64": ...} (text when it is UTF-8)."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def question(row: Mapping[str, Any] | Any) -> str:
    """The JSON that asks for one row."""
    return json.dumps({"instances": [plain(row)]}, ensure_ascii=False)


def curl_line(url: str, model: str, row: Mapping[str, Any] | Any, label: str | None = None) -> str:
    """A line to paste into a shell that asks for one row."""
    body = question(row).replace("'", "'\\''")
    return f"curl -d '{body}' {url}{path(model, label=label)}:predict"
