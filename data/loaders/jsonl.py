"""JSON lines, gzipped or not, as columns: one object a line, types found over the whole file.

A key that a line lacks, and null, are a missing value. A column is looked up in the first block of a file only where
a config is checked: a rare key that comes up later than that is found by a curated schema.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa

from data.loaders import _files, _records

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
OPTIONS: dict[str, Any] = {}
# orjson makes a float of a longer number, which would round an id.
LONG_NUMBER = re.compile(r"[0-9]{20}")

matching_files = _files.matching_files
load = _files.load_with(__name__)


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the keys of the first block of a file.

    Raises:
        ValueError: a line is no JSON object, or there is none.
    """
    names = _records.column_names(next(_blocks(path), []))
    if not names:
        raise _files.no_rows([path])
    _files.require_names(path, names)
    return names


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the narrowest type of each column that holds every value of every file.

    Raises:
        ValueError: there are no rows, a line is no JSON object, or a value is nested.
    """
    return _records.column_types(paths, _blocks, options)


def _blocks(path: str) -> Iterator[list[dict[str, Any]]]:
    for first, lines in _files.line_blocks(path):
        rows = [_row(path, number, line) for number, line in enumerate(lines, start=first) if line.strip()]
        if rows:
            yield rows


record_batches = _records.record_batches_with(_blocks)


def _row(path: str, number: int, line: str) -> dict[str, Any]:
    try:
        row = _by_python(line) if LONG_NUMBER.search(line) else orjson.loads(line)
    except ValueError as error:
        row = _row_with_nan(path, number, line, error)
    if not isinstance(row, dict):
        raise ValueError(f"{path}: line {number}: no JSON object, got {line[:60]!r}; write one object a line")
    return row


def _row_with_nan(path: str, number: int, line: str, error: ValueError) -> Any:
    """Return a line that has NaN or Infinity, which Python writes and JSON has not.

    Raises:
        ValueError: the line is no JSON for another reason too.
    """
    try:
        return _by_python(line)
    except ValueError:
        raise ValueError(
            f"{path}: line {number}: no JSON, got {line[:60]!r} ({error}); write one object a line"
        ) from error


def _by_python(line: str) -> Any:
    row = json.loads(line)
    json.dumps(row, ensure_ascii=False).encode()  # raises for half of a pair of surrogates: no text can hold it
    return row
