"""TensorProto to numpy and back, by the rules of TensorFlow Serving. Source: tensorflow/core/framework/tensor.cc."""

import math
from typing import Any

import numpy as np

from serving.errors import ServingError, invalid
from serving.signature import DTYPES, STRING

# numpy dtype -> the typed field that carries it.
_FIELDS = {
    np.float32: "float_val", np.float64: "double_val", np.int32: "int_val", np.uint8: "int_val", np.int16: "int_val",
    np.int8: "int_val", np.uint16: "int_val", np.int64: "int64_val", np.bool_: "bool_val", np.uint32: "uint32_val",
    np.uint64: "uint64_val", np.object_: "string_val", np.float16: "half_val",
}  # fmt: skip
# Fields whose values numpy takes as they are.
_SINGLE = {kind: _FIELDS[kind] for kind in (np.float32, np.float64, np.int64, np.int32, np.object_)}
_WIDE = {np.uint8: np.int64, np.int16: np.int64, np.int8: np.int64, np.uint16: np.int64}  # they wrap, not overflow
_PAIRS = {np.complex64: "scomplex_val", np.complex128: "dcomplex_val"}
_BFLOAT16 = 14
_MAX_ELEMENTS = 2**31


def to_array(proto: Any, alias: str) -> np.ndarray:
    """Read a TensorProto; too few typed values repeat the last one, none means zeros, surplus ones are dropped.

    Raises:
        ServingError: INVALID_ARGUMENT 'tensor parsing error: <alias>'.
    """
    kind = _numpy_type(proto.dtype)
    dims = proto.tensor_shape
    shape = tuple([dim.size for dim in dims.dim])
    if kind is None or dims.unknown_rank or (shape and min(shape) < 0):
        raise invalid(f"tensor parsing error: {alias}")
    count = math.prod(shape)
    try:
        if count == 1 and kind in _SINGLE and not proto.tensor_content:
            # What a client that asks about one row sends, once for each feature.
            values = getattr(proto, _SINGLE[kind])
            if len(values) == 1:
                return np.array([values[0]], kind).reshape(shape)
        if proto.tensor_content:
            return _from_content(proto, kind, shape, count)
        if count > _MAX_ELEMENTS:
            raise ValueError(count)
        return _from_values(proto, kind, count).reshape(shape)
    except (ValueError, TypeError, OverflowError):
        raise invalid(f"tensor parsing error: {alias}") from None


def _numpy_type(dtype: int) -> Any:
    if dtype == _BFLOAT16:
        import ml_dtypes

        return ml_dtypes.bfloat16
    return DTYPES.get(dtype, ("", None))[1]


def _from_content(proto: Any, kind: Any, shape: tuple[int, ...], count: int) -> np.ndarray:
    if kind is np.object_:
        return _strings_from_content(proto.tensor_content, count).reshape(shape)
    return np.frombuffer(proto.tensor_content, kind).reshape(shape)  # ValueError for content of another length


def _strings_from_content(content: bytes, count: int) -> np.ndarray:
    """The lengths as varints, then all bytes."""
    sizes, at = [], 0
    for _ in range(count):
        size = shift = 0
        while True:
            if at >= len(content):
                raise ValueError("content of the wrong length")
            byte, at = content[at], at + 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        sizes.append(size)
    if at + sum(sizes) != len(content):
        raise ValueError("content of the wrong length")
    array: np.ndarray = np.empty(count, object)
    for number, size in enumerate(sizes):
        array[number] = content[at : at + size]
        at += size
    return array


def _from_values(proto: Any, kind: Any, count: int) -> np.ndarray:
    if kind in _PAIRS:
        pairs = np.array(getattr(proto, _PAIRS[kind]), np.float32 if kind is np.complex64 else np.float64)
        values = pairs[: len(pairs) // 2 * 2].view(kind)
    elif kind is np.object_:
        values = np.empty(len(proto.string_val), object)
        values[:] = list(proto.string_val)
    elif kind is np.float16 or kind not in _FIELDS:
        values = np.array(proto.half_val, np.uint16).view(kind)
    else:
        values = np.array(getattr(proto, _FIELDS[kind])[:], _WIDE.get(kind, kind)).astype(kind, copy=False)
    if len(values) == count:
        return values
    if len(values) > count:
        return values[:count]
    if not len(values):
        return np.zeros(count, kind) if kind is not np.object_ else np.array([b""] * count, object)
    filled = np.empty(count, values.dtype)
    filled[: len(values)] = values
    filled[len(values) :] = values[-1]
    return filled


def fill(proto: Any, array: np.ndarray, dtype: int, *, as_content: bool = False) -> None:
    """Write an array into an empty TensorProto, in its typed field, or as tensor_content.

    Raises:
        ServingError: UNIMPLEMENTED, a dtype no field carries.
    """
    proto.dtype = dtype
    shape = proto.tensor_shape
    shape.SetInParent()
    for size in array.shape:
        shape.dim.add(size=size)
    kind = array.dtype.type
    if as_content and dtype != STRING:
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    elif kind in _PAIRS:
        real = np.float32 if kind is np.complex64 else np.float64
        getattr(proto, _PAIRS[kind]).extend(np.ascontiguousarray(array).reshape(-1).view(real).tolist())
    elif kind is np.float16 or dtype == _BFLOAT16:
        proto.half_val.extend(np.ascontiguousarray(array).reshape(-1).view(np.uint16).tolist())
    elif kind in _FIELDS:
        getattr(proto, _FIELDS[kind]).extend(array.reshape(-1).tolist())
    else:
        raise ServingError("UNIMPLEMENTED", f"no field for an output of dtype {array.dtype}")
