"""Pictures: folders of classes, tables with a column of paths, and files that are no pictures."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data.loaders import _example_gen, _files, images


def picture(number: int, kind: str = "PNG") -> bytes:
    """Return a small picture as a file's bytes."""
    pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def _values(row, name):
    return tf.train.Example.FromString(row).features.feature[name].bytes_list.value


@pytest.fixture
def folder(write, tmp_path):
    for number in range(20):
        write(picture(number), f"digits/{number % 2}/{number}.png")
    write(picture(20, "JPEG"), "digits/0/20.jpg")
    return tmp_path / "digits"


def test_a_folder_of_classes_has_the_bytes_the_class_and_the_path(read, folder, tmp_path):
    paths = images.matching_files(str(folder))
    assert len(paths) == 21
    assert images.column_names(paths[0]) == ["image", "label", "path"]
    splits = read(str(folder / "*/*"), "images")
    assert len(list(tmp_path.glob("**/Split-train/*"))) == _example_gen.SHARDS, "not a shard per picture"
    rows = {_values(row, "path")[0].decode(): row for rows in splits.values() for row in rows}
    assert rows.keys() == {f"{number % 2}/{number}.png" for number in range(20)} | {"0/20.jpg"}
    for path, row in rows.items():
        assert _values(row, "image") == [(folder / path).read_bytes()]
        assert _values(row, "label") == [path[0].encode()]
    assert all(splits.values())


BAD = {
    "cut.png": (picture(99)[:-40], "a corrupt picture"),
    "cut.jpg": (picture(99, "JPEG")[:-100], "a corrupt picture"),
    "flipped.png": (picture(99)[:60] + b"????" + picture(99)[64:], "a corrupt picture"),
    "foreign.gif": (picture(99, "GIF"), "no PNG or JPEG picture, got b'GIF8"),
    "Thumbs.db": (b"\xd0\xcf\x11\xe0", "no PNG or JPEG picture"),
    "empty.png": (b"", "no PNG or JPEG picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_picture_among_good_ones_is_refused_by_name_or_skipped_and_counted(run, folder, name):
    content, reason = BAD[name]
    (folder / "1" / name).write_bytes(content)
    with pytest.raises(ValueError, match="got ") as error:
        run(str(folder / "*/*"), "images")
    assert str(error.value).startswith(f"{folder}/1/{name}: {reason}")
    examples = run(str(folder / "*/*"), "images", skip_bad=True)
    assert examples.get_int_custom_property("skipped") == 1
    files = list(map(str, Path(examples.uri).glob("*/*")))
    assert sum(1 for _ in tf.data.TFRecordDataset(files, "GZIP")) == 21


def test_of_many_bad_pictures_ten_are_named(run, folder):
    for number in range(12):
        (folder / "1" / f"bad{number:02d}.png").write_bytes(b"junk")
    with pytest.raises(ValueError, match="and 2 more") as error:
        run(str(folder / "*/*"), "images")
    assert len(str(error.value).splitlines()) == 11


def test_a_folder_without_any_picture_is_told(run, write, tmp_path):
    write(b"junk", "digits/0/1.png")
    with pytest.raises(ValueError, match="no usable picture, got 1 other files"):
        run(str(tmp_path / "digits/*/*"), "images", skip_bad=True)


@pytest.fixture
def table(write, folder, tmp_path):
    lines = [f"digits/{number % 2}/{number}.png,{number}" for number in range(20)]
    return write("\n".join(["file,number", *lines, ",99", ""]), "table.csv")


def test_a_table_has_the_bytes_in_place_of_the_paths(read, table, tmp_path):
    assert images.column_names(table, {"image_column": "file"}) == ["file", "number"]
    rows = [row for split in read(table, "images", image_column="file").values() for row in split]
    assert len(rows) == 21
    for row in rows:
        (number,) = tf.train.Example.FromString(row).features.feature["number"].int64_list.value
        path = tmp_path / f"digits/{number % 2}/{number}.png"
        assert _values(row, "file") == ([path.read_bytes()] if path.exists() else [])


def test_a_row_whose_picture_is_bad_or_missing_is_refused_or_skipped(run, table, folder):
    (folder / "0" / "2.png").write_bytes(b"junk")
    (folder / "1" / "3.png").unlink()
    with pytest.raises(ValueError, match="got ") as error:
        run(table, "images", image_column="file")
    assert [line.split(": ")[1].split(",")[0] for line in str(error.value).splitlines()] == [
        "no PNG or JPEG picture",
        "cannot be read",
    ]
    assert run(table, "images", image_column="file", skip_bad=True).get_int_custom_property("skipped") == 2


def test_a_table_without_the_column_of_paths_is_told(table):
    with pytest.raises(ValueError, match="no column of paths, got 'picture'; there are file, number"):
        images.column_names(table, {"image_column": "picture"})


def test_a_table_without_the_column_of_paths_is_told_beside_one_that_has_it(run, table, write, tmp_path):
    write("number\n1\n", "table2.csv")
    with pytest.raises(ValueError, match=r"table2\.csv: no column of paths, got 'file'; there are number$"):
        run(str(tmp_path / "table*.csv"), "images", image_column="file")


def test_a_number_that_becomes_text_beyond_the_first_block_of_a_table_is_text(read, write, folder, monkeypatch):
    monkeypatch.setattr(_files, "BLOCK_BYTES", 256)
    path = write("file,number\n" + "digits/0/2.png,1\n" * 50 + "digits/0/4.png,x\n", "table.csv")
    rows = [row for split in read(path, "images", image_column="file").values() for row in split]
    assert {value for row in rows for value in _values(row, "number")} == {b"1", b"x"}


def test_the_cache_sees_an_edited_picture_of_a_table(table, folder):
    from tfx.proto import example_gen_pb2

    def config():
        node = images.load({"rows": [table]}, example_gen_pb2.Output(), {"image_column": "file"})
        return str(node.exec_properties["custom_config"])

    before = config()
    assert config() == before
    edited = folder / "0" / "2.png"
    edited.write_bytes(edited.read_bytes()[::-1])
    assert config() != before


def test_a_table_that_is_broken_is_refused_by_the_node_and_not_where_it_is_made(run, write, folder):
    from tfx.proto import example_gen_pb2

    path = write("file,number\ndigits/0/2.png\n", "table.csv")
    assert images.load({"rows": [path]}, example_gen_pb2.Output(), {"image_column": "file"})
    with pytest.raises(ValueError, match=r"table\.csv: Row #2: Expected 2 columns, got 1"):
        run(path, "images", image_column="file")
