"""What an ExampleGen reads and how it splits it: ways, ready-made splits, spans and what the driver knows of them."""

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.proto import example_gen_pb2

from data.loaders import _example_gen, _inputs
from tests.data.conftest import SPLITS


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
    found = read(pattern, ratio={"train": 8, "eval": 1, "test": 1}, split={"by": "time", "column": "day"})
    days = {name: _values(rows, "day") for name, rows in found.items()}
    assert {name: len(rows) for name, rows in days.items()} == {"train": 160, "eval": 20, "test": 20}
    assert max(days["train"]) < min(days["eval"]) <= max(days["eval"]) < min(days["test"])


def test_no_group_is_in_two_splits(read, visits):
    found = read(visits, split={"by": "group", "column": "person", "seed": 1})
    train, evaluation = (set(_values(found[name], "person")) for name in SPLITS)
    assert train
    assert evaluation
    assert not train & evaluation


def test_a_rare_class_has_its_share_in_every_split(read, visits):
    found = read(
        visits,
        ratio={"train": 6, "eval": 2, "test": 2},
        split={"by": "stratified", "column": "sale"},
    )
    assert {name: (len(rows), sum(_values(rows, "sale"))) for name, rows in found.items()} == {
        "train": (120, 15), "eval": (40, 5), "test": (40, 5),
    }  # fmt: skip


def test_another_seed_splits_otherwise(read, visits):
    one, again, two = (read(visits, split={"by": "random", "seed": seed}) for seed in (1, 1, 2))
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
    found = read(inputs)
    assert {name: _values(rows, "day") for name, rows in found.items()} == {
        name: [row.split(",")[0].encode() for row in rows] for name, rows in parts.items()
    }
    with open(Path(visits).parent / "split" / "eval" / "1.csv", "a") as file:
        file.write("\n".join([*lines[1:3], lines[1], lines[149], ""]))
    with pytest.raises(ValueError, match="the splits train and eval have rows in common, got 2, the first") as error:
        read(inputs)
    assert lines[1].split(",")[0] in str(error.value)


def test_an_empty_split_is_refused_with_rows_and_ratio(read, tmp_path):
    (tmp_path / "few.csv").write_text("a\n1\n2\n")
    sentence = (
        r"no rows in the split eval, got train 2, eval 0 of 2 rows at {train: 999, eval: 1} by hash; give more rows"
    )
    with pytest.raises(ValueError, match=sentence):
        read(str(tmp_path / "few.csv"), ratio={"train": 999, "eval": 1})


def _driven(inputs, **options):
    """What the driver makes of a node's properties."""
    node = _inputs.node(inputs, example_gen_pb2.Output(), options, _example_gen.Executor)
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
    found = read({"rows": [str(tmp_path / "*.csv"), str(tmp_path / "rows.*")]})
    assert sum(map(len, found.values())) == 20
