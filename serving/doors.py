"""Do all doors of a model give the same answer for the same rows?

The doors: `serving_default` (raw features as named tensors), `serving_examples` (the same rows as tf.Examples), and
both again through a server's REST and gRPC ports.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.client import Client, GrpcClient
from serving.errors import ServingError
from serving.predictor import Predictor, as_tensor
from serving.signature import Signature

_KINDS = {"float": "float_list", "double": "float_list", "string": "bytes_list"}


@dataclass(frozen=True)
class Difference:
    """One output of one door against serving_default's in process.

    Attributes:
        worst: the largest absolute difference over all rows, relative where values are above 1; inf for another shape
            or an error; 0 or 1 for text.
        detail: the row that differs most, counted from 1, and what was seen there; '' when nothing differs.
    """

    door: str
    output: str
    worst: float
    detail: str


@dataclass(frozen=True)
class Report:
    """The outcome.

    Attributes:
        rows: how many rows were asked.
        doors: which doors were compared with serving_default.
        differences: one per door and output.
    """

    rows: int
    doors: tuple[str, ...]
    differences: tuple[Difference, ...]
    tolerance: float

    @property
    def agree(self) -> bool:
        """Whether every difference is within the tolerance."""
        return not self.disagreements()

    @property
    def worst(self) -> float:
        """The largest difference of all."""
        return max((found.worst for found in self.differences), default=0.0)

    def disagreements(self) -> list[Difference]:
        """Those beyond the tolerance."""
        return [found for found in self.differences if not found.worst <= self.tolerance]

    def lines(self) -> list[str]:
        """One line per door and output."""
        return [
            f"{found.door} {found.output}: {'DIFFERENT' if found in self.disagreements() else 'same'}, "
            f"worst {found.worst:.3g}{'; ' + found.detail if found.detail else ''}"
            for found in self.differences
        ]


def check(path: str | Path, rows: Sequence[Mapping[str, Any]], **options: Any) -> Report:
    """Load a SavedModel and compare its doors; `options` and errors are those of `compare`."""
    predictor = Predictor(path)
    try:
        return compare(predictor, rows, **options)
    finally:
        predictor.close()


def compare(
    predictor: Predictor,
    rows: Sequence[Mapping[str, Any]],
    *,
    examples: Sequence[bytes] | None = None,
    rest: Client | None = None,
    grpc: GrpcClient | None = None,
    model: str = "",
    version: int | None = None,
    tolerance: float = 1e-6,
) -> Report:
    """Feed the same rows to every door.

    Args:
        predictor: the model.
        rows: raw values by input name of serving_default, one scalar each.
        examples: the same rows as serialized tf.Examples, which may leave values out; None makes them of `rows`.
        rest: a client of a server that serves this model, or None.
        grpc: likewise.
        model: its name at the server.
        version: its version at the server; None the newest one.
        tolerance: the largest difference that counts as the same.

    Raises:
        ValueError: the model has no serving_default or serving_examples, or there are no rows.
        ServingError: serving_default itself fails.
    """
    if not rows:
        raise ValueError("rows: none, got []; give at least one")
    for name in ("serving_default", "serving_examples"):
        if name not in predictor.signatures:
            raise ValueError(f"{predictor.path}: no signature {name}, got {', '.join(predictor.signatures)}")
    signature = predictor.signature("serving_default")
    columns = {name: as_tensor([row[name] for row in rows], info) for name, info in signature.inputs.items()}
    expected = predictor.run(signature, columns)
    serialized = encode(signature, columns) if examples is None else np.array(examples, object)
    answers = list(_answers(predictor, columns, serialized, rest, grpc, model, version))
    found = [d for door, answer in answers for d in _compare(door, expected, answer)]
    return Report(len(rows), tuple(door for door, _ in answers), tuple(found), tolerance)


def encode(signature: Signature, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows as serialized tf.Examples, bytes [n]; floats, integers and text each in their list."""
    from tensorflow.core.example import example_pb2

    count = len(next(iter(columns.values())))
    encoded: np.ndarray = np.empty(count, object)
    for row in range(count):
        example = example_pb2.Example()
        for name, array in columns.items():
            kind = _KINDS.get(signature.inputs[name].dtype_name, "int64_list")
            values = np.asarray(array[row]).reshape(-1).tolist()
            getattr(example.features.feature[name], kind).value.extend(values)
        encoded[row] = example.SerializeToString()
    return encoded


