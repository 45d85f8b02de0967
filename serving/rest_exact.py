"""A predict body to arrays with every rule and error text of TensorFlow Serving. Source: util/json_tensor.cc."""

from typing import Any

import numpy as np

from serving.base64_text import decode_object, is_base64
from serving.errors import ServingError, invalid
from serving.json_show import show, type_name
from serving.signature import Signature, TensorInfo

_MAX_RANK = 254
_INT32 = (-(2**31), 2**31)
_INTEGERS = {
    "int8": _INT32, "int16": _INT32, "int32": _INT32, "uint8": _INT32,
    "int64": (-(2**63), 2**63), "uint32": (0, 2**32), "uint64": (0, 2**64),
}  # fmt: skip


def tensors(document: dict[str, Any], signature: Signature) -> tuple[dict[str, np.ndarray], bool]:
    """Turn a parsed body into arrays.

    Args:
        document: the top-level object, from json_text.parse.
        signature: names and dtypes of the inputs; shapes play no role.

    Returns:
        Arrays by input name, and whether they came as rows ('instances').

    Raises:
        ServingError: INVALID_ARGUMENT; UNIMPLEMENTED for a dtype JSON cannot carry, in the column form.
    """
    if "instances" in document:
        if "inputs" in document:
            what = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            raise _about(document, what)
        return _rows(document, signature), True
    if "inputs" in document:
        return _named(document["inputs"], signature), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _rows(document: dict[str, Any], signature: Signature) -> dict[str, np.ndarray]:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise _about(document, "Expecting 'instances' to be an list/array")
    if not rows:
        raise _about(document, "No values in 'instances' array")
    as_objects = _is_named(rows[0])
    if not as_objects and len(signature.inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    columns = {name: _Column(info) for name, info in signature.inputs.items()}
    for number, row in enumerate(rows):
        if as_objects:
            _add_object(row, number, columns)
        elif _is_named(row):
            raise invalid(f"Expecting value/list but got object at item {number} of input list")
        else:
            _add(columns[signature.input_names[0]], row, str(number))
    return {name: column.array(len(rows)) for name, column in columns.items()}


def _is_named(value: Any) -> bool:
    """Whether a row is an object by input name, which a base64 object is not."""
    return isinstance(value, dict) and not is_base64(value)


def _add_object(row: Any, number: int, columns: dict[str, "_Column"]) -> None:
    if not _is_named(row):
        raise invalid(f"Expecting object but got list at item {number} of input list")
    for name, value in row.items():
        if name not in columns:
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. "
                f"JSON object: does not have named input: {name}"
            )
        _add(columns[name], value, f"{number} key: {name}")
    if len(row) != len(columns):
        raise invalid(
            f"Failed to process element: {number} of 'instances' list. JSON object: {show(row)} "
            f"keys must be equal to: {','.join(columns)}"
        )


def _add(column: "_Column", value: Any, place: str) -> None:
    try:
        column.add(value)
    except ServingError as error:
        raise invalid(
            f"Failed to process element: {place} of 'instances' list. Error: {error.code}: {error.message}"
        ) from None


class _Column:
    """The elements of one input as they come in, row by row."""

    def __init__(self, info: TensorInfo) -> None:
        self.info = info
        self.flat: list[Any] = []
        self.shape: list[int] | None = None

    def add(self, value: Any) -> None:
        shape = shape_of(value)
        leaves = flatten(value, shape, self.info)
        if self.shape is None:
            self.shape, self.size = shape, len(leaves)
        if len(leaves) != self.size:
            raise invalid(f"Expecting tensor size: {self.size} but got: {len(leaves)}")
        if shape != self.shape:
            raise invalid(f"Expecting shape {_brackets(self.shape)} but got: {_brackets(shape)}")
        self.flat.extend(leaves)

    def array(self, rows: int) -> np.ndarray:
        return to_array(self.flat, [rows, *(self.shape or [])], self.info)


def _named(value: Any, signature: Signature) -> dict[str, np.ndarray]:
    if not _is_named(value):
        if len(signature.inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        value = {signature.input_names[0]: value}
    filled = {}
    for name, info in signature.inputs.items():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        shape = shape_of(value[name])
        filled[name] = to_array(flatten(value[name], shape, info), shape, info)
    return filled


def shape_of(value: Any) -> list[int]:
    """The shape that the first element at each level gives."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    if len(shape) > _MAX_RANK:
        raise invalid(f"Too many dimensions: {len(shape)}; a tensor has at most {_MAX_RANK}")
    return shape


def flatten(value: Any, shape: list[int], info: TensorInfo) -> list[Any]:
    """The converted leaves of nested lists that must have `shape`, in order."""
    leaves: list[Any] = []
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        node, level = pending.pop()
        if not isinstance(node, list):
            if level != len(shape):
                raise invalid(
                    f"JSON Value: {show(node)} found at incorrect level: {level + 1} in the JSON DOM. "
                    f"Expected at level: {len(shape)}"
                )
            leaves.append(convert(node, info.dtype_name))
            continue
        if level >= len(shape):
            raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
        if len(node) != shape[level]:
            raise invalid(
                f"Encountered list at unexpected size: {len(node)} at level: {level} expected size: {shape[level]}"
            )
        pending.extend((item, level + 1) for item in reversed(node))
    return leaves


def convert(value: Any, dtype: str) -> Any:
    """One scalar for a tensor of `dtype`."""
    if dtype in ("float", "double"):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif dtype in _INTEGERS:
        low, high = _INTEGERS[dtype]
        fits = type(value) is int and low <= value < high
    elif dtype == "bool":
        fits = isinstance(value, bool)
    elif dtype == "string":
        if isinstance(value, dict):
            return decode_object(value)
        fits = isinstance(value, bytes)
    else:
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON Value: {show(value)} to type: {dtype}")
    if not fits:
        raise _about(value, f"Type: {type_name(value)} is not of expected type: {dtype}")
    return value


def to_array(leaves: list[Any], shape: list[int], info: TensorInfo) -> np.ndarray:
    """Converted leaves to an array; doubles narrow to float32 by rounding, integers to narrow types by wrapping."""
    kind = info.numpy_dtype or np.float32
    if kind is np.object_:
        array: np.ndarray = np.empty(len(leaves), object)
        array[:] = leaves
    elif kind is np.float32 or kind is np.float64:
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.array(leaves, np.float64).astype(kind)
    else:
        wide = np.uint64 if kind in (np.uint32, np.uint64) else np.int64
        array = np.array(leaves, wide).astype(kind)
    try:
        return array.reshape(shape)
    except ValueError:
        raise invalid(f"Too many dimensions: {len(shape)}; at most 32 can be carried") from None


def _brackets(shape: list[int]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _about(value: Any, what: str) -> ServingError:
    return invalid(f"JSON Value: {show(value)} {what}")
