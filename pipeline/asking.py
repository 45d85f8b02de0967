"""Ways to ask a model: in this process, a file for phones, over REST, over gRPC. All take columns and give columns."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import names
from pipeline.errors import SetupError

if TYPE_CHECKING:
    from serving.predictor import Predictor

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Model:
    """A model that can be asked.

    Attributes:
        title: what is asked, for people.
        kinds: of its inputs by name: "string", "float", "int" or a TensorFlow dtype.
        predict: from values by input name to values by output name.
    """

    title: str
    kinds: Mapping[str, str]
    predict: Callable[[Columns], Mapping[str, Any]]


def loaded(version: Path) -> "Predictor":
    """Load a pushed version.

    Raises:
        SetupError: it cannot be loaded, or has no signature serving_default.
    """
    from serving.predictor import Predictor

    with _refusals(str(version)):
        predictor = Predictor(version)
        predictor.signature("")
    return predictor


def in_process(version: Path) -> Model:
    """Load a pushed version.

    Raises:
        SetupError: it cannot be loaded.
    """
    from serving import rows

    predictor = loaded(version)
    inputs = predictor.signature("").inputs
    kinds = {name: rows.kind(info.dtype_name) for name, info in inputs.items()}
    return Model(f"{version.parent.name} version {version.name}", kinds, _told(str(version), predictor.predict))


def in_tflite(folder: Path, engine: str) -> Model:
    """Load a file for phones; one that takes transformed features gets them from `preprocessing.json` beside it.

    Args:
        folder: what was pushed for phones with one version.
        engine: "tflite" or "tflite:<variant>".

    Raises:
        SetupError: no such engine, folder or file.
    """
    import numpy as np

    from serving import rows
    from serving.preprocessing import Preprocessing
    from serving.tflite import TfliteModel

    kind, _, variant = engine.partition(":")
    if kind != "tflite":
        raise SetupError(f"slipway predict: no such engine, got {engine!r}; write tflite or tflite:VARIANT")
    try:
        names.require(variant or "float32", [path.stem for path in folder.glob("*.tflite")], what=f"file in {folder}")
        model = TfliteModel(folder / f"{variant or 'float32'}.tflite")
        raw = Preprocessing(folder / "preprocessing.json")
    except ValueError as error:
        raise SetupError(f"slipway predict: {error}") from error

    def predict(columns: Columns) -> Mapping[str, Any]:
        dtypes = {key: object if dtype == "string" else dtype for key, dtype in raw.columns.items()}
        arrays = {key: _array(np, values, dtypes[key]) for key, values in columns.items()}
        return model.predict(raw.for_file(arrays, model.inputs))

    kinds = {name: rows.kind(dtype) for name, dtype in raw.columns.items()}
    return Model(
        f"{folder.parent.name} version {folder.name}, {variant or 'float32'}.tflite", kinds, _told(str(folder), predict)
    )


def over_rest(url: str, name: str, version: int | None = None, label: str | None = None) -> Model:
    """Ask a running server.

    Raises:
        SetupError: there is none, or it does not know the model.
    """
    from serving import rows
    from serving.client import Client

    with _refusals(url):
        client = Client(url)
        signature = _default(client.metadata(name, version=version, label=label), url)
    kinds = {key: rows.kind(info["dtype"].removeprefix("DT_").lower()) for key, info in signature["inputs"].items()}

    def predict(columns: Columns) -> Mapping[str, Any]:
        answer = client.predict_columns(name, columns, version=version, label=label)
        outputs = list(signature["outputs"])
        return {outputs[0]: answer} if len(outputs) == 1 else answer

    return Model(f"{name} at {url}", kinds, _told(url, predict))


def over_grpc(address: str, name: str, version: int | None = None, label: str | None = None) -> Model:
    """Ask a running server.

    Raises:
        SetupError: there is none, or it does not know the model.
    """
    import numpy as np

    from serving import rows
    from serving.client import GrpcClient
    from serving.signature import DTYPES, dtype_name

    with _refusals(address):
        client = GrpcClient(address)
        inputs = _default(client.metadata(name, version=version, label=label), address).inputs
    kinds = {key: rows.kind(dtype_name(info.dtype)) for key, info in inputs.items()}

    def predict(columns: Columns) -> Mapping[str, Any]:
        arrays = {key: _array(np, values, DTYPES[inputs[key].dtype][1]) for key, values in columns.items()}
        return client.predict(name, arrays, version=version, label=label)

    return Model(f"{name} at {address}", kinds, _told(address, predict))


def _array(np: Any, values: list[Any], dtype: Any) -> Any:
    encoded = [value.encode() if isinstance(value, str) else value for value in values]
    return np.array(encoded, dtype)


def _default(signatures: Mapping[str, Any], place: str) -> Any:
    if "serving_default" not in signatures:
        raise SetupError(f"{place}: no signature serving_default, got {', '.join(sorted(signatures))}")
    return signatures["serving_default"]


def _told(place: str, predict: Callable[[Columns], Mapping[str, Any]]) -> Callable[[Columns], Mapping[str, Any]]:
    def told(columns: Columns) -> Mapping[str, Any]:
        with _refusals(place):
            return predict(columns)

    return told


@contextmanager
def _refusals(place: str) -> Iterator[None]:
    """Turn what a server or a model refuses into a SetupError."""
    from serving.client import ServerError
    from serving.errors import ServingError

    try:
        yield
    except ServerError as error:
        if error.status == "UNAVAILABLE":
            raise SetupError(f"{place}: no server answers, got {error}; `slipway serve` starts one") from error
        raise SetupError(f"{place}: the server refuses, got {in_short(error)}") from error
    except ServingError as error:
        raise SetupError(f"{place}: the model refuses, got {in_short(error)}") from error
    except OSError as error:
        raise SetupError(f"{place}: no server answers, got {error}; `slipway serve` starts one") from error
    except (ValueError, OverflowError) as error:
        raise SetupError(f"{place}: cannot be asked, got {error}") from error


def in_short(error: Exception) -> str:
    """Return the first line of an error without the names of TensorFlow's nodes, which stand in double braces."""
    return re.sub(r"\{\{.*?\}\} *", "", str(error).split("\n")[0])
