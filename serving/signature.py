"""What a SavedModel says of its doors: signatures, their tensors, and the numpy type of each dtype."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

# DataType number -> (TensorFlow's name in messages, numpy dtype or None when numpy has none of its own).
# Source: tensorflow/core/framework/types.proto and DataTypeString.
DTYPES: dict[int, tuple[str, type | None]] = {
    1: ("float", np.float32), 2: ("double", np.float64), 3: ("int32", np.int32), 4: ("uint8", np.uint8),
    5: ("int16", np.int16), 6: ("int8", np.int8), 7: ("string", np.object_), 8: ("complex64", np.complex64),
    9: ("int64", np.int64), 10: ("bool", np.bool_), 11: ("qint8", None), 12: ("quint8", None), 13: ("qint32", None),
    14: ("bfloat16", None), 15: ("qint16", None), 16: ("quint16", None), 17: ("uint16", np.uint16),
    18: ("complex128", np.complex128), 19: ("half", np.float16), 20: ("resource", None), 21: ("variant", None),
    22: ("uint32", np.uint32), 23: ("uint64", np.uint64),
}  # fmt: skip
STRING = 7


def dtype_name(number: int) -> str:
    """TensorFlow's name of a DataType, as its error texts spell it ('float', 'half', 'string')."""
    return DTYPES.get(number, (f"unknown dtype enum ({number})", None))[0]


@dataclass(frozen=True)
class TensorInfo:
    """One named input or output of a signature.

    Attributes:
        alias: the name clients use.
        tensor: the name in the graph, such as 'serving_default_x:0'.
        dtype: DataType number.
        shape: dimensions with -1 for unknown; None when even the rank is unknown.
    """

    alias: str
    tensor: str
    dtype: int
    shape: tuple[int, ...] | None

    @cached_property
    def dtype_name(self) -> str:
        return dtype_name(self.dtype)

    @cached_property
    def numpy_dtype(self) -> type | None:
        """numpy's type for this dtype (object for strings), or None."""
        return DTYPES.get(self.dtype, ("", None))[1]


@dataclass(frozen=True)
class Signature:
    """One signature: what goes in, what comes out; both in the order of their sorted aliases.

    Attributes:
        method_name: what the exporter said it is for; mostly 'tensorflow/serving/predict'.
        defaults: what is fed to an input that a request leaves out.
    """

    name: str
    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    method_name: str
    defaults: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.inputs)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        return tuple(self.outputs)


def read_signatures(signature_defs: Any, to_array: Callable[[Any, str], np.ndarray]) -> dict[str, Signature]:
    """Turn a map of SignatureDef protos into Signatures, by name; `to_array` reads a TensorProto."""
    return {name: _signature(name, proto, to_array) for name, proto in sorted(signature_defs.items())}


def _signature(name: str, proto: Any, to_array: Callable[[Any, str], np.ndarray]) -> Signature:
    # Since TF 2.14; the map is empty for most models.
    defaults = {alias: to_array(value, alias) for alias, value in getattr(proto, "defaults", {}).items()}
    return Signature(name, _tensors(proto.inputs), _tensors(proto.outputs), proto.method_name, defaults)


def _tensors(infos: Any) -> dict[str, TensorInfo]:
    found = {}
    for alias, info in sorted(infos.items()):
        shape = info.tensor_shape
        dims = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
        found[alias] = TensorInfo(alias, info.name, info.dtype, dims)
    return found
