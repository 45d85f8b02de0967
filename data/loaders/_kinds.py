"""The kinds of columns: what a tf.Example can hold, from narrow to wide, and how other types of Arrow become them.

A kind is null (no value seen), int64, float64 (written as float32) or binary, or a list of one of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FROM_NARROW_TO_WIDE = (pa.null(), pa.int64(), pa.float64(), pa.binary())
SECONDS = "%Y-%m-%dT%H:%M:%S"


def is_list(kind: pa.DataType) -> bool:
    """Return whether a type is of lists."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def widest(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """Return the narrowest kind that holds the values of all; a list where one of them is a list."""
    kinds = list(kinds)
    element = max((k.value_type if is_list(k) else k for k in kinds), key=FROM_NARROW_TO_WIDE.index, default=pa.null())
    return pa.list_(element) if any(map(is_list, kinds)) else element


def settled(types: Mapping[str, pa.DataType], options: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """Return the types with float in place of int where the schema says so, and bytes where no value was seen."""
    floats = set(options.get("float_columns", ()))

    def element(name: str, kind: pa.DataType) -> pa.DataType:
        if name in floats and kind in (pa.null(), pa.int64()):
            return pa.float64()
        return pa.binary() if kind == pa.null() else kind

    return {
        name: pa.list_(element(name, kind.value_type)) if is_list(kind) else element(name, kind)
        for name, kind in types.items()
    }


def kind_of(arrow: pa.DataType) -> pa.DataType:
    """Return the kind that holds any type of Arrow: dates and times become text, decimals floats, booleans 0 and 1.

    Raises:
        ValueError: the type is nested.
    """
    is_ = pa.types
    if is_list(arrow) and not is_list(arrow.value_type):
        return pa.list_(kind_of(arrow.value_type))
    if is_.is_dictionary(arrow):
        return kind_of(arrow.value_type)
    if is_.is_null(arrow):
        return pa.null()
    if is_.is_integer(arrow) or is_.is_boolean(arrow):
        return pa.int64()
    if is_.is_floating(arrow) or is_.is_decimal(arrow):
        return pa.float64()
    if is_.is_nested(arrow):
        raise ValueError(f"nested values, got {arrow}; flatten them into columns of their own")
    return pa.binary()


def cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return a column as one of the kind, which is as wide as its own or wider.

    Raises:
        ValueError: a value does not fit, or a list has an empty item.
    """
    if not is_list(kind):
        return _cast_scalars(column, kind)
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), kind)
    if not is_list(column.type):
        return singles(_cast_scalars(column, kind.value_type))
    values = column.flatten()
    if values.null_count:
        raise ValueError(f"a list with an empty item, got {values.null_count} of them; fill or drop them")
    return lists(_cast_scalars(values, kind.value_type), pc.list_value_length(column))


def lists(values: pa.Array, lengths: pa.Array) -> pa.Array:
    """Return values cut into lists.

    Args:
        values: of all lists, one after the other.
        lengths: int of each list; null for a missing one.
    """
    missing = lengths.is_null().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths.fill_null(0).to_numpy(zero_copy_only=False))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32(), mask=np.append(missing, False)), values)


def singles(column: pa.Array) -> pa.Array:
    """Return a column of cells as lists of one value each; null where the cell is."""
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    return lists(column.drop_null(), pa.array(np.ones(len(column)), pa.int32(), mask=~valid))


def _cast_scalars(column: pa.Array, kind: pa.DataType) -> pa.Array:
    is_ = pa.types
    if is_.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_.is_timestamp(column.type):
        # To UTC and to whole seconds: what dates in text are written as.
        column = pc.strftime(column.cast(pa.timestamp(column.type.unit)).cast(pa.timestamp("s"), safe=False), SECONDS)
    if kind == pa.binary() and not (is_.is_binary(column.type) or is_.is_large_binary(column.type)):
        column = column.cast(pa.string())
    return column.cast(kind)
