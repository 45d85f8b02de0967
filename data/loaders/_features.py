"""The columns of a loader as the features of tf.Examples: each cell a list of values."""

import pyarrow as pa

from data.loaders import _kinds


def as_features(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return columns of n cells as columns of n lists."""
    return pa.RecordBatch.from_arrays([_as_lists(column) for column in batch.columns], batch.schema.names)


def _as_lists(column: pa.Array) -> pa.Array:
    """Return a column of n cells as n lists, null where the cell is empty: a tf.Example's features.

    An empty cell leaves the feature out, so that the schema's presence counts it as missing. TFX's own CsvExampleGen
    writes a feature without values, which TFDV takes for present: no share of empty cells is ever too large for it.
    """
    if _kinds.is_list(column.type):
        return column.cast(pa.list_(pa.float32())) if pa.types.is_float64(column.type.value_type) else column
    if pa.types.is_float64(column.type):
        column = column.cast(pa.float32())
    return _kinds.singles(column)
