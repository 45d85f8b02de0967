"""Texts as columns: a folder with one folder per class, one file a row; or files with one row a line.

The first gives the columns `text` and `label` (the name of the folder), the second, `rows: lines`, `text` alone.
Files are UTF-8, gzipped or not. Of a line or file, white space at both ends is dropped; an empty line is no row, an
empty file is a row whose text is missing.
"""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa

from data.loaders import _files

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
ROWS = ("files", "lines")
INSIDE = "*/*"

matching_files = partial(_files.matching_files, inside=INSIDE)
load = _files.load_with(__name__, INSIDE)


def _rows(value: Any) -> None:
    if value not in ROWS:
        raise ValueError(f"no such kind of rows, got {value!r}; there are {', '.join(ROWS)}")


OPTIONS = {"rows": _rows}


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the columns; they follow from the options."""
    return ["text"] if options.get("rows") == "lines" else ["text", "label"]


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the type of the columns: all are bytes.

    Reads all files.

    Raises:
        ValueError: a file is no UTF-8 text or too long, or there are no rows.
    """
    types = dict.fromkeys(column_names(paths[0], options), pa.binary())
    if not sum(batch.num_rows for path in paths for batch in record_batches(path, types, options)):
        raise _files.no_rows(paths)
    return types


def record_batches(
    path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any] = _files.NO_OPTIONS
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file."""
    if options.get("rows") == "lines":
        for _, lines in _files.line_blocks(path):
            texts = [line.strip() for line in lines if line.strip()]
            yield pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.binary())})
    else:
        label = os.path.basename(os.path.dirname(path))
        columns = {"text": [_whole(path) or None], "label": [label]}
        yield pa.RecordBatch.from_pydict({name: pa.array(cells, pa.binary()) for name, cells in columns.items()})


def _whole(path: str) -> str:
    text = ""
    for block in _files.text_blocks(path):
        text += block
        if len(text) > _files.BLOCK_BYTES:
            raise ValueError(f"{path}: more than {_files.BLOCK_BYTES:,} bytes, got one text; is every file one row?")
    return text.strip()
