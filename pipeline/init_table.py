"""What `slipway init` looks at: statistics of all rows, and a sample of them as columns of codes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import schema_statistics
from pipeline.raw_rows import RawRows

# Rows drawn for what statistics do not tell: order, pairs of columns, predictions.
SAMPLE_ROWS = 50_000
# Of a column with more different values, only the first ones are counted.
COUNTED_VALUES = 10_000
Kind = Literal["text", "whole numbers", "numbers", "lists"]


@dataclass(frozen=True)
class Column:
    """One column of the sample.

    Attributes:
        name: in the config.
        kind: of its values.
        codes: int [n], the place of each value among the column's different ones, which are sorted; -1 is missing.
        values: the different ones, sorted.
        missing: share of all rows without a value, 0..1.
    """

    name: str
    kind: Kind
    codes: np.ndarray
    values: np.ndarray
    missing: float

    @property
    def distinct(self) -> int:
        """How many different values the sample has."""
        return len(self.values)

    @property
    def known(self) -> np.ndarray:
        """Where the sample has a value, bool [n]."""
        return self.codes >= 0


@dataclass(frozen=True)
class Table:
    """The data.

    Attributes:
        rows: how many there are.
        statistics: TFDV's, of all rows.
        columns: those of the sample, by name.
        label_counts: rows by value of the label, over all rows; of its first `COUNTED_VALUES` values.
        unlabelled: rows without a label.
    """

    rows: int
    statistics: Any
    columns: Mapping[str, Column]
    label_counts: Counter[Any]
    unlabelled: int


def look(rows: RawRows, label: str) -> Table:
    """Read the data twice: for statistics, and for the sample.

    Args:
        rows: the data.
        label: the column to predict.

    Raises:
        DataError: a row is broken.
    """
    counts: Counter[Any] = Counter()
    statistics = schema_statistics.of_batches(_counting(rows.batches(), label, counts))
    unlabelled = counts.pop(None, 0)
    total = statistics.num_examples
    found = schema_statistics.by_column(statistics)
    sample = _sample(rows.batches(), total)
    columns = {
        name: _column(name, sample.column(name).combine_chunks(), 1 - schema_statistics.present(found[name]))
        for name in sample.column_names
    }
    return Table(total, statistics, columns, counts, unlabelled)


def _counting(batches: Iterator[Any], label: str, counts: Counter[Any]) -> Iterator[Any]:
    """Yield the batches as they are, and count the values of the label; None counts what is missing or no number."""
    for batch in batches:
        column = batch.column(batch.schema.get_field_index(label))
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_finite(column), column, None)
        # A label of lists is refused by its kind.
        if len(column) and not pa.types.is_nested(column.type):
            values, numbers = pc.value_counts(column).flatten()
            for found, number in zip(values.to_pylist(), numbers.to_pylist(), strict=True):
                value = found.decode(errors="replace") if isinstance(found, bytes) else found
                if value is None or value in counts or len(counts) < COUNTED_VALUES:
                    counts[value] += number
        yield batch


def _sample(batches: Iterator[Any], total: int) -> pa.Table:
    """Return at most `SAMPLE_ROWS` rows, each as likely as any other, in their order; the same in every call."""
    size = min(total, SAMPLE_ROWS)
    wanted = np.sort(np.random.default_rng(1).choice(total, size, replace=False)) if size else np.array([], int)
    parts, begin, schema = [], 0, None
    for batch in batches:
        end, schema = begin + batch.num_rows, batch.schema
        inside = wanted[np.searchsorted(wanted, begin) : np.searchsorted(wanted, end)] - begin
        parts.append(pa.Table.from_batches([batch]).take(pa.array(inside)))
        begin = end
    return pa.concat_tables(parts) if parts else pa.table([], schema)


def _column(name: str, values: pa.Array, missing: float) -> Column:
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return Column(name, "lists", np.full(len(values), -1), np.array([]), missing)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
        kind: Kind = "numbers"
    elif pa.types.is_integer(values.type):
        kind = "whole numbers"
    else:
        kind = "text"
        words = [None if word is None else word.decode(errors="replace") for word in values.to_pylist()]
        values = pa.array(words, pa.string())
    known = values.is_valid().to_numpy(zero_copy_only=False)
    different, places = np.unique(values.drop_null().to_numpy(zero_copy_only=False), return_inverse=True)
    codes = np.full(len(values), -1)
    codes[known] = places
    return Column(name, kind, codes, different, missing)
