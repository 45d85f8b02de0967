"""Our reading of CSV against TFX's own CsvExampleGen: the same examples, but for empty cells."""

from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen.csv_example_gen import executor as stock
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from data.loaders import _csv_example_gen as ours
from data.sources import taxi
from pipeline.build import BEAM_ARGS

SPLITS = {"train": 2, "eval": 1}


@pytest.fixture
def read(tmp_path):
    """Return a function from an executor and a glob to its serialized examples by split."""

    def examples(executor, pattern, **options):
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / executor.__module__ / str(len(list(tmp_path.glob("*/*")))))
        splits = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=count) for name, count in SPLITS.items()]
        output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))
        split = example_gen_pb2.Input.Split(name="rows", pattern=Path(pattern).name)
        custom = example_gen_pb2.CustomConfig()
        custom.custom_config.Pack(json_format.ParseDict(options, struct_pb2.Struct()))
        properties = {
            "input_base": str(Path(pattern).parent),
            "input_config": json_format.MessageToJson(example_gen_pb2.Input(splits=[split])),
            "output_config": json_format.MessageToJson(output),
            "custom_config": json_format.MessageToJson(custom),
            "output_data_format": example_gen_pb2.FORMAT_TF_EXAMPLE,
            "output_file_format": example_gen_pb2.FORMAT_TFRECORDS_GZIP,
        }
        executor(BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS)).Do({}, {"examples": [artifact]}, properties)
        assert artifact.split_names == '["train", "eval"]'
        files = {name: sorted(str(path) for path in Path(artifact.uri, f"Split-{name}").iterdir()) for name in SPLITS}
        return {name: list(tf.data.TFRecordDataset(f, "GZIP").as_numpy_iterator()) for name, f in files.items()}

    return examples


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
    expected, found = (read(executor, taxi.SOURCE.locate(Path())) for executor in (stock.Executor, ours.Executor))
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
    for row in read(ours.Executor, taxi.SOURCE.locate(Path()))["eval"]:
        assert row == tf.train.Example.FromString(row).SerializeToString(deterministic=True)


def test_odd_cells_become_what_tfx_makes_of_them(read, tmp_path):
    lines = [",".join(CELLS), *(",".join(cells) for cells in zip(*CELLS.values(), strict=True))]
    (tmp_path / "odd.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    expected, found = (read(executor, str(tmp_path / "odd.csv")) for executor in (stock.Executor, ours.Executor))
    assert _rows(found) == _rows(expected)


def test_an_empty_cell_has_no_kind_so_that_the_schema_counts_it_as_missing(read, tmp_path):
    (tmp_path / "gaps.csv").write_text("a,b\n1,x\n,x\n")
    rows = [row for split in read(ours.Executor, str(tmp_path / "gaps.csv")).values() for row in split]
    kinds = [tf.train.Example.FromString(row).features.feature["a"].WhichOneof("kind") for row in rows]
    assert sorted(kinds, key=str) == [None, "int64_list"]


def test_a_row_stays_in_its_split_and_in_its_order_in_every_run_and_beside_other_files(read, tmp_path):
    for name, start in (("1", 0), ("2", 300)):
        rows = "".join(f"{number},x\n" for number in range(start, start + 300))
        (tmp_path / f"{name}.csv").write_text(f"number,word\n{rows}")
    alone, again, both = (read(ours.Executor, str(tmp_path / pattern)) for pattern in ("1.csv", "1.csv", "*.csv"))
    assert alone == again
    for split, rows in alone.items():
        assert both[split][: len(rows)] == rows
    assert sum(map(len, both.values())) == 600


def test_a_column_is_float_where_the_schema_says_so(read, tmp_path):
    (tmp_path / "whole.csv").write_text("size\n1\n2\n")
    found = read(ours.Executor, str(tmp_path / "whole.csv"), float_columns=["size"])
    values = [tf.train.Example.FromString(row).features.feature["size"] for row in found["train"] + found["eval"]]
    assert sorted(value.float_list.value[0] for value in values) == [1.0, 2.0]


def test_a_column_gets_the_name_that_the_config_gives_it(read, tmp_path):
    (tmp_path / "spaces.csv").write_text("mean radius,other\n1.5,2\n")
    found = read(ours.Executor, str(tmp_path / "spaces.csv"), rename={"mean radius": "mean_radius"})
    (row,) = found["train"] + found["eval"]
    assert set(tf.train.Example.FromString(row).features.feature) == {"mean_radius", "other"}
