"""Rows as Python dicts, as JSON and Avro give them: the kinds of their columns, and the columns.

Numbers, texts, bytes, booleans (0 and 1) and lists of them; None and an absent key are a missing value. Where a
column has several kinds, the widest holds: whole numbers become floats, numbers become text.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from data.loaders import _files, _kinds

Row = Mapping[str, Any]
Blocks = Callable[[str], Iterator[Sequence[Row]]]
RecordBatches = Callable[..., Iterator[pa.RecordBatch]]
INT64 = range(-(2**63), 2**63)
KINDS = {
    type(None): pa.null(),
    bool: pa.int64(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.binary(),
    bytes: pa.binary(),
}

# Values that pyarrow takes for a kind.
AS_THEY_ARE: dict[Any, set[type]] = {
    pa.int64(): {type(None), int},
    pa.float64(): {type(None), float},
    pa.binary(): {type(None), str, bytes},
}


def column_types(paths: Sequence[str], blocks: Blocks, options: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """Return the narrowest kind of each column that holds every value of every file.

    Args:
        paths: the files.
        blocks: from a file to its rows, block by block.
        options: `float_columns` are float even where all their values are whole numbers.

    Raises:
        ValueError: there are no rows, or a value is nested.
    """
    kinds: dict[str, pa.DataType] = {}
    for path in paths:
        for rows in blocks(path):
            for name in column_names(rows):
                try:
                    kinds[name] = _kinds.widest([kinds.get(name, pa.null()), _kind(row.get(name) for row in rows)])
                except ValueError as error:
                    raise ValueError(f"{path}: column {name!r}: {error}") from error
    if not kinds:
        raise _files.no_rows(paths)
    return _kinds.settled(kinds, options)


def column_names(rows: Iterable[Row]) -> list[str]:
    """Return the keys of all rows, in the order in which they come up."""
    return list(dict.fromkeys(key for row in rows for key in row))


def record_batches_with(blocks: Blocks) -> RecordBatches:
    """Return the `record_batches` of a loader of rows.

    Args:
        blocks: from a file to its rows, block by block.
    """

    def record_batches(
        path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any] = _files.NO_OPTIONS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one file, a block at a time, as columns of the given types.

        Raises:
            ValueError: as `blocks`.
        """
        for rows in blocks(path):
            columns = [_column([row.get(name) for row in rows], kind) for name, kind in types.items()]
            yield pa.RecordBatch.from_arrays(columns, list(types))

    return record_batches


def _kind(values: Iterable[Any]) -> pa.DataType:
    values = list(values)
    found = set(map(type, values))
    if unknown := found - KINDS.keys() - {list}:
        what = next(value for value in values if type(value) in unknown)
        raise ValueError(f"nested values, got {str(what)[:60]}; flatten them into columns of their own")
    kinds = [KINDS[one] for one in found if one in KINDS]
    if list in found:
        kinds.append(pa.list_(_item_kind([item for value in values if type(value) is list for item in value])))
    if int in found and any(value not in INT64 for value in values if type(value) is int):
        kinds.append(pa.binary())
    return _kinds.widest(kinds)


def _item_kind(items: list[Any]) -> pa.DataType:
    if None in items:
        raise ValueError("a list with an empty item, got null; fill or drop it")
    if nested := [item for item in items if type(item) is list]:
        raise ValueError(f"a list in a list, got {nested[0]}; flatten it into columns of its own")
    return _kind(items)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not _kinds.is_list(kind):
        if not set(map(type, values)) <= AS_THEY_ARE[kind]:
            values = [None if value is None else _scalar(value, kind) for value in values]
        return pa.array(values, kind)
    rows = [value if value is None or type(value) is list else [value] for value in values]
    items = [_scalar(item, kind.value_type) for row in rows if row is not None for item in row]
    lengths = pa.array([None if row is None else len(row) for row in rows], pa.int32())
    return _kinds.lists(pa.array(items, kind.value_type), lengths)


def _scalar(value: Any, kind: pa.DataType) -> Any:
    if kind == pa.binary():
        return value if isinstance(value, str | bytes) else json.dumps(value)
    return float(value) if kind == pa.float64() else int(value)
