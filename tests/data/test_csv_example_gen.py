"""Our reading of CSV against TFX's own CsvExampleGen: the same examples, but for empty cells."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.example_gen.csv_example_gen import executor as stock
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from data.loaders import _csv_example_gen as ours
from data.loaders import _inputs
from data.sources import taxi
from pipeline.build import BEAM_ARGS

SPLITS = {"train": 2, "eval": 1}


@pytest.fixture
def read(tmp_path):
    """Return a function from an executor and a glob, or globs by split, to its serialized examples by split."""

    def examples(executor, pattern, ratio=SPLITS, **options):
        inputs = pattern if isinstance(pattern, dict) else {"rows": [pattern]}
        ratio = ratio if len(inputs) == 1 else {}
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / executor.__module__ / str(len(list(tmp_path.glob("*/*")))))
        splits = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=count) for name, count in ratio.items()]
        output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits) if splits else None)
        properties = _inputs.node(inputs, output, options, executor).exec_properties
        executor(BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS)).Do({}, {"examples": [artifact]}, properties)
        names = list(ratio or inputs)
        assert json.loads(artifact.split_names) == names
        files = {name: sorted(str(path) for path in Path(artifact.uri, f"Split-{name}").iterdir()) for name in names}
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
    (tmp_path / "gaps.csv").write_text("a,b\n" + "".join(f"{number},x\n,x{number}\n" for number in range(10)))
    rows = [row for split in read(ours.Executor, str(tmp_path / "gaps.csv")).values() for row in split]
    kinds = [tf.train.Example.FromString(row).features.feature["a"].WhichOneof("kind") for row in rows]
    assert sorted(kinds, key=str) == [None] * 10 + ["int64_list"] * 10


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


def _values(rows, column):
    features = (tf.train.Example.FromString(row).features.feature[column] for row in rows)
    return [getattr(feature, feature.WhichOneof("kind")).value[0] for feature in features]


@pytest.fixture
def visits(tmp_path):
    """A file of 200 visits of 20 people, one a day in a random order, an eighth of them with a sale."""
    days = np.random.default_rng(1).permutation(200)
    rows = [f"{np.datetime64('2026-01-01') + day},person {day % 20},{int(day % 8 == 0)}" for day in days]
    path = tmp_path / "visits.csv"
    path.write_text("\n".join(["day,person,sale", *rows, ""]))
    return str(path)


def test_rows_are_split_by_time_over_all_files(read, visits):
    lines = Path(visits).read_text().splitlines()
    for name, rows in (("a", lines[1:80]), ("b", lines[80:])):
        Path(visits).with_name(f"part-{name}.csv").write_text("\n".join([lines[0], *rows, ""]))
    pattern = str(Path(visits).with_name("part-*.csv"))
    found = read(ours.Executor, pattern, {"train": 8, "eval": 1, "test": 1}, split={"by": "time", "column": "day"})
    days = {name: _values(rows, "day") for name, rows in found.items()}
    assert {name: len(rows) for name, rows in days.items()} == {"train": 160, "eval": 20, "test": 20}
    assert max(days["train"]) < min(days["eval"]) <= max(days["eval"]) < min(days["test"])


def test_no_group_is_in_two_splits(read, visits):
    found = read(ours.Executor, visits, split={"by": "group", "column": "person", "seed": 1})
    train, evaluation = (set(_values(found[name], "person")) for name in SPLITS)
    assert train
    assert evaluation
    assert not train & evaluation


def test_a_rare_class_has_its_share_in_every_split(read, visits):
    found = read(
        ours.Executor, visits, {"train": 6, "eval": 2, "test": 2}, split={"by": "stratified", "column": "sale"}
    )
    assert {name: (len(rows), sum(_values(rows, "sale"))) for name, rows in found.items()} == {
        "train": (120, 15), "eval": (40, 5), "test": (40, 5),
    }  # fmt: skip


def test_another_seed_splits_otherwise(read, visits):
    one, again, two = (read(ours.Executor, visits, split={"by": "random", "seed": seed}) for seed in (1, 1, 2))
    assert one == again
    assert set(one["eval"]) != set(two["eval"])


def test_files_that_are_split_already_stay_so(read, visits):
    lines = Path(visits).read_text().splitlines()
    parts = {"train": lines[1:100], "eval": lines[100:150], "test": lines[150:]}
    for name, rows in parts.items():
        folder = Path(visits).parent / "split" / name
        folder.mkdir(parents=True)
        (folder / "1.csv").write_text("\n".join([lines[0], *rows, ""]))
    inputs = {name: [str(Path(visits).parent / "split" / name / "*.csv")] for name in parts}
    found = read(ours.Executor, inputs)
    assert {name: _values(rows, "day") for name, rows in found.items()} == {
        name: [row.split(",")[0].encode() for row in rows] for name, rows in parts.items()
    }
    with open(Path(visits).parent / "split" / "eval" / "1.csv", "a") as file:
        file.write("\n".join([*lines[1:3], lines[1], lines[149], ""]))
    with pytest.raises(ValueError, match="the splits train and eval have rows in common, got 2, the first") as error:
        read(ours.Executor, inputs)
    assert lines[1].split(",")[0] in str(error.value)


def test_an_empty_split_is_refused_with_rows_and_ratio(read, tmp_path):
    (tmp_path / "few.csv").write_text("a\n1\n2\n")
    sentence = (
        r"no rows in the split eval, got train 2, eval 0 of 2 rows at {train: 999, eval: 1} by hash; give more rows"
    )
    with pytest.raises(ValueError, match=sentence):
        read(ours.Executor, str(tmp_path / "few.csv"), {"train": 999, "eval": 1})


def _driven(inputs, **options):
    """What the driver makes of a node's properties."""
    node = _inputs.node(inputs, example_gen_pb2.Output(), options, ours.Executor)
    assert node.driver_class is _inputs.Driver
    return _inputs.Driver(None).resolve_exec_properties(dict(node.exec_properties), None, None)


def test_the_driver_knows_spans_version_and_every_file(tmp_path):
    for span in (1, 2, 3):
        (tmp_path / f"span-{span}").mkdir()
        (tmp_path / f"span-{span}" / "rows.csv").write_text("a\n1\n")
    inputs = {"rows": [str(tmp_path / f"span-{span}" / "*.csv") for span in (1, 2)]}
    before = _driven(inputs, spans=[1, 2], version=4)
    assert (before["span"], before["version"]) == (2, 4)
    assert _driven(inputs)["span"] == 0
    assert _driven(inputs)["version"] is None
    (tmp_path / "span-3" / "rows.csv").write_text("a\n1\n2\n")
    assert _driven(inputs, spans=[1, 2], version=4) == before, "a file of another span is no change"
    for span in (1, 2):
        os.utime(tmp_path / f"span-{span}" / "rows.csv", (span, span))
        changed = _driven(inputs, spans=[1, 2], version=4)
        assert changed["input_fingerprint"] != before["input_fingerprint"]
        before = changed


def test_a_file_that_two_globs_name_is_read_once(read, tmp_path):
    (tmp_path / "rows.csv").write_text("a\n" + "".join(f"{number}\n" for number in range(20)))
    found = read(ours.Executor, {"rows": [str(tmp_path / "*.csv"), str(tmp_path / "rows.*")]})
    assert sum(map(len, found.values())) == 20
