"""Datasets of pictures as files: written once, whole or not at all, and the same pixels as they came."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from data.sources import _keras_datasets, _picture_files, digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "digits"
    assert digits.SOURCE.locate(folder) == f"{folder}/*/*.png"
    return folder


def test_every_digit_is_a_grey_file_in_the_folder_of_its_class(folder):
    known = load_digits()
    paths = sorted(folder.glob("*/*.png"), key=lambda path: path.name)
    assert [int(path.parent.name) for path in paths] == known.target.tolist()
    for path, picture in list(zip(paths, known.images, strict=True))[::100]:
        with Image.open(path) as read:
            assert read.mode == "L"
            np.testing.assert_allclose(np.asarray(read), picture * 255 / 16, atol=0.5)


def test_files_are_written_once(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*")}
    digits.SOURCE.locate(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/*")} == before


def test_a_writer_that_stops_half_way_leaves_nothing_behind(tmp_path):
    def broken():
        yield np.zeros((2, 2), np.uint8), "a"
        raise OSError("mnist is downloaded once and needs a network")

    with pytest.raises(OSError, match="needs a network"):
        _picture_files.write_once(tmp_path / "x", broken())
    assert list(tmp_path.iterdir()) == []


def test_the_second_of_two_writers_takes_the_files_of_the_first(tmp_path):
    def overtaken():
        yield np.zeros((2, 2), np.uint8), "a"
        (tmp_path / "x" / "b").mkdir(parents=True)
        (tmp_path / "x" / "b" / "00000.png").touch()

    _picture_files.write_once(tmp_path / "x", overtaken())
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.png")] == [Path("x/b/00000.png")]


def test_a_download_that_fails_is_one_line_that_says_what_to_do(monkeypatch):
    from keras.datasets import mnist

    # What keras raises without a network: a bare Exception.
    def offline():
        raise Exception("URL fetch failure on\nsomewhere: None -- Name or service not known")

    monkeypatch.setattr(mnist, "load_data", offline)
    with pytest.raises(OSError, match=r"^mnist is downloaded once and needs a network, got URL .* known; or take"):
        next(_keras_datasets.pictures("mnist", "0123456789"))


def test_keras_labels_in_one_or_two_dimensions_become_names(monkeypatch):
    from keras.datasets import cifar10

    parts = [(np.zeros((2, 4, 4, 3), np.uint8), np.array([[1], [0]])), (np.ones((1, 4, 4, 3), np.uint8), np.array([1]))]
    monkeypatch.setattr(cifar10, "load_data", lambda: parts)
    found = list(_keras_datasets.pictures("cifar10", ["airplane", "automobile"]))
    assert [label for _, label in found] == ["automobile", "airplane", "automobile"]
    assert found[2][0].max() == 1
