"""A split that was put into the folder comes out as it went in, and is transformed once."""

import numpy as np
import pytest
import tensorflow as tf

from models import _shared_split
from models._inputs import Split


def _split(features):
    label = np.arange(10, dtype="int64")
    return Split(tf.data.Dataset.from_tensors((features, label)), features, label, 7)


NUMBERS = {"x/y": np.arange(10, dtype="float32"), "image": np.arange(40, dtype="uint8").reshape(10, 2, 2)}


@pytest.fixture
def read():
    """A reader that counts."""

    def reader():
        reader.times += 1
        return _split(NUMBERS)

    reader.times = 0
    return reader


def test_a_split_is_transformed_once_and_the_same_for_all(read, tmp_path):
    (tmp_path / "splits").mkdir()
    first, second = (_shared_split.shared(str(tmp_path), "train", read) for _ in range(2))
    assert read.times == 1
    assert (second.rows, second.block_rows) == (10, 7)
    for (x, y, _), (x_again, y_again, _) in zip(*(one.epochs(4, range(1), 1) for one in (first, second)), strict=True):
        assert set(x) == set(x_again) == set(NUMBERS)
        for name in NUMBERS:
            np.testing.assert_array_equal(x[name], x_again[name])
            assert x[name].dtype == x_again[name].dtype
        np.testing.assert_array_equal(y, y_again)
    ((features, label),) = second.blocks.as_numpy_iterator()
    np.testing.assert_array_equal(features["image"], NUMBERS["image"])
    np.testing.assert_array_equal(label, second.label)


def test_splits_do_not_mix(read, tmp_path):
    (tmp_path / "splits").mkdir()
    for name in ("train", "eval", "train"):
        _shared_split.shared(str(tmp_path), name, read)
    assert read.times == 2


def test_without_the_folder_nothing_is_written(read, tmp_path):
    for _ in range(2):
        _shared_split.shared(str(tmp_path), "train", read)
    assert read.times == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "split", [_split({"text": np.array(["a"] * 10, object)}), Split(tf.data.Dataset.range(3), None, np.arange(3), 3)]
)
def test_texts_and_splits_that_stream_are_read_by_everyone(split, tmp_path):
    (tmp_path / "splits").mkdir()
    assert _shared_split.shared(str(tmp_path), "train", lambda: split) is split
    assert not list((tmp_path / "splits").iterdir())