def _answers(
    predictor: Predictor,
    columns: Mapping[str, np.ndarray],
    examples: np.ndarray,
    rest: Client | None,
    grpc: GrpcClient | None,
    model: str,
    version: int | None,
) -> Iterator[tuple[str, dict[str, Any] | Exception]]:
    (examples_input,) = predictor.signature("serving_examples").inputs
    asked = {"serving_default": dict(columns), "serving_examples": {examples_input: examples}}
    yield "serving_examples", _try(predictor.predict, asked["serving_examples"], "serving_examples")
    for name, inputs in asked.items():
        if rest is not None:
            sent = inputs if name == "serving_default" else {examples_input: [_base64(item) for item in examples]}
            answer = _try(rest.predict_columns, model, sent, version=version, signature_name=name)
            outputs = list(predictor.signature(name).outputs)
            bare = len(outputs) == 1 and not isinstance(answer, Exception)
            yield f"REST {name}", {outputs[0]: answer} if bare else answer
        if grpc is not None:
            yield f"gRPC {name}", _try(grpc.predict, model, inputs, version=version, signature_name=name)


def _base64(item: bytes) -> dict[str, str]:
    import base64

    return {"b64": base64.b64encode(item).decode()}


def _try(ask: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return ask(*arguments, **named)
    except (ServingError, OSError, ValueError) as error:
        return error
    except Exception as error:  # noqa: BLE001  (a client's own kind of refusal is a difference too)
        return error


def _compare(door: str, expected: Mapping[str, np.ndarray], answer: Any) -> Iterator[Difference]:
    if isinstance(answer, Exception):
        yield Difference(door, "", float("inf"), f"{type(answer).__name__}: {answer}")
        return
    for name in sorted({*expected, *answer}):
        if name not in expected or name not in answer:
            yield Difference(door, name, float("inf"), "only one of the two has this output")
        else:
            yield _difference(door, name, expected[name], answer[name])


def _difference(door: str, name: str, expected: np.ndarray, got: Any) -> Difference:
    if expected.dtype.kind in "OSU":
        left = [_text(item) for item in expected.ravel().tolist()]
        right = [_text(item) for item in np.asarray(got, object).ravel().tolist()]
        at = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
        if len(left) != len(right):
            return Difference(door, name, float("inf"), f"{len(right)} values instead of {len(left)}")
        return Difference(
            door, name, float(at is not None), "" if at is None else _seen(at, expected, right[at], left[at])
        )
    array = np.asarray(got, np.float64)
    if array.shape != expected.shape:
        return Difference(door, name, float("inf"), f"shape {array.shape} instead of {expected.shape}")
    wide: np.ndarray = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(array - wide) / np.maximum(1.0, np.abs(wide))
    gaps = np.where((array == wide) | (np.isnan(array) & np.isnan(wide)), 0.0, gaps)
    gaps = np.where(np.isnan(gaps), np.inf, gaps)
    worst = float(gaps.max(initial=0.0))
    at = int(gaps.argmax()) if gaps.size else 0
    return Difference(
        door, name, worst, _seen(at, expected, float(array.flat[at]), float(wide.flat[at])) if worst > 0 else ""
    )


def _seen(at: int, expected: np.ndarray, got: Any, wanted: Any) -> str:
    """Say what differs at a flat index of an output [rows, ...]."""
    row = at // max(1, expected.size // max(1, len(expected))) + 1 if expected.ndim else 1
    return f"row {row}: {got!r}, not {wanted!r}"


def _text(item: Any) -> bytes:
    if isinstance(item, dict):
        import base64

        return base64.b64decode(item["b64"])
    return item.encode() if isinstance(item, str) else item
