"""Parquet files as columns. Dates and times become text, decimals floats, booleans 0 and 1; no nested types."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from data.loaders import _files, _kinds

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
OPTIONS: dict[str, Any] = {}
MOST_ROWS = 1 << 16

matching_files = _files.matching_files
load = _files.load_with(__name__)


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the columns of one file, from its footer.

    Raises:
        ValueError: the file is no Parquet file, or a name is empty or stands twice.
    """
    with _opened(path) as file:
        names = list(file.schema_arrow.names)
    _files.require_names(path, names)
    return names


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the type of each column, as wide as the widest of all files.

    Raises:
        ValueError: a file is unreadable or cut off, there are no rows, a type is nested, or the columns differ.
    """
    names, rows = column_names(paths[0]), 0
    kinds: dict[str, pa.DataType] = dict.fromkeys(names, pa.null())
    for path in paths:
        _files.require_same_names(path, column_names(path), paths[0], names)
        with _opened(path) as file:
            rows += file.metadata.num_rows
            for field in file.schema_arrow:
                with _told(path, field.name):
                    kinds[field.name] = _kinds.widest([kinds[field.name], _kinds.kind_of(field.type)])
    if not rows:
        raise _files.no_rows(paths)
    return _kinds.settled(kinds, options)


def record_batches(
    path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any] = _files.NO_OPTIONS
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file in batches of about `BLOCK_BYTES`, as columns of the given types.

    Raises:
        ValueError: the file is damaged, or a value does not fit its column's type.
    """
    with _opened(path) as file:
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        rows = int(_files.BLOCK_BYTES * file.metadata.num_rows / max(size, 1))
        for batch in file.iter_batches(batch_size=min(max(rows, 1), MOST_ROWS)):
            columns = []
            for name, kind in types.items():
                with _told(path, name):
                    columns.append(_kinds.cast(batch.column(batch.schema.get_field_index(name)), kind))
            yield pa.RecordBatch.from_arrays(columns, list(types))


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    from pyarrow import parquet

    try:
        with open(path, "rb") as file:
            yield parquet.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, PermissionError | FileNotFoundError):
            raise
        raise ValueError(
            f"{path}: unreadable Parquet file, got {error}; it may be cut off or of another format"
        ) from error


@contextmanager
def _told(path: str, name: str) -> Iterator[None]:
    """Say in which column a value is wrong."""
    try:
        yield
    except (ValueError, NotImplementedError) as error:
        raise ValueError(f"{path}: column {name!r}: {error}") from error
