"""What must hold of splits that somebody else made, and of all: no row is in two of them, and none is empty."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

import numpy as np
import pyarrow as pa

# Of a row that is shown, and of one of its values.
ROW_CHARACTERS, VALUE_CHARACTERS = 200, 40
# What helps against a split without rows, by the way rows are split.
REMEDIES = {
    "hash": "give more rows, or write by: random or stratified",
    "random": "give more rows, or another seed or ratio",
    "group": "give more groups, or another seed or ratio",
}
Encode = Callable[[pa.RecordBatch], list[bytes]]
Rows = Callable[[], Iterable[pa.RecordBatch]]


def refuse_common_rows(splits: Mapping[str, Rows], encode: Encode) -> None:
    """Look whether a row is in two splits; 8 bytes a row.

    Args:
        splits: by name, a function that reads the rows from their beginning.
        encode: from rows to their serialized tf.Examples, the same bytes for the same content.

    Raises:
        ValueError: a line for each two splits with rows in common, with their number and the first of them.
    """
    digests = {
        name: np.fromiter((digest(example) for batch in rows() for example in encode(batch)), np.uint64)
        for name, rows in splits.items()
    }
    found = []
    for one, two in combinations(splits, 2):
        common = np.intersect1d(digests[one], digests[two])
        if len(common):
            row = _first(splits[two], encode, common)
            text = f"the splits {one} and {two} have rows in common, got {len(common):,}, the first {row}"
            found.append(f"{text}; keep each row in one of them, or leave the splitting to data.split")
    if found:
        raise ValueError("\n".join(found))


def refuse_empty(counts: Mapping[str, int], ratio: Mapping[str, int], by: str) -> None:
    """Refuse splits without rows.

    Args:
        counts: rows by split.
        ratio: of the splits, none where the files came split.
        by: the way they were split.

    Raises:
        ValueError: a split is empty.
    """
    empty = [name for name, count in counts.items() if not count]
    if empty:
        rows = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        shares = ", ".join(f"{name}: {share}" for name, share in ratio.items())
        how = f" at {{{shares}}} by {by}" if ratio else ""
        text = f"no rows in the split {' and '.join(empty)}, got {rows} of {sum(counts.values()):,} rows{how}"
        raise ValueError(f"{text}; {REMEDIES.get(by, 'give more rows')}")


def digest(example: bytes) -> int:
    """Return the first 8 bytes of a serialized tf.Example's SHA-256, as a number below 2**64."""
    return int.from_bytes(hashlib.sha256(example).digest()[:8], "big")


def _first(rows: Rows, encode: Encode, digests: np.ndarray) -> str:
    """Return the first row that has one of the digests, as text: `fare=2.5, company=Taxi`."""
    wanted = set(digests.tolist())
    for batch in rows():
        for number, example in enumerate(encode(batch)):
            if digest(example) in wanted:
                (row,) = batch.slice(number, 1).to_pylist()
                cells = (f"{name}={_shown(value)}" for name, value in row.items() if value is not None)
                return ", ".join(cells)[:ROW_CHARACTERS]
    raise LookupError("the rows have changed while they were read")


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text[:VALUE_CHARACTERS]
