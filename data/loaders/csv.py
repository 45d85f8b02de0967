"""CSV files as columns: types found over the whole file, broken rows refused with their place.

The types are those TFX's CsvExampleGen would give: whole numbers are int64, other numbers float32, all else bytes, and
so are whole numbers that int64 cannot hold. An empty cell is a missing value, in quotes or not. pyarrow reads in
blocks, so memory does not grow with the file.
"""

import csv
import glob
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

BLOCK_BYTES = 8 << 20
# What TFX's cache must know the code of.
MODULES = ("data.loaders.csv", "data.loaders._csv_example_gen")
INT64_END = 2.0**63
# From narrow to wide: a value that does not fit sends its column one step to the right.
WIDER = {pa.null(): pa.int64(), pa.int64(): pa.float64(), pa.float64(): pa.binary()}


def matching_files(pattern: str) -> list[str]:
    """Return the files a path or glob names, sorted.

    Raises:
        FileNotFoundError: nothing matches.
    """
    files = sorted(path for path in glob.glob(pattern) if os.path.isfile(path))
    if not files:
        raise FileNotFoundError(f"no file matches, got {pattern!r}; check the path")
    return files


def column_names(path: str) -> list[str]:
    """Return the header of one CSV file.

    Raises:
        ValueError: the file is empty, or a name is empty or stands twice.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: unreadable header line, got {error}; save the file as CSV in UTF-8") from error
    if not any(names):
        raise ValueError(f"{path}: no header line, got an empty one; a CSV file starts with its column names")
    for name in names:
        if not name:
            raise ValueError(f"{path}: a column without a name, got {names}; name every column")
        if names.count(name) > 1:
            raise ValueError(f"{path}: two columns have one name, got {name!r}; rename one of them")
    return names


def column_types(paths: list[str], float_columns: Iterable[str] = ()) -> dict[str, pa.DataType]:
    """Return the narrowest type of each column that holds every value of every file; float at least where asked.

    Reads all files once, plus once more for each column that turns out wider than its first block suggested.

    Raises:
        ValueError: a file is empty or has no rows, a row has too few or too many cells, or the headers differ.
    """
    names = column_names(paths[0])
    types = _guess(paths[0], names)
    for path in paths:
        found = column_names(path)
        if found != names:
            raise ValueError(f"{path}: other columns than {paths[0]}, got {found}; give every file the header {names}")
        _refuse_open_quote(path)
        while (misfit := _misfit(path, types, float_columns)) is not None:
            types[misfit] = WIDER[types[misfit]]
    floats = {name for name in float_columns if types.get(name) in (pa.null(), pa.int64())}
    types = {name: pa.float64() if name in floats else kind for name, kind in types.items()}
    return {name: pa.binary() if kind == pa.null() else kind for name, kind in types.items()}


def record_batches(path: str, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file in batches of about `BLOCK_BYTES` of text, as columns of the given types.

    Raises:
        ValueError: a row has too few or too many cells, or a value is not of its column's type.
    """
    options = pacsv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    # One thread: only then does pyarrow know the number of a broken row.
    read = pacsv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
    try:
        with pacsv.open_csv(path, read_options=read, parse_options=_parse_options(), convert_options=options) as reader:
            yield from reader
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path}: {str(error).removeprefix('CSV parse error: ')}") from error


def load(pattern: str, output_config: Any, options: dict[str, Any]) -> Any:
    """Return the ExampleGen node that reads the files a path or glob names.

    Args:
        pattern: absolute path or glob of the CSV files.
        output_config: example_gen_pb2.Output with the splits to make.
        options: JSON; `float_columns` are read as float32 even where all their values happen to be whole numbers,
            `rename` gives columns of the files other names.
    """
    from data.loaders import _csv_example_gen  # TFX takes seconds to import; listing and checking must not

    return _csv_example_gen.csv_example_gen(pattern, output_config, options)


def _parse_options() -> pacsv.ParseOptions:
    return pacsv.ParseOptions(newlines_in_values=True)


def _guess(path: str, names: list[str]) -> dict[str, pa.DataType]:
    """Return the types that the first block of a file suggests: a start that `_misfit` corrects."""
    schema = next(record_batches(path, {}), pa.RecordBatch.from_pydict({})).schema
    kinds = {name: schema.field(name).type for name in names if name in schema.names}
    return {name: kinds[name] if kinds.get(name) in WIDER else pa.binary() for name in names}


def _misfit(path: str, types: dict[str, pa.DataType], float_columns: Iterable[str]) -> str | None:
    """Return the first column that holds a value its type cannot, or None when the whole file reads."""
    rows, guessed = 0, [name for name, kind in types.items() if kind == pa.float64() and name not in float_columns]
    try:
        for batch in record_batches(path, types):
            rows += batch.num_rows
            huge = [name for name in guessed if (pc.max(pc.abs(batch.column(name))).as_py() or 0) >= INT64_END]
            if (long := next((name for name in huge if _has_long_integer(path, types, name)), None)) is not None:
                return long
    except ValueError as error:
        found = re.search(r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error", str(error))
        if found is None:
            raise
        return list(types)[int(found[1])]
    if rows == 0:
        raise ValueError(f"{path}: a header but no rows; give at least one row of data")
    return None


def _has_long_integer(path: str, types: dict[str, pa.DataType], name: str) -> bool:
    """Return whether a column has a whole number with more digits than int64: an id, which a float would round."""
    texts = (batch.column(name) for batch in record_batches(path, {**types, name: pa.binary()}))
    return any(pc.any(pc.match_substring_regex(text, r"^[+-]?[0-9]{19,}$")).as_py() for text in texts)


def _refuse_open_quote(path: str) -> None:
    """Raise when a quoted cell is never closed: pyarrow would take the rest of the file for that cell."""
    with open(path, "rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(BLOCK_BYTES), b""))
    if quotes % 2:
        raise ValueError(f"{path}: a quoted cell is never closed, got {quotes} quote marks; the file may be cut off")
