"""TFRecord files of tf.Example or tf.SequenceExample, gzipped or not, as columns.

A feature with at most one value in every row is a column of single values, any other one a column of lists. Of a
SequenceExample, the context and the feature lists become columns; the steps of a feature list are joined.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.loaders import _files, _kinds

# What TFX's cache must know the code of.
MODULES = (__name__, "data.loaders._example_gen")
PAYLOADS = ("example", "sequence_example")
BLOCK_ROWS = 4096
# How tfx_bsl names the column of all feature lists.
FEATURE_LISTS = "##SEQUENCE##"

matching_files = _files.matching_files
load = _files.load_with(__name__)


def _payload(value: Any) -> None:
    if value not in PAYLOADS:
        raise ValueError(f"no such payload, got {value!r}; there are {', '.join(PAYLOADS)}")


OPTIONS = {"payload": _payload}


def column_names(path: str, options: Mapping[str, Any] = _files.NO_OPTIONS) -> list[str]:
    """Return the features of the first block of a file.

    Raises:
        ValueError: the file is no TFRecord file of such records, or it has none.
    """
    names = list(next(_batches(path, options), pa.RecordBatch.from_pydict({})).schema.names)
    if not names:
        raise _files.no_rows([path])
    return names


def column_types(paths: list[str], options: Mapping[str, Any] = _files.NO_OPTIONS) -> dict[str, pa.DataType]:
    """Return the type of each feature over all rows of all files.

    Raises:
        ValueError: a file is cut off or damaged, there are no rows, or a feature has two types.
    """
    kinds: dict[str, pa.DataType] = {}
    many = set()
    for path in paths:
        for batch in _batches(path, options):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                kinds[name] = _same(path, name, kinds.get(name, pa.null()), column.type)
                if _kinds.is_list(column.type) and (pc.max(pc.list_value_length(column)).as_py() or 0) > 1:
                    many.add(name)
    if not kinds:
        raise _files.no_rows(paths)
    return _kinds.settled({name: pa.list_(kind) if name in many else kind for name, kind in kinds.items()}, options)


def record_batches(
    path: str, types: Mapping[str, pa.DataType], options: Mapping[str, Any] = _files.NO_OPTIONS
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one file in batches of about `BLOCK_BYTES`, as columns of the given types."""
    for batch in _batches(path, options):
        found = dict(zip(batch.schema.names, batch.columns, strict=True))
        columns = [_column(found.get(name, pa.nulls(batch.num_rows)), kind) for name, kind in types.items()]
        yield pa.RecordBatch.from_arrays(columns, list(types))


def _same(path: str, name: str, before: pa.DataType, now: pa.DataType) -> pa.DataType:
    """Return the kind of a feature's values, which no two records may give differently."""
    kind = _kinds.kind_of(now.value_type) if _kinds.is_list(now) else pa.null()
    if pa.null() not in (before, kind) and before != kind:
        raise ValueError(f"{path}: feature {name!r} has two types, got {before} and {kind}; write it as one of them")
    return kind if before == pa.null() else before


def _column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    column = _kinds.cast(column, kind if _kinds.is_list(kind) else pa.list_(kind))
    return column if _kinds.is_list(kind) else _firsts(column)


def _firsts(column: pa.Array) -> pa.Array:
    """Return lists of at most one value as that value, or null."""
    filled = pc.equal(pc.list_value_length(column), 1).fill_null(False)
    places = pc.if_else(filled, pc.cumulative_sum(filled.cast(pa.int64())), None)
    return column.flatten().take(pc.subtract(places, 1))


def _batches(path: str, options: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """Yield the records of a file, decoded, as columns of lists."""
    decode = _sequence_columns if options.get("payload") == "sequence_example" else _example_columns
    records: list[bytes] = []
    size = 0
    for record in _records(path):
        records.append(record)
        size += len(record)
        if len(records) == BLOCK_ROWS or size > _files.BLOCK_BYTES:
            yield _decoded(path, decode, records)
            records, size = [], 0
    if records:
        yield _decoded(path, decode, records)


def _decoded(path: str, decode: Any, records: list[bytes]) -> pa.RecordBatch:
    try:
        return decode(records)
    except (ValueError, RuntimeError) as error:
        text = f"{path}: records that cannot be decoded, got {error}; is data.options.payload right?"
        raise ValueError(text) from error


def _example_columns(records: list[bytes]) -> pa.RecordBatch:
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    return ExamplesToRecordBatchDecoder().DecodeBatch(records)


def _sequence_columns(records: list[bytes]) -> pa.RecordBatch:
    """Decode SequenceExamples; a feature list of one value a step becomes the list of these values."""
    from tfx_bsl.cc.tfx_bsl_extension.coders import SequenceExamplesToRecordBatchDecoder

    batch = SequenceExamplesToRecordBatchDecoder(FEATURE_LISTS).DecodeBatch(records)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    steps = columns.pop(FEATURE_LISTS, None)
    for field in steps.type if steps is not None else ():
        if field.name in columns:
            raise ValueError(f"a feature of the context and a feature list have one name, got {field.name!r}")
        columns[field.name] = _joined(steps.field(field.name))
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _joined(column: pa.Array) -> pa.Array:
    """Return lists of steps, each a list of values, as lists of values."""
    if not _kinds.is_list(column.type) or not _kinds.is_list(column.type.value_type):
        return column
    steps = column.flatten()
    lengths = pc.list_value_length(steps).fill_null(0).to_numpy(zero_copy_only=False)
    before: np.ndarray = np.append(0, lengths.cumsum())
    counts = pc.list_value_length(column)
    ends = counts.fill_null(0).to_numpy(zero_copy_only=False).cumsum()
    values = np.diff(before[np.append(0, ends)])
    missing = counts.is_null().to_numpy(zero_copy_only=False)
    return _kinds.lists(steps.flatten(), pa.array(values, pa.int32(), mask=missing))


def _records(path: str) -> Iterator[bytes]:
    """Yield the records of a file.

    Raises:
        ValueError: the file is no TFRecord file, is cut off, or a checksum is wrong.
    """
    number = 0
    with _files.opened(path) as file:
        while head := file.read(12):
            number += 1
            if len(head) < 12 or not _is_sound(head[:8], head[8:]):
                what = "no TFRecord file" if number == 1 else f"damaged at record {number}"
                raise ValueError(f"{path}: {what}, got {head!r} as its head; it may be cut off or of another format")
            (length,) = struct.unpack("<Q", head[:8])
            record, checksum = file.read(length), file.read(4)
            if not _is_sound(record, checksum):
                text = f"damaged at record {number}, got {len(record):,} bytes of {length:,}; it may be cut off"
                raise ValueError(f"{path}: {text}")
            yield record


def _is_sound(content: bytes, checksum: bytes) -> bool:
    """Return whether bytes have TFRecord's checksum: CRC-32C, rotated and masked."""
    import google_crc32c

    crc = google_crc32c.value(content)
    return checksum == struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
