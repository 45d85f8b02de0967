"""Texts: folders of classes with one file a row, and files with one row a line."""

import gzip
import os

import pytest

from data.loaders import _files, text

LINES = {"rows": "lines"}


def _rows(paths, options):
    types = text.column_types(paths, options)
    return [row for path in paths for batch in text.record_batches(path, types, options) for row in batch.to_pylist()]


def test_a_folder_of_classes_has_one_row_a_file(write, tmp_path):
    write("Good film.\nVery good.\n", "reviews/pos/1.txt")
    write(gzip.compress(" Größe \r\n".encode()), "reviews/pos/2.txt.gz")
    write("\ufeffBad", "reviews/neg/1.txt")
    write("", "reviews/neg/2.txt")
    paths = text.matching_files(str(tmp_path / "reviews"))
    assert paths == text.matching_files(str(tmp_path / "reviews" / "*" / "*"))
    assert text.column_names(paths[0]) == ["text", "label"]
    assert _rows(paths, {}) == [
        {"text": b"Bad", "label": b"neg"},
        {"text": None, "label": b"neg"},
        {"text": b"Good film.\nVery good.", "label": b"pos"},
        {"text": "Größe".encode(), "label": b"pos"},
    ]


def test_files_of_lines_have_one_row_a_line(write):
    paths = [write("one\r\n\n two \n", "1.txt"), write("three", "2.txt")]
    assert text.column_names(paths[0], LINES) == ["text"]
    assert _rows(paths, LINES) == [{"text": b"one"}, {"text": b"two"}, {"text": b"three"}]


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"fine\n\xff\xfe\n", {}, "line 2: not utf-8, got b'\\xff\\xfe\\n'"),
        (b"fine\n\xff\xfe\n", LINES, "line 2: not utf-8"),
        (b"fine\nno\0t", LINES, "line 2: a NUL byte"),
        (b"x" * 200, {}, "more than 64 bytes, got one text"),
        (b"x" * 200, LINES, "line 1: more than 64 bytes in one line"),
        (b"\n\n", LINES, "no rows"),
    ],
)
def test_what_is_no_text_is_told_with_its_place(write, monkeypatch, content, options, sentence):
    monkeypatch.setattr(_files, "BLOCK_BYTES", 64)
    path = write(content, "pos/1.txt")
    with pytest.raises(ValueError, match="got ") as error:
        text.column_types([path], options)
    assert str(error.value).startswith(path)
    assert sentence in str(error.value)


def test_every_file_is_looked_at_before_the_first_is_written(write):
    paths = [write("fine", "pos/1.txt"), write(b"\xff", "pos/2.txt")]
    with pytest.raises(ValueError, match=os.path.basename(paths[1])):
        text.column_types(paths)
