"""The cells of one column as numpy sees them: missing or not, groups of equal values, times that can be ordered."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# ISO 8601 with an offset from UTC.
ZONED = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"


def missing(column: pa.Array) -> np.ndarray:
    """Return which cells are empty or no number, bool [n]."""
    null = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_floating(column.type):
        return null | np.isnan(column.to_numpy(zero_copy_only=False))
    return null


def groups(column: pa.Array) -> tuple[list[bytes], np.ndarray]:
    """Return the different values of a column as text, and for each cell the number of its value, int64 [n].

    A whole number and its text are one value; other numbers are those that a tf.Example holds, float32.
    """
    if pa.types.is_floating(column.type):
        column = pc.add(column.cast(pa.float32()), pa.scalar(0, pa.float32()))  # -0.0 becomes 0.0
    encoded = column.dictionary_encode()
    names = [value if isinstance(value, bytes) else str(value).encode() for value in encoded.dictionary.to_pylist()]
    # Cells that are missing get a number too; who must not meet them has refused them before.
    return names or [b""], encoded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)


def times(column: pa.Array, name: str) -> np.ndarray:
    """Return the cells as numbers that rise with time, int64 or float64 [n]: text becomes microseconds since 1970, UTC.

    Args:
        column: numbers, or text in ISO 8601, which loaders make of dates and times; no cell is missing.
        name: of the column, for the message.

    Raises:
        ValueError: a cell is no time.
    """
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column.to_numpy(zero_copy_only=False)
    try:
        return _from_text(column.cast(pa.string()))
    except pa.ArrowInvalid as error:
        bad = next((value for value in column.to_pylist() if not _is_time(value)), None)
        shown = bad.decode(errors="replace") if isinstance(bad, bytes) else bad
        text = f"splits rows by time, got {shown!r}; write times as numbers or as 2026-01-31 or 2026-01-31T23:59:59"
        raise ValueError(f"column {name!r}: {text}") from error


def _from_text(texts: pa.Array) -> np.ndarray:
    zoned = pc.match_substring_regex(texts, ZONED)
    found: np.ndarray = np.zeros(len(texts), np.int64)
    for chosen, zone in ((zoned, "UTC"), (pc.invert(zoned), None)):
        moments = texts.filter(chosen).cast(pa.timestamp("us", zone))
        found[chosen.to_numpy(zero_copy_only=False)] = moments.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _is_time(value: bytes | str) -> bool:
    try:
        _from_text(pa.array([value]).cast(pa.string()))
    except pa.ArrowInvalid:
        return False
    return True
