"""Which split a row goes to: by hash, at random, by time, by group, or stratified by a column.

Every way sends identical rows to one split, whatever the order of the rows and the size of the blocks: what decides is
a hash of the row or the value of a column, compared with borders that a first pass over the rows may have found. A
splitter keeps those borders only, so that it can be sent to workers.
"""

import abc
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from data.loaders import _cells, _guards
from data.loaders._guards import Encode, Rows

# So many refused classes are named; more would hide the message.
NAMED = 5


class Splitter(abc.ABC):
    """A way to split rows; splits are numbered in the order of the ratio."""

    def prepare(self, batches: Iterable[pa.RecordBatch], encode: Encode) -> None:  # noqa: B027, most need no look
        """Look at all rows once, where the way needs it.

        Args:
            batches: all rows of all files.
            encode: from rows to their serialized tf.Examples, the same bytes for the same content.

        Raises:
            ValueError: the rows cannot be split in this way.
        """

    @abc.abstractmethod
    def of(self, batch: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        """Return the number of the split of each row, int64 [n].

        Args:
            batch: n rows.
            examples: the same rows as serialized tf.Examples.
        """


def make(ratio: Mapping[str, int], by: str = "hash", column: str = "", seed: float = 1) -> Splitter:
    """Return the splitter for a way of a config.

    Args:
        ratio: share of the rows by split, at least two.
        by: hash, random, time, group or stratified.
        column: for time, group and stratified.
        seed: for random, group and stratified; another seed draws other splits. JSON's numbers are floats.
    """
    key = f"{seed:.0f}\n".encode()
    ways: dict[str, Callable[[], Splitter]] = {
        "hash": lambda: HashSplitter(ratio),
        "random": lambda: HashSplitter(ratio, key),
        "group": lambda: GroupSplitter(ratio, column, key),
        "time": lambda: TimeSplitter(ratio, column),
        "stratified": lambda: StratifiedSplitter(ratio, column, key),
    }
    return ways[by]()


def prepared(
    inputs: Mapping[str, Rows], ratio: Mapping[str, int], way: Mapping[str, Any], encode: Encode
) -> dict[str, Splitter]:
    """Return the splitter for the rows of each input, after its look at all rows.

    Args:
        inputs: by name, a function that reads the rows from their beginning. Several are splits already.
        ratio: of the splits to make of a single input.
        way: the further arguments of `make`.
        encode: from rows to their serialized tf.Examples, the same bytes for the same content.

    Raises:
        ValueError: the rows cannot be split in this way, or a row is in two splits.
    """
    if not ratio:
        _guards.refuse_common_rows(inputs, encode)
        return {name: ReadyMade(number) for number, name in enumerate(inputs)}
    ((name, rows),) = inputs.items()
    splitter = make(ratio, **way)
    splitter.prepare(rows(), encode)
    return {name: splitter}


class HashSplitter(Splitter):
    """By the sha256 of the serialized example, as TFX does: a row stays in its split for ever.

    Args:
        ratio: hash buckets by split.
        key: goes before each example; another one draws other splits.
    """

    def __init__(self, ratio: Mapping[str, int], key: bytes = b"") -> None:
        self._ends = list(accumulate(ratio.values()))
        self._key = key

    def of(self, batch: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        return self.of_bytes(examples)

    def of_bytes(self, texts: Sequence[bytes]) -> np.ndarray:
        """Return the number of the split of each text, int64 [n]."""
        buckets = [_hash(self._key + text) % self._ends[-1] for text in texts]
        return np.searchsorted(self._ends, buckets, side="right").astype(np.int64)


class GroupSplitter(Splitter):
    """By a hash of a column's value: no group is in two splits, and a group stays in its split for ever."""

    def __init__(self, ratio: Mapping[str, int], column: str, key: bytes) -> None:
        self._hash = HashSplitter(ratio, key)
        self._column = column

    def prepare(self, batches: Iterable[pa.RecordBatch], encode: Encode) -> None:
        """Refuse rows without a group: they are no group of their own."""
        _refuse_missing(self._column, "group", (_cells.missing(_column(batch, self._column)) for batch in batches))

    def of(self, batch: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        groups, numbers = _cells.groups(_column(batch, self._column))
        return self._hash.of_bytes(groups)[numbers]


class TimeSplitter(Splitter):
    """By a column of times: the oldest rows train, the others follow in the order of the ratio.

    Rows of one time are in one split, so the shares are met as nearly as the times allow.
    """

    def __init__(self, ratio: Mapping[str, int], column: str) -> None:
        # Numbers of the splits from old to new.
        self._order = np.array(sorted(range(len(ratio)), key=lambda number: list(ratio)[number] != "train"))
        self._ratio = ratio
        self._column = column
        self._starts = np.array([])

    def prepare(self, batches: Iterable[pa.RecordBatch], encode: Encode) -> None:
        """Find the first time of every split but the oldest; 8 bytes a row."""
        found, missing = [], []
        for batch in batches:
            column = _column(batch, self._column)
            missing.append(_cells.missing(column))
            found.append(_cells.times(column.filter(pa.array(~missing[-1])), self._column))
        _refuse_missing(self._column, "time", missing)
        shares = np.array(list(self._ratio.values()))[self._order]
        try:
            self._starts = _starts(np.concatenate(found), shares)
        except ValueError as error:
            raise ValueError(f"column {self._column!r}: the times {error}; split by: random") from error

    def of(self, batch: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        times = _cells.times(_column(batch, self._column), self._column)
        return self._order[np.searchsorted(self._starts, times, side="right")]


class StratifiedSplitter(Splitter):
    """By a keyed hash within each value of a column, cut at the ratio: every class has its share in every split.

    A class with at least as many different rows as there are splits is in all of them.
    """

    def __init__(self, ratio: Mapping[str, int], column: str, key: bytes) -> None:
        self._shares = np.array(list(ratio.values()))
        self._column, self._key = column, key
        self._starts: dict[bytes, np.ndarray] = {}

    def prepare(self, batches: Iterable[pa.RecordBatch], encode: Encode) -> None:
        """Find the first hash of every split but the first, by class; 8 bytes a row."""
        hashes, missing = defaultdict(list), []
        for batch in batches:
            missing.append(_cells.missing(_column(batch, self._column)))
            found = self._hashes(encode(batch))
            for name, rows in self._rows_by_class(batch):
                hashes[name].append(found[rows])
        _refuse_missing(self._column, "class", missing)
        small = []
        for name, parts in hashes.items():
            try:
                self._starts[name] = _starts(np.concatenate(parts), self._shares)
            except ValueError as error:
                place = f"column {self._column!r}: the rows of class {name.decode(errors='replace')!r}"
                small.append(f"{place} {error}; add rows or drop the class")
        if small:
            more = [f"column {self._column!r}: {len(small) - NAMED} more such classes"] * (len(small) > NAMED)
            raise ValueError("\n".join([*small[:NAMED], *more]))

    def of(self, batch: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        hashes, numbers = self._hashes(examples), np.zeros(batch.num_rows, np.int64)
        for name, rows in self._rows_by_class(batch):
            numbers[rows] = np.searchsorted(self._starts[name], hashes[rows], side="right")
        return numbers

    def _hashes(self, examples: Sequence[bytes]) -> np.ndarray:
        return np.fromiter((_guards.digest(self._key + example) for example in examples), np.uint64, len(examples))

    def _rows_by_class(self, batch: pa.RecordBatch) -> Iterable[tuple[bytes, np.ndarray]]:
        names, numbers = _cells.groups(_column(batch, self._column))
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=len(names)))[:-1]
        return zip(names, np.split(order, ends), strict=True)


class ReadyMade(Splitter):
    """All rows of a file to one split: the files are split already."""

    def __init__(self, number: int) -> None:
        self._number = number

    def of(self, batch: pa.RecordBatch, examples: Sequence[bytes]) -> np.ndarray:
        return np.full(len(examples), self._number, np.int64)


def _hash(text: bytes) -> int:
    return int.from_bytes(hashlib.sha256(text).digest(), "big")


def _starts(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the least value of every split but the first, so that the rows of the splits are nearest to the shares.

    Args:
        values: [n], in any order; equal ones stay together.
        shares: [k], greater than 0.

    Returns:
        [k - 1], rising; no split is empty.

    Raises:
        ValueError: there are fewer than k different values.
    """
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < len(shares):
        raise ValueError(f"cannot fill {len(shares)} splits, got {len(distinct)} different")
    before = np.cumsum(counts) - counts
    chosen = [0]
    for number, goal in enumerate(np.cumsum(shares)[:-1] * (len(values) / shares.sum()), start=1):
        allowed = np.arange(chosen[-1] + 1, len(distinct) - len(shares) + number + 1)
        chosen.append(int(allowed[np.abs(before[allowed] - goal).argmin()]))
    return distinct[chosen[1:]]


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column that splits.

    Raises:
        ValueError: there is none, or its cells are lists.
    """
    if name not in batch.schema.names:
        raise ValueError(f"no column to split by, got {name!r}; there are {', '.join(batch.schema.names)}")
    column = batch.column(batch.schema.names.index(name))
    if pa.types.is_nested(column.type):
        raise ValueError(f"column {name!r}: splits rows, got cells of several values; take one with one value a row")
    return column


def _refuse_missing(name: str, what: str, masks: Iterable[np.ndarray]) -> None:
    rows = missing = 0
    for mask in masks:
        rows, missing = rows + len(mask), missing + int(mask.sum())
    if missing:
        text = f"splits rows by {what}, and {missing:,} of {rows:,} rows have none"
        raise ValueError(f"column {name!r}: {text}; fill them, drop them, or split by: random")
