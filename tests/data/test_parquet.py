"""Parquet: what each type of Arrow becomes, and what is refused."""

import datetime
import decimal

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from data.loaders import _files, parquet

NOON = datetime.datetime(2020, 1, 2, 12, 30, 5, 999, tzinfo=datetime.UTC)


@pytest.fixture
def save(tmp_path):
    """Return a function that writes columns as a Parquet file and gives its path."""

    def saved(name="rows.parquet", **columns):
        pq.write_table(pa.table(columns), tmp_path / name)
        return str(tmp_path / name)

    return saved


def _columns(path, **options):
    types = parquet.column_types([path], options)
    (batch,) = parquet.record_batches(path, types, options)
    return types, batch.to_pydict()


@pytest.mark.parametrize(
    ("column", "kind", "cells"),
    [
        (pa.array([1, None], pa.int8()), pa.int64(), [1, None]),
        (pa.array([True, None]), pa.int64(), [1, None]),
        (pa.array([1.5, None], pa.float32()), pa.float64(), [1.5, None]),
        (pa.array([decimal.Decimal("1.25"), None]), pa.float64(), [1.25, None]),
        (pa.array(["x", "", None]), pa.binary(), [b"x", b"", None]),
        (pa.array([b"\xff", None], pa.large_binary()), pa.binary(), [b"\xff", None]),
        (pa.array(["x", None, "x"]).dictionary_encode(), pa.binary(), [b"x", None, b"x"]),
        (pa.array([NOON.date(), None]), pa.binary(), [b"2020-01-02", None]),
        (pa.array([NOON, None], pa.timestamp("us")), pa.binary(), [b"2020-01-02T12:30:05", None]),
        (pa.array([NOON, None], pa.timestamp("ns", "Europe/Berlin")), pa.binary(), [b"2020-01-02T12:30:05", None]),
        (pa.nulls(2), pa.binary(), [None, None]),
        (pa.array([[1, 2], [], None]), pa.list_(pa.int64()), [[1, 2], [], None]),
        (pa.array([["x"], None]), pa.list_(pa.binary()), [[b"x"], None]),
        (pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)), pa.list_(pa.float64()), [[1.0, 2.0]]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_a_type_of_arrow_becomes_what_an_example_holds(save, column, kind, cells):
    assert _columns(save(a=column)) == ({"a": kind}, {"a": cells})


def test_files_of_other_types_and_order_are_one_table(save, tmp_path):
    paths = [save("1.parquet", a=[1, 2], b=["x", "y"]), save("2.parquet", b=["z"], a=[1.5])]
    types = parquet.column_types(paths)
    assert types == {"a": pa.float64(), "b": pa.binary()}
    rows = [row for path in paths for batch in parquet.record_batches(path, types) for row in batch.to_pylist()]
    assert rows == [{"a": 1.0, "b": b"x"}, {"a": 2.0, "b": b"y"}, {"a": 1.5, "b": b"z"}]


def test_numbers_beside_text_are_text(save):
    paths = [save("1.parquet", a=[1, 2]), save("2.parquet", a=["x"])]
    types = parquet.column_types(paths)
    (batch,) = parquet.record_batches(paths[0], types)
    assert batch.to_pydict() == {"a": [b"1", b"2"]}


def test_a_column_is_float_where_the_schema_says_so(save):
    assert _columns(save(a=[1], b=[[1]]), float_columns=["a", "b"])[1] == {"a": [1.0], "b": [[1.0]]}


def test_large_rows_come_in_small_batches(save, monkeypatch):
    monkeypatch.setattr(_files, "BLOCK_BYTES", 1 << 16)
    path = save(a=[bytes([i]) * (1 << 15) for i in range(20)])
    sizes = [batch.num_rows for batch in parquet.record_batches(path, parquet.column_types([path]))]
    assert sum(sizes) == 20
    assert max(sizes) < 20


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": pa.array([], pa.int64())}, "no rows"),
        ({"a": pa.array([{"b": 1}])}, "column 'a': nested values, got struct<b: int64>"),
        ({"a": pa.array([[[1]]])}, "column 'a': nested values"),
        ({"a": pa.array([[1, None]])}, "column 'a': a list with an empty item"),
        ({"a": pa.array([2**63], pa.uint64())}, "column 'a': Integer value 9223372036854775808 not in range"),
        ({"": pa.array([1])}, "a column without a name"),
    ],
)
def test_what_no_example_can_hold_is_told(save, columns, sentence):
    path = save(**columns)
    with pytest.raises(ValueError, match=r"got |Integer value") as error:
        list(parquet.record_batches(path, parquet.column_types([path])))
    assert str(error.value).startswith(path)
    assert sentence in str(error.value)


def test_files_with_other_columns_are_told(save):
    with pytest.raises(ValueError, match="other columns than"):
        parquet.column_types([save("1.parquet", a=[1]), save("2.parquet", b=[1])])


def test_a_damaged_page_is_told(save):
    path = save(a=[str(i) for i in range(10_000)])
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 2_000)
    with pytest.raises(ValueError, match="unreadable Parquet file"):
        list(parquet.record_batches(path, parquet.column_types([path])))
