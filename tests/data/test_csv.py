"""CSV: types over the whole file, and every way a file can be broken."""

import gzip

import pyarrow as pa
import pytest

from data.loaders import _files, csv


def test_types_hold_every_value_of_every_file(write):
    paths = [write("a,b,c,d\n1,1,x,\n", "1.csv"), write("a,b,c,d\n2,1.5,3,\n", "2.csv")]
    expected = {"a": pa.int64(), "b": pa.float64(), "c": pa.binary(), "d": pa.binary()}
    assert csv.column_types(paths) == expected


def test_a_column_widens_beyond_its_first_block(write, monkeypatch):
    monkeypatch.setattr(_files, "BLOCK_BYTES", 64)
    assert csv.column_types([write("a\n" + "1\n" * 100 + "1.5\n")]) == {"a": pa.float64()}
    assert csv.column_types([write("a\n" + "1\n" * 100 + "x\n")]) == {"a": pa.binary()}


def test_a_float_column_of_whole_numbers_stays_float_where_the_schema_says_so(write):
    assert csv.column_types([write("a,b\n1,x\n")], {"float_columns": ["a", "b"]}) == {
        "a": pa.float64(),
        "b": pa.binary(),
    }


def test_an_empty_cell_is_a_missing_value(write):
    path = write('a,b,c\n1,,"2"\n,"x",""\n')
    (batch,) = csv.record_batches(path, csv.column_types([path]))
    assert batch.to_pydict() == {"a": [1, None], "b": [None, b"x"], "c": [2, None]}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["9223372036854775807", "1"], pa.int64()),
        (["1", "9223372036854775808"], pa.binary()),
        (["18446744073709551615", "1.5"], pa.binary()),
        (["9.3e18", "1.5", "inf"], pa.float64()),
    ],
)
def test_an_id_that_a_float_would_round_is_text(write, cells, kind):
    path = write("\n".join(["a", *cells, ""]))
    assert csv.column_types([path]) == {"a": kind}
    if kind == pa.binary():
        assert csv.column_types([path], {"float_columns": ["a"]}) == {"a": pa.float64()}, (
            "unless the schema says it is a float"
        )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "no header line"),
        ("a,b\n", "a header but no rows"),
        ("a,b\n1,2\n3\n", "Row #3: Expected 2 columns, got 1"),
        ("a,b\n1,2,3\n", "Row #2: Expected 2 columns, got 3"),
        ("a,a\n1,2\n", "two columns have one name, got 'a'"),
        ("a,\n1,2\n", "a column without a name"),
        ('a,b\n1,"x\n', "a quoted cell is never closed"),
        (b"\xff\xfea\n1\n", "line 1: not utf-8"),
    ],
)
def test_a_broken_file_is_told_with_its_place(write, content, sentence):
    path = write(content)
    with pytest.raises(ValueError, match=sentence.replace("'", "['\"]")) as error:
        csv.column_types([path])
    assert str(error.value).startswith(path)


def test_a_byte_order_mark_is_no_part_of_the_first_name(write):
    assert csv.column_names(write("\ufeffa,b\n1,2\n")) == ["a", "b"]


def test_files_with_other_columns_are_told(write):
    with pytest.raises(ValueError, match="other columns than"):
        csv.column_types([write("a\n1\n", "1.csv"), write("b\n1\n", "2.csv")])


def test_other_delimiters_and_encodings_are_read(write):
    options = {"delimiter": ";", "encoding": "latin-1"}
    path = write("größe;b\n1,5;Straße\n".encode("latin-1"))
    assert csv.column_names(path, options) == ["größe", "b"]
    types = csv.column_types([path], options)
    (batch,) = csv.record_batches(path, types, options)
    assert batch.to_pydict() == {"größe": [b"1,5"], "b": ["Straße".encode()]}
    wide = write("a,b\nx,y\n".encode("utf-16"))
    assert csv.column_types([wide], {"encoding": "utf-16"}) == {"a": pa.binary(), "b": pa.binary()}


@pytest.mark.parametrize("name", ["nonsense", "hex", 3])
def test_an_encoding_that_is_none_of_text_is_told(name):
    csv.OPTIONS["encoding"]("utf-16")
    with pytest.raises(ValueError, match=f"no such encoding, got {name!r}; for instance latin-1"):
        csv.OPTIONS["encoding"](name)


def test_a_gzipped_file_is_read_whatever_its_name(write):
    path = write(gzip.compress(b"a,b\n1,x\n"), "rows.csv")
    types = csv.column_types([path])
    assert [batch.to_pydict() for batch in csv.record_batches(path, types)] == [{"a": [1], "b": [b"x"]}]


def test_a_folder_and_a_glob_name_the_files_inside_but_no_markers(write, tmp_path):
    paths = [write("a\n1\n", f"table/{name}") for name in ("1.csv", "2.csv", "_SUCCESS", ".2.csv.crc")][:2]
    assert csv.matching_files(str(tmp_path / "table")) == paths
    assert csv.matching_files(str(tmp_path / "table" / "*")) == paths
    assert csv.matching_files(str(tmp_path / "table" / "_*")) == [str(tmp_path / "table" / "_SUCCESS")]
    with pytest.raises(FileNotFoundError, match="no file matches, got "):
        csv.matching_files(str(tmp_path / "table" / "*.parquet"))
