"""Splits in memory and from disk: the same rows, batches, weights and labels."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from models import _inputs
from models._transform_graph import TransformGraph
from tests.conftest import LABELS, serialized

BATCH = 64
KINDS = LABELS["multiclass"]["classes"]


@pytest.fixture(scope="module")
def graph(head):
    return TransformGraph(tft.TFTransformOutput(head("multiclass").arguments.transform_graph_path))


@pytest.fixture
def read(head, graph, monkeypatch):
    """Return a function that reads the train split, from memory or streamed in blocks that fit no batch."""

    def split(*, streamed: bool, weight: str | None = None) -> _inputs.Split:
        monkeypatch.setattr(_inputs, "BLOCK_ROWS", 100)
        monkeypatch.setattr(_inputs, "IN_MEMORY_BYTES", 0 if streamed else 1 << 20)
        found = _inputs.read_split(head("multiclass").arguments.train_files, graph, "kind_label", weight=weight)
        assert (found.columns is None) == streamed
        return found

    return split


def _rows(batches):
    """Return the rows of an epoch as tuples, in order."""
    rows = []
    for features, label, weight in batches.as_numpy_iterator():
        columns = [features[name].tolist() for name in sorted(features)]
        rows += zip(*columns, label.tolist(), weight.tolist(), strict=True)
    return rows


def test_a_streamed_split_gives_the_same_batches_as_one_in_memory(read):
    weights = np.array([1.0, 2.0, 3.0], np.float32)
    streamed, kept = (read(streamed=way).batches(BATCH, weights=weights) for way in (True, False))
    for one, other in zip(streamed.as_numpy_iterator(), kept.as_numpy_iterator(), strict=True):
        assert sorted(one[0]) == sorted(other[0])
        for name in one[0]:
            np.testing.assert_array_equal(one[0][name], other[0][name], err_msg=name)
            assert one[0][name].dtype == other[0][name].dtype
        np.testing.assert_array_equal(one[1], other[1])
        np.testing.assert_array_equal(one[2], other[2])


@pytest.mark.parametrize("streamed", [True, False])
def test_every_epoch_has_all_rows_in_an_order_of_its_own_that_follows_from_seed_and_number(read, table, streamed):
    split = read(streamed=streamed)
    assert split.rows == len(table.train)
    rows, ordered = _rows(split.epochs(BATCH, range(3), 1)), _rows(split.batches(BATCH))
    epochs = [rows[start : start + split.rows] for start in range(0, 3 * split.rows, split.rows)]
    assert all(Counter(epoch) == Counter(ordered) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, ordered]}) == 4
    assert _rows(split.epochs(BATCH, range(2, 3), 1)) == epochs[2], "no matter which epochs were before"
    assert _rows(split.epochs(BATCH, range(1), 5)) != epochs[0]


@pytest.mark.parametrize("streamed", [True, False])
def test_labels_are_those_of_the_rows_in_order(read, table, streamed):
    assert read(streamed=streamed).label.tolist() == [KINDS.index(row["kind"]) for row in table.train]


@pytest.mark.parametrize("streamed", [True, False])
def test_the_weight_of_a_row_is_that_of_its_label(read, streamed):
    weights = np.array([0.5, 1.0, 4.0], np.float32)
    for _, label, weight in read(streamed=streamed).batches(BATCH, weights=weights).as_numpy_iterator():
        np.testing.assert_array_equal(weight, weights[label])


@pytest.mark.parametrize("streamed", [True, False])
def test_a_column_weighs_rows_beside_their_classes_and_is_no_feature(read, table, streamed):
    split, weights = read(streamed=streamed, weight="stars"), np.array([0.5, 1.0, 4.0], np.float32)
    own, seen = np.array([row["stars"] for row in table.train], np.float32), []
    for number, (features, label, weight) in enumerate(split.batches(BATCH, weights=weights)):
        np.testing.assert_array_equal(weight, weights[label] * own[number * BATCH : (number + 1) * BATCH])
        seen.append(weight.shape[0])
        assert _inputs.WEIGHT not in features
    assert sum(seen) == len(own)
    assert float(next(iter(split.batches(BATCH)))[2][0]) == own[0]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("weight", r"rows have no weight in 'weight', or one below 0, got -"),
        ("visits", r"rows have no weight in 'visits', or one below 0, got -9.22337e\+18; give every row a number"),
        ("size", r"of 100 rows have no weight in 'size', or one below 0, got nan; give every row a number"),
        ("city", r"training.sample_weight: a weight is a number, got text in 'city'; name another column"),
    ],
)
def test_a_row_without_a_weight_is_refused(read, column, message):
    with pytest.raises(ValueError, match=message):
        read(streamed=False, weight=column)


@pytest.mark.parametrize(
    ("labels", "weights"), [([0, 1], [1, 1]), ([0, 0, 0, 1], [2 / 3, 2]), ([0, 1, 2, 2], [4 / 3, 4 / 3, 2 / 3])]
)
def test_balanced_weights_make_every_class_count_the_same(labels, weights):
    found = _inputs.balanced_weights(np.array(labels), len(weights))
    np.testing.assert_allclose(found, weights, rtol=1e-6)
    assert found[labels].mean() == pytest.approx(1)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_split_without_rows_is_refused(graph, tmp_path, monkeypatch, streamed):
    monkeypatch.setattr(_inputs, "IN_MEMORY_BYTES", -1 if streamed else 1)
    with pytest.raises(ValueError, match=r"the split has no rows, got .*; give more data or other split ratios"):
        _inputs.read_split([str(tmp_path / "*")], graph, "kind_label")


def test_examples_to_show_are_the_fullest_rows_and_the_emptiest(tmp_path):
    path, options = tmp_path / "rows", tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for size in (2, 0, 3, 1, 3):
            writer.write(serialized({f"column {number}": number for number in range(size)}))
    found = _inputs.telling_examples([str(path)], 3)
    assert [len(tf.train.Example.FromString(record).features.feature) for record in found] == [3, 3, 0]
    assert len(_inputs.telling_examples([str(path)], 8)) == 5


@pytest.mark.parametrize("labels", [np.array([0, -1]), np.array([1.0, np.nan], np.float32)])
def test_a_label_that_cannot_be_learned_is_refused(labels):
    with pytest.raises(ValueError, match=r"label: 1 of 2 rows have none, or one that is no class, got \['rows'\]"):
        _inputs._labelled(labels, ["rows"])


def test_files_take_turns_so_that_sorted_ones_are_mixed(tmp_path):
    for name, rows in (("a", range(3)), ("b", range(10, 13))):
        with tf.io.TFRecordWriter(str(tmp_path / name), "GZIP") as writer:
            for row in rows:
                writer.write(bytes([row]))
    records = _inputs._records([str(tmp_path / "a"), str(tmp_path / "b")])
    assert [record[0] for record in records.as_numpy_iterator()] == [0, 10, 1, 11, 2, 12]
