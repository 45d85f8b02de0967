"""Avro files as columns. Dates and times become text, decimals floats; records and maps in a record are refused."""

import datetime
import decimal
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pyarrow as pa

from data.loaders import _files, _kinds, _records

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
OPTIONS: dict[str, Any] = {}
BLOCK_ROWS = 4096
# What fastavro raises for bytes that are no Avro.
BROKEN = (ValueError, EOFError, IndexError, KeyError, TypeError, StopIteration, OverflowError, struct.error, zlib.error)

matching_files = _files.matching_files
load = _files.load_with(__name__)


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the fields of the schema in the head of a file.

    Raises:
        ValueError: the file is no Avro file of records.
    """
    with _reader(path) as reader:
        names = [field["name"] for field in reader.writer_schema["fields"]]
    _files.require_names(path, names)
    return names


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the narrowest type of each column that holds every value of every file.

    Raises:
        ValueError: a file is unreadable or cut off, there are no rows, a value is nested, or the columns differ.
    """
    names = column_names(paths[0])
    for path in paths:
        _files.require_same_names(path, column_names(path), paths[0], names)
    return _records.column_types(paths, _blocks, options)


def _blocks(path: str) -> Iterator[list[dict[str, Any]]]:
    with _reader(path) as reader:
        logical = "logicalType" in json.dumps(reader.writer_schema)
        while rows := list(islice(reader, BLOCK_ROWS)):
            yield [{name: _plain(value) for name, value in row.items()} for row in rows] if logical else rows


record_batches = _records.record_batches_with(_blocks)


@contextmanager
def _reader(path: str) -> Iterator[Any]:
    import fastavro

    try:
        with _files.opened(path) as file:
            yield fastavro.reader(file)
    except BROKEN as error:
        text = (
            f"{path}: unreadable Avro file, got {type(error).__name__}: {error}; it may be cut off or of another format"
        )
        raise ValueError(text) from error


def _plain(value: Any) -> Any:
    """Return a value of one of Avro's logical types as text or number."""
    if isinstance(value, datetime.datetime):
        return value.strftime(_kinds.SECONDS)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
