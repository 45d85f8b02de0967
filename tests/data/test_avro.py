"""Avro: TFX's own file, logical types, and what is refused."""

import datetime
import decimal
from pathlib import Path

import fastavro
import pyarrow as pa
import pytest
import tfx

from data.loaders import avro

STOCK = Path(tfx.__path__[0]) / "components/testdata/external/avro/data.avro"


@pytest.fixture
def save(tmp_path):
    """Return a function that writes values of one Avro type as a file and gives its path."""

    def saved(kind, *values, name="rows.avro", field="a"):
        schema = {"type": "record", "name": "row", "fields": [{"name": field, "type": kind}]}
        with (tmp_path / name).open("wb") as file:
            fastavro.writer(file, schema, [{field: value} for value in values])
        return str(tmp_path / name)

    return saved


def _columns(path):
    types = avro.column_types([path])
    (batch,) = avro.record_batches(path, types)
    return types, batch.to_pydict()


def test_the_file_that_tfx_tests_with_is_read():
    types = avro.column_types([str(STOCK)])
    assert sum(batch.num_rows for batch in avro.record_batches(str(STOCK), types)) > 1_000
    assert {"pickup_community_area", "fare", "company"} <= set(avro.column_names(str(STOCK)))
    assert types["fare"] == pa.float64()


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
TIME = {"type": "long", "logicalType": "timestamp-millis"}
NOON = datetime.datetime(2020, 1, 2, 12, 30, 5, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("kind", "values", "expected", "cells"),
    [
        (["null", "long"], [1, None], pa.int64(), [1, None]),
        ("double", [1.0, 2.0], pa.float64(), [1.0, 2.0]),
        ("boolean", [True, False], pa.int64(), [1, 0]),
        ("bytes", [b"\xff"], pa.binary(), [b"\xff"]),
        (["long", "string"], [1, "x"], pa.binary(), [b"1", b"x"]),
        ({"type": "enum", "name": "e", "symbols": ["X"]}, ["X"], pa.binary(), [b"X"]),
        ({"type": "array", "items": "float"}, [[0.5], []], pa.list_(pa.float64()), [[0.5], []]),
        (DECIMAL, [decimal.Decimal("1.25")], pa.float64(), [1.25]),
        ({"type": "int", "logicalType": "date"}, [NOON.date()], pa.binary(), [b"2020-01-02"]),
        (TIME, [NOON], pa.binary(), [b"2020-01-02T12:30:05"]),
        ({"type": "array", "items": TIME}, [[NOON]], pa.list_(pa.binary()), [[b"2020-01-02T12:30:05"]]),
    ],
)
def test_a_type_of_avro_becomes_what_an_example_holds(save, kind, values, expected, cells):
    assert _columns(save(kind, *values)) == ({"a": expected}, {"a": cells})


def test_what_no_example_can_hold_is_told(save):
    path = save({"type": "map", "values": "long"}, {"b": 1})
    with pytest.raises(ValueError, match=r"column 'a': nested values, got \{'b': 1\}"):
        avro.column_types([path])
    with pytest.raises(ValueError, match="no rows"):
        avro.column_types([save("long")])
    with pytest.raises(ValueError, match="other columns than"):
        avro.column_types([save("long", 1, name="1.avro"), save("long", 1, name="2.avro", field="b")])


@pytest.mark.parametrize(
    "cut", [lambda whole: whole[:-30], lambda whole: b"junk" * 20, lambda whole: b"", lambda whole: whole[:20]]
)
def test_a_broken_file_is_told(save, write, cut):
    path = write(cut(Path(save("string", *map(str, range(10_000)))).read_bytes()), "broken.avro")
    with pytest.raises(ValueError, match=r"broken\.avro: unreadable Avro file, got "):
        avro.column_types([path])
