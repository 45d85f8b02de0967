"""Names of a config for the columns of files, whatever their format."""

from collections.abc import Mapping

import pyarrow as pa


def renamed(batch: pa.RecordBatch, rename: Mapping[str, str]) -> pa.RecordBatch:
    """Return the columns under the names that `data.rename` gives them; one that it does not list keeps its own."""
    return pa.RecordBatch.from_arrays(batch.columns, [rename.get(name, name) for name in batch.schema.names])
