"""CSV files as columns: types found over the whole file, broken rows refused with their place.

The types are those TFX's CsvExampleGen would give: whole numbers are int64, other numbers float32, all else bytes, and
so are whole numbers that int64 cannot hold. An empty cell is a missing value, in quotes or not. pyarrow reads in
blocks, so memory does not grow with the file.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

from data.loaders import _files, _kinds

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
INT64_END = 2.0**63
# From narrow to wide: a value that does not fit sends its column one step to the right.
WIDER = {pa.null(): pa.int64(), pa.int64(): pa.float64(), pa.float64(): pa.binary()}

matching_files = _files.matching_files
load = _files.load_with(__name__)


def _one_character(value: Any) -> None:
    if not isinstance(value, str) or len(value) != 1:
        raise ValueError(f"must be one character, got {value!r}; for instance ';'")


def _encoding(value: Any) -> None:
    try:
        " ".encode(value)  # not codecs.lookup: that knows codecs that are of no text, as hex
    except (LookupError, TypeError) as error:
        raise ValueError(f"no such encoding, got {value!r}; for instance latin-1 or utf-16") from error


OPTIONS = {"delimiter": _one_character, "encoding": _encoding}


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the header of one CSV file.

    Raises:
        ValueError: the file is empty, or a name is empty or stands twice.
    """
    start = next(_text(path, options), "")
    if len(start) >= _files.BLOCK_BYTES and "\n" not in start:
        raise ValueError(f"{path}: {_files.too_long()}")
    try:
        lines = csv.reader(io.StringIO(start, newline=""), strict=True, delimiter=options.get("delimiter", ","))
        names = next(lines, [])
    except csv.Error as error:
        raise ValueError(f"{path}: unreadable header line, got {error}; save the file as CSV in UTF-8") from error
    if not any(names):
        raise ValueError(f"{path}: no header line, got an empty one; a CSV file starts with its column names")
    _files.require_names(path, names)
    return names


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the narrowest type of each column that holds every value of every file; float at least where asked.

    Reads all files once, plus once more for each column that turns out wider than its first block suggested.

    Raises:
        ValueError: a file is empty or has no rows, a row has too few or too many cells, or the headers differ.
    """
    names = column_names(paths[0], options)
    for path in paths:
        found = column_names(path, options)
        if found != names:
            raise ValueError(f"{path}: other columns than {paths[0]}, got {found}; give every file the header {names}")
        _refuse_broken_text(path, options)
    types = _guess(paths[0], names, options)
    for path in paths:
        while (misfit := _misfit(path, types, options)) is not None:
            types[misfit] = WIDER[types[misfit]]
    return _kinds.settled(types, options)


def record_batches(
    path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any] = _files.NO_OPTIONS
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file in batches of about `BLOCK_BYTES` of text, as columns of the given types.

    Without types, all columns are read, as pyarrow guesses them.

    Raises:
        ValueError: a row has too few or too many cells, or a value is not of its column's type.
    """
    convert = pacsv.ConvertOptions(
        column_types=dict(types), include_columns=list(types), null_values=[""], strings_can_be_null=True
    )
    # One thread: only then does pyarrow know the number of a broken row.
    encoding = options.get("encoding", "utf8")
    read = pacsv.ReadOptions(block_size=_files.BLOCK_BYTES, use_threads=False, encoding=encoding)
    parse = pacsv.ParseOptions(newlines_in_values=True, delimiter=options.get("delimiter", ","))
    try:
        with (
            _files.opened(path) as file,
            pacsv.open_csv(file, read_options=read, parse_options=parse, convert_options=convert) as reader,
        ):
            yield from reader
    except pa.ArrowInvalid as error:
        text = str(error).removeprefix("CSV parse error: ")
        raise ValueError(f"{path}: {_files.too_long() if 'straddles two block' in text else text}") from error


def _text(path: str, options: Mapping[str, Any]) -> Iterator[str]:
    encoding = options.get("encoding", _files.UTF_8)
    return _files.text_blocks(path, encoding, ", or set data.options.encoding, for instance to latin-1")


def _guess(path: str, names: list[str], options: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """Return the types that the first block of a file suggests: a start that `_misfit` corrects."""
    schema = next(record_batches(path, {}, options), pa.RecordBatch.from_pydict({})).schema
    kinds = {name: schema.field(name).type for name in names if name in schema.names}
    return {name: kinds[name] if kinds.get(name) in WIDER else pa.binary() for name in names}


def _misfit(path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any]) -> str | None:
    """Return the first column that holds a value its type cannot, or None when the whole file reads."""
    rows, asked = 0, options.get("float_columns", ())
    guessed = [name for name, kind in types.items() if kind == pa.float64() and name not in asked]
    try:
        for batch in record_batches(path, types, options):
            rows += batch.num_rows
            huge = [name for name in guessed if (pc.max(pc.abs(batch.column(name))).as_py() or 0) >= INT64_END]
            for name in huge:
                if _has_long_integer(path, types, name, options):
                    return name
    except ValueError as error:
        found = re.search(r"In CSV column #(\d+): (?:Row #\d+: )?CSV conversion error", str(error))
        if found is None:
            raise
        return list(types)[int(found[1])]
    if rows == 0:
        raise ValueError(f"{path}: a header but no rows; give at least one row of data")
    return None


def _has_long_integer(path: str, types: Mapping[str, pa.DataType], name: str, options: Mapping[str, Any]) -> bool:
    """Return whether a column has a whole number with more digits than int64: an id, which a float would round."""
    texts = (batch.column(name) for batch in record_batches(path, {**types, name: pa.binary()}, options))
    return any(pc.any(pc.match_substring_regex(text, r"^[+-]?[0-9]{19,}$")).as_py() for text in texts)


def _refuse_broken_text(path: str, options: Mapping[str, Any]) -> None:
    """Raise when bytes are of another encoding, or when a quoted cell is never closed.

    pyarrow would take the rest of the file for that cell.
    """
    quotes = sum(block.count('"') for block in _text(path, options))
    if quotes % 2:
        raise ValueError(f"{path}: a quoted cell is never closed, got {quotes} quote marks; the file may be cut off")
