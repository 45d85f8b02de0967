"""The columns of a loader as the features of tf.Examples: each cell a list of values."""

import numpy as np
import pyarrow as pa


def as_features(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return columns of n cells as columns of n lists."""
    return pa.RecordBatch.from_arrays([_as_lists(column) for column in batch.columns], batch.schema.names)


def _as_lists(column: pa.Array) -> pa.Array:
    """Return a column of n cells as n lists of one value, null where the cell is empty: a tf.Example's features.

    An empty cell leaves the feature out, so that the schema's presence counts it as missing. TFX's own CsvExampleGen
    writes a feature without values, which TFDV takes for present: no share of empty cells is ever too large for it.
    """
    if pa.types.is_float64(column.type):
        column = column.cast(pa.float32())
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(valid)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32(), mask=np.append(~valid, False)), column.drop_null())
