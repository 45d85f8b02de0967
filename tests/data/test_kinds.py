"""What a column becomes when it is cast to a kind."""

import pyarrow as pa

from data.loaders import _kinds


def test_lists_of_a_fixed_size_become_lists_and_missing_ones_stay_missing():
    column = pa.array([[9.0, 9.0], [1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)).slice(1)
    assert _kinds.cast(column, pa.list_(pa.float64())).to_pylist() == [[1.0, 2.0], None, [3.0, 4.0]]
