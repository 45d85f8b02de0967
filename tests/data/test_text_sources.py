"""Texts from packages: what is in them, what must not be, and what is said when they cannot be had."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from data.sources import docs, imdb, reviews


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return Path(docs.locate(tmp_path_factory.mktemp("docs")))


@pytest.fixture(scope="module")
def rows(written):
    with written.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_docs_are_some_hundred_of_each_library_and_none_twice(rows):
    counts = Counter(row["library"] for row in rows)
    assert counts.keys() == docs.LIBRARIES.keys()
    assert min(counts.values()) > 500
    assert len({row["text"] for row in rows}) == len(rows)
    assert {row["kind"] for row in rows} == {"class", "function"}
    assert all(row["module"].split(".")[0] == row["library"] for row in rows)


def test_docs_do_not_name_a_library(rows):
    names = re.compile(r"\b(np|pd|tf|sp)\b|" + "|".join([*docs.LIBRARIES, "scikit"]), re.IGNORECASE)
    found = [row["text"] for row in rows if names.search(row["text"])]
    assert found == []


def test_docs_are_written_once(written):
    before = written.stat().st_mtime_ns
    assert docs.locate(written.parent) == str(written)
    assert written.stat().st_mtime_ns == before
    assert [path.name for path in written.parent.iterdir()] == [written.name]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Return a numpy.ndarray, see :class:`np.array`.", "Return a , see :class:` `."),
        ("Adds.\n\n>>> add(1)\n2\n\nThe end.", "Adds. The end."),
        ("Old.\n.. versionadded:: 1.2\nNew, see https://example.org/x y", "Old. New, see y"),
        ("A scikit-learn estimator, an sklearn.svm one, a TensorFlowTensor", "A estimator, an one, a"),
        ("The metrics of linalg.norm and norm", "The of and norm"),
        ("word " * 400, ("word " * 300).strip()),
        ("w" * 1498 + " .npz", "w" * 1498),
    ],
)
def test_names_code_versions_and_addresses_are_cut_out(text, masked):
    names = frozenset({"numpy", "np", "scikit", "metrics", "linalg"})
    assert docs._masked(text, names) == masked


def test_the_reviews_of_the_tfx_package_are_a_hundred():
    with open(reviews.locate(Path()), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    assert {row["label"] for row in rows} == {"0", "1"}


def test_reviews_that_cannot_be_downloaded_are_one_line(tmp_path, monkeypatch):
    from keras.datasets import imdb as keras_imdb

    def offline():
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setattr(keras_imdb, "load_data", offline)
    with pytest.raises(
        OSError, match=r"^imdb is downloaded once and needs a network, got URL .*; or take the source reviews$"
    ):
        imdb.locate(tmp_path / "imdb")
    assert not (tmp_path / "imdb").exists()


def test_reviews_are_words_again(tmp_path, monkeypatch):
    from keras.datasets import imdb as keras_imdb

    monkeypatch.setattr(keras_imdb, "load_data", lambda: (([[1, 4, 5, 2]], [1]), ([[1, 5, 4]], [0])))
    monkeypatch.setattr(keras_imdb, "get_word_index", lambda: {"good": 1, "film": 2})
    path = Path(imdb.locate(tmp_path / "imdb"))
    assert path.read_text() == "text,label\ngood film,1\nfilm good,0\n"
    assert [found.name for found in path.parent.iterdir()] == ["imdb.csv"]
