"""Fifteen ways in which data are not what they claim to be: each one ends in one clear line, or is fine by the book.

What a person sees is `pipeline.causes.lines`, of what ExampleGen raises. Two of the fifteen only show in the
statistics of a label, one class and a thousand: tests/components/test_data_gate.py.
"""

import io
import os
import re
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pyarrow as pa
import pytest
import tensorflow as tf
from PIL import Image
from pyarrow import parquet as pq

from data.loaders import _files, csv, jsonl, text
from pipeline import causes
from tests.conftest import serialized


def _png():
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def _parquet():
    file = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(1_000))}), file)
    return file.getvalue()


def _tfrecord(path):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in range(3):
            writer.write(serialized({"a": number}))
    return path.read_bytes()


DATES = "day\n2020-01-31\n31.01.2020\n01/31/2020\n"
# By what is wrong: the files, the format, and the sentence; None where the rows are read.
INPUTS = {
    "another encoding": ({"a.csv": "a,b\n1,x\n2,größe\n".encode("latin-1")}, "csv", "a.csv: line 3: not utf-8, got b'"),
    "ragged rows": ({"a.csv": b"a,b\n1,2\n3\n"}, "csv", "a.csv: Row #3: Expected 2 columns, got 1: 3"),
    "a header twice": (
        {"a.csv": b"a,a\n1,2\n"},
        "csv",
        "a.csv: two columns have one name, got 'a'; rename ",
    ),
    "a byte order mark": ({"a.csv": b"\xef\xbb\xbfa,b\n1,2\n"}, "csv", None),
    "mixed types": ({"a.csv": b"a\n1\n1.5\nx\n"}, "csv", None),
    "no rows": ({"a.csv": b"a,b\n"}, "csv", "a.csv: a header but no rows; give at least one row of data"),
    "a corrupt picture": (
        {"red/1.png": _png(), "red/2.png": _png()[:-20]},
        "images",
        "red/2.png: a corrupt picture, got 55 bytes; repair it, or set data.options.skip_bad: true",
    ),
    "a truncated TFRecord": (
        {"a.tfrecord": _tfrecord},
        "tfrecord",
        "a.tfrecord: damaged at record 3, got 8 ",
    ),
    "an unreadable Parquet file": (
        {"a.parquet": _parquet()[:-40]},
        "parquet",
        "a.parquet: unreadable Parquet file, ",
    ),
    "a line without an end": (
        {"a.csv": b"a,b\n1," + b"x" * 5_000},
        "csv",
        "a.csv: more than 1,024 bytes in one line",
    ),
    "NUL bytes": (
        {"a.csv": b"a,b\n1,x\0\0\n"},
        "csv",
        "a.csv: line 2: a NUL byte, got '\\x00\\x00\\n'; is the ",
    ),
    "dates in three formats": ({"a.csv": DATES.encode()}, "csv", None),
}


@pytest.fixture
def lay(tmp_path):
    """Return a function that writes files into a folder, and gives the folder."""

    def laid(files):
        for name, content in files.items():
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = content if isinstance(content, bytes) else content(path)[:-10]
            path.write_bytes(whole)
        return tmp_path / "in"

    return laid


@pytest.mark.parametrize("wrong", [wrong for wrong, (_, _, sentence) in INPUTS.items() if sentence])
def test_bad_input_is_one_line_with_the_file_the_value_and_the_way_out(wrong, lay, run, monkeypatch):
    files, loader, sentence = INPUTS[wrong]
    monkeypatch.setattr(_files, "BLOCK_BYTES", 1_024)
    folder = lay(files)
    with pytest.raises(Exception, match=r".") as error:
        run(f"{folder}/*/*" if loader == "images" else f"{folder}/*", loader)
    (line,) = causes.lines("ExampleGen", error.value)
    assert line.startswith(f"ExampleGen: the data are refused: {folder}/{sentence}")


@pytest.mark.parametrize(
    ("wrong", "column", "cells"),
    [
        ("a byte order mark", "a", [b"1"]),
        ("mixed types", "a", [b"1", b"1.5", b"x"]),
        ("dates in three formats", "day", [line.encode() for line in DATES.split()[1:]]),
    ],
)
def test_odd_input_is_read_as_the_docs_say(wrong, column, cells, lay, read):
    files, loader, _ = INPUTS[wrong]
    rows = [row for split in read(f"{lay(files)}/*", loader, ratio={"train": 1}).values() for row in split]
    features = [tf.train.Example.FromString(row).features.feature[column] for row in rows]
    found = [*(value for one in features for value in one.bytes_list.value)]
    found += [str(value).encode() for one in features for value in one.int64_list.value]
    assert sorted(found) == sorted(cells)


@contextmanager
def _as_nobody():
    """Act as a user who may read little: for the machine's administrator every file is open."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("closed", ["a.csv", "."])
def test_a_path_without_permission_is_told(closed, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("a\n1\n")
    (folder / closed).chmod(0)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != parent.parent:
            parent.chmod(parent.stat().st_mode | 0o755)
    try:
        with _as_nobody() if os.geteuid() == 0 else nullcontext(), pytest.raises(PermissionError) as error:
            csv.matching_files(str(folder / "a.csv"))
    finally:
        (folder / closed).chmod(0o755)
    assert str(error.value).startswith("no permission to read")
    assert f"got {str(folder / closed)!r}; change its mode or its owner" in str(error.value)


def _peak_kb():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the memory from /proc")
@pytest.mark.parametrize(("loader", "head"), [(csv, b"a,b\n1,"), (csv, b"a,"), (jsonl, b'{"a": "'), (text, b"a")])
def test_a_line_that_fills_the_file_does_not_fill_the_memory(loader, head, tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "BLOCK_BYTES", 1 << 16)
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(head)
        file.writelines(b"x" * (1 << 20) for _ in range(64))
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak_kb()
    with pytest.raises(ValueError, match="more than 65,536 bytes in one line, got no end of it"):
        loader.column_types([str(path)], {"rows": "lines"} if loader is text else {})
    assert _peak_kb() - before < 16 << 10
