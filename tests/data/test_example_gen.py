"""The ExampleGen of all formats: against TFX's own CsvExampleGen, and the same rows in every format."""

import gzip
import json
from collections import Counter
from pathlib import Path

import fastavro
import pyarrow as pa
import pytest
import tensorflow as tf
from pyarrow import parquet as pq
from tfx.components.example_gen.csv_example_gen import executor as stock

from data.loaders import _example_gen, csv
from data.sources import taxi
from tests.conftest import serialized

EXECUTORS = (stock.Executor, _example_gen.Executor)


def _without_empty(serialized):
    """Return the bytes of an example without the features that have no value."""
    example = tf.train.Example.FromString(serialized)
    features = example.features.feature
    for name in list(features):
        kind = features[name].WhichOneof("kind")
        if kind is None or not getattr(features[name], kind).value:
            del features[name]
    return example.SerializeToString(deterministic=True)


def _rows(splits):
    return Counter(_without_empty(row) for rows in splits.values() for row in rows)


def test_taxi_examples_are_those_of_tfx_but_for_empty_cells(read):
    expected, found = (read(taxi.SOURCE.locate(Path()), executor=executor) for executor in EXECUTORS)
    assert _rows(found) == _rows(expected)
    share = len(found["train"]) / 15_002
    assert share == pytest.approx(2 / 3, abs=0.02)


CELLS = {
    "number": ["1", "-0", "007", " 5", "9223372036854775807"],
    "real": ["1.5", "2", "-1e5", "nan", "3.4e39"],
    "with gaps": ["1", "", '""', "", "2"],
    "id": ["9223372036854775808", "1", "2", "3", "4"],
    "word": ['"a,b"', '"a ""b"" c"', '"two\nlines"', "Größe", " a "],
    "quoted": ['"1"', '"2"', '""', '"4"', '"5"'],
    "mixed": ["1", "1.5", "x", "NULL", "true"],
    "date": ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04", "2020-01-05"],
    "empty": ["", "", "", "", ""],
}


def test_bytes_of_an_example_depend_on_its_content_alone_since_they_decide_its_split(read):
    for row in read(taxi.SOURCE.locate(Path()))["eval"]:
        assert row == tf.train.Example.FromString(row).SerializeToString(deterministic=True)


def test_odd_cells_become_what_tfx_makes_of_them(read, tmp_path):
    lines = [",".join(CELLS), *(",".join(cells) for cells in zip(*CELLS.values(), strict=True))]
    (tmp_path / "odd.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    expected, found = (read(str(tmp_path / "odd.csv"), executor=executor) for executor in EXECUTORS)
    assert _rows(found) == _rows(expected)


def test_an_empty_cell_has_no_kind_so_that_the_schema_counts_it_as_missing(read, tmp_path):
    (tmp_path / "gaps.csv").write_text("a,b\n" + "".join(f"{number},x\n,x{number}\n" for number in range(10)))
    rows = [row for split in read(str(tmp_path / "gaps.csv")).values() for row in split]
    kinds = [tf.train.Example.FromString(row).features.feature["a"].WhichOneof("kind") for row in rows]
    assert sorted(kinds, key=str) == [None] * 10 + ["int64_list"] * 10


def test_a_row_stays_in_its_split_and_in_its_order_in_every_run_and_beside_other_files(read, tmp_path):
    for name, start in (("1", 0), ("2", 300)):
        rows = "".join(f"{number},x\n" for number in range(start, start + 300))
        (tmp_path / f"{name}.csv").write_text(f"number,word\n{rows}")
    alone, again, both = (read(str(tmp_path / pattern)) for pattern in ("1.csv", "1.csv", "*.csv"))
    assert alone == again
    for split, rows in alone.items():
        assert both[split][: len(rows)] == rows
    assert sum(map(len, both.values())) == 600


def test_a_column_is_float_where_the_schema_says_so(read, tmp_path):
    (tmp_path / "whole.csv").write_text("size\n1\n2\n")
    found = read(str(tmp_path / "whole.csv"), float_columns=["size"])
    values = [tf.train.Example.FromString(row).features.feature["size"] for row in found["train"] + found["eval"]]
    assert sorted(value.float_list.value[0] for value in values) == [1.0, 2.0]


def test_a_column_gets_the_name_that_the_config_gives_it(read, tmp_path):
    (tmp_path / "spaces.csv").write_text("mean radius,other\n" + "".join(f"{number}.5,x\n" for number in range(20)))
    found = read(str(tmp_path / "spaces.csv"), rename={"mean radius": "mean_radius"})
    for row in found["train"] + found["eval"]:
        assert set(tf.train.Example.FromString(row).features.feature) == {"mean_radius", "other"}


def _given(row):
    """Return a row without its missing values, as most programs write it."""
    return {name: value for name, value in row.items() if value is not None}


def _csv_gz(rows, types, path):
    path.write_bytes(gzip.compress(path.with_name("trips.csv").read_bytes()))


def _jsonl(rows, types, path):
    path.write_text("\n".join(map(json.dumps, rows)))


def _jsonl_gz(rows, types, path):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(_given(row)) for row in rows))


def _parquet(rows, types, path):
    arrow = {name: pa.string() if kind == pa.binary() else kind for name, kind in types.items()}
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(arrow)), path, row_group_size=5_000)


def _avro(rows, types, path):
    names = {pa.int64(): "long", pa.float64(): "double", pa.binary(): "string"}
    fields = [{"name": name, "type": ["null", names[kind]]} for name, kind in types.items()]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "trip", "fields": fields}, rows)


def _tfrecord(rows, types, path):
    with tf.io.TFRecordWriter(str(path), "GZIP" if path.suffix == ".gz" else None) as writer:
        for row in rows:
            writer.write(serialized(_given(row)))


FORMATS = {
    "trips.csv.gz": _csv_gz,
    "trips.jsonl": _jsonl,
    "trips.jsonl.gz": _jsonl_gz,
    "trips.parquet": _parquet,
    "trips.avro": _avro,
    "trips.tfrecord": _tfrecord,
    "trips.tfrecord.gz": _tfrecord,
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_rows_are_the_same_examples_in_the_same_splits_in_every_format(read, name, tmp_path):
    table = tmp_path / "trips.csv"
    header, *lines = Path(taxi.SOURCE.locate(Path())).read_text().splitlines(keepends=True)
    # Formats without a header know a column only from a row that has it; few have a census tract.
    place = header.split(",").index("pickup_census_tract")
    table.write_text("".join([header, *lines[:3_000], next(line for line in lines if line.split(",")[place])]))
    types = csv.column_types([str(table)])
    rows = [row for batch in csv.record_batches(str(table), types) for row in batch.to_pylist()]
    decoded = [{key: v.decode() if isinstance(v, bytes) else v for key, v in row.items()} for row in rows]
    FORMATS[name](decoded, types, tmp_path / name)
    expected = read(str(table))
    assert len(expected["train"]) > len(expected["eval"]) > 800
    assert read(str(tmp_path / name), name.split(".")[1]) == expected
