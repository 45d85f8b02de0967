"""TFRecord: tf.Example and tf.SequenceExample as columns, and files that are damaged."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
import tensorflow as tf
import tfx

from data.loaders import tfrecord
from tests.conftest import serialized

STOCK = Path(tfx.__path__[0]) / "components/testdata/external"


@pytest.fixture
def save(tmp_path):
    """Return a function that writes records as a file and gives its path."""

    def saved(*records, name="rows.tfrecord"):
        with tf.io.TFRecordWriter(str(tmp_path / name)) as writer:
            for record in records:
                writer.write(record)
        return str(tmp_path / name)

    return saved


def _rows(path, **options):
    types = tfrecord.column_types([path], options)
    return types, [row for batch in tfrecord.record_batches(path, types, options) for row in batch.to_pylist()]


def _example(**features):
    example = tf.train.Example()
    for name, values in features.items():
        kind = {int: "int64_list", float: "float_list", bytes: "bytes_list"}[type(values[0])]
        getattr(example.features.feature[name], kind).value.extend(values)
    return example.SerializeToString()


def test_the_files_that_tfx_tests_with_are_read():
    paths = sorted(map(str, (STOCK / "tfrecord").glob("*.gz")))
    types = tfrecord.column_types(paths)
    expected = sum(1 for _ in tf.data.TFRecordDataset(paths, "GZIP"))
    assert sum(batch.num_rows for path in paths for batch in tfrecord.record_batches(path, types)) == expected > 1_000
    (sequence,) = map(str, (STOCK / "tfrecord_sequence").glob("*.gz"))
    assert tfrecord.column_types([sequence], {"payload": "sequence_example"})


def test_single_values_are_cells_and_several_are_lists(save):
    rows = [{"a": [1], "b": [1, 2]}, {"b": [3]}, {"a": [5], "c": [b"x"]}]
    types, found = _rows(save(*(_example(**row) for row in rows)))
    assert types == {"a": pa.int64(), "b": pa.list_(pa.int64()), "c": pa.binary()}
    assert found == [
        {"a": 1, "b": [1, 2], "c": None},
        {"a": None, "b": [3], "c": None},
        {"a": 5, "b": None, "c": b"x"},
    ]


def test_a_feature_that_comes_late_is_a_column_of_all_rows(save, monkeypatch):
    monkeypatch.setattr(tfrecord, "BLOCK_ROWS", 2)
    path = save(*[serialized({"a": 1})] * 4, serialized({"a": 2, "b": 0.5}))
    types, found = _rows(path)
    assert types == {"a": pa.int64(), "b": pa.float64()}
    assert [row["b"] for row in found] == [None] * 4 + [0.5]
    assert tfrecord.column_names(path) == ["a"]


def test_a_column_is_float_where_the_schema_says_so(save):
    assert _rows(save(serialized({"a": 1})), float_columns=["a"]) == ({"a": pa.float64()}, [{"a": 1.0}])


def test_the_context_and_the_steps_of_a_sequence_example_are_columns(save):
    example = tf.train.SequenceExample()
    example.context.feature["id"].int64_list.value.append(7)
    for word in (b"one", b"two"):
        example.feature_lists.feature_list["words"].feature.add().bytes_list.value.append(word)
    for pair in ((1.0, 2.0), (), (3.0, 4.0)):
        example.feature_lists.feature_list["pairs"].feature.add().float_list.value.extend(pair)
    without = tf.train.SequenceExample()
    without.context.feature["id"].int64_list.value.append(8)
    path = save(example.SerializeToString(), without.SerializeToString())
    types, found = _rows(path, payload="sequence_example")
    assert types == {"id": pa.int64(), "words": pa.list_(pa.binary()), "pairs": pa.list_(pa.float64())}
    assert found == [
        {"id": 7, "words": [b"one", b"two"], "pairs": [1.0, 2.0, 3.0, 4.0]},
        {"id": 8, "words": None, "pairs": None},
    ]


def test_a_name_of_both_the_context_and_the_steps_is_told(save):
    example = tf.train.SequenceExample()
    example.context.feature["a"].int64_list.value.append(7)
    example.feature_lists.feature_list["a"].feature.add().int64_list.value.append(1)
    with pytest.raises(ValueError, match="have one name, got 'a'"):
        tfrecord.column_types([save(example.SerializeToString())], {"payload": "sequence_example"})


def test_a_feature_of_two_types_is_told(save, monkeypatch):
    with pytest.raises(ValueError, match="records that cannot be decoded"):
        tfrecord.column_types([save(serialized({"a": 1}), serialized({"a": "x"}))])
    monkeypatch.setattr(tfrecord, "BLOCK_ROWS", 1)
    with pytest.raises(ValueError, match="feature 'a' has two types, got int64 and binary"):
        tfrecord.column_types([save(serialized({"a": 1}), serialized({"a": "x"}))])


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (lambda whole: b"", "no rows"),
        (lambda whole: b"a,b\n1,2\n" * 9, "no TFRecord file"),
        (lambda whole: whole[:-5], "damaged at record 3"),
        (lambda whole: whole + b"\0\0\0", "damaged at record 4"),
        (lambda whole: whole[:20] + b"?" + whole[21:], "damaged at record 1"),
        (lambda whole: gzip.compress(whole)[:-10], "a broken gzip file"),
    ],
)
def test_a_damaged_file_is_told(save, write, broken, sentence):
    whole = Path(save(*(serialized({"a": number}) for number in range(3)))).read_bytes()
    with pytest.raises(ValueError, match=f"broken.tfrecord: {sentence}"):
        tfrecord.column_types([write(broken(whole), "broken.tfrecord")])
