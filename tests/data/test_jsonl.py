"""JSON lines: kinds over the whole file, and what is no row."""

import gzip
import json

import pyarrow as pa
import pytest

from data.loaders import _files, jsonl


def _columns(path, **options):
    types = jsonl.column_types([path], options)
    batches = list(jsonl.record_batches(path, types, options))
    return types, {name: [cell for batch in batches for cell in batch.to_pydict()[name]] for name in types}


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        ([1, None, 2], pa.int64(), [1, None, 2]),
        ([True, False, 2], pa.int64(), [1, 0, 2]),
        ([1, 2.5, True], pa.float64(), [1.0, 2.5, 1.0]),
        ([1, 2.5, "x", True], pa.binary(), [b"1", b"2.5", b"x", b"true"]),
        (["", "Größe", None], pa.binary(), [b"", "Größe".encode(), None]),
        ([None, None], pa.binary(), [None, None]),
        ([2**63, 1], pa.binary(), [b"9223372036854775808", b"1"]),
        ([12345678901234567890123, 1], pa.binary(), [b"12345678901234567890123", b"1"]),
        ([-(2**63), 2**63 - 1], pa.int64(), [-(2**63), 2**63 - 1]),
        ([[1, 2], [], None], pa.list_(pa.int64()), [[1, 2], [], None]),
        ([[1], 2, [2.5]], pa.list_(pa.float64()), [[1.0], [2.0], [2.5]]),
        ([["a"], [1]], pa.list_(pa.binary()), [[b"a"], [b"1"]]),
        ([[], []], pa.list_(pa.binary()), [[], []]),
    ],
)
def test_a_column_has_the_narrowest_kind_of_all_its_values(write, values, kind, cells):
    path = write("\n".join(json.dumps({"a": value}) for value in values), "rows.jsonl")
    assert _columns(path) == ({"a": kind}, {"a": cells})


def test_a_column_widens_beyond_its_first_block_and_a_key_may_come_late(write, monkeypatch):
    monkeypatch.setattr(_files, "BLOCK_BYTES", 64)
    path = write('{"a": 1}\n' * 50 + '{"a": 1.5, "b": [1]}\n', "rows.jsonl")
    types, columns = _columns(path)
    assert types == {"a": pa.float64(), "b": pa.list_(pa.int64())}
    assert columns["b"] == [None] * 50 + [[1]]
    assert jsonl.column_names(path) == ["a"], "the check of a config reads one block"


def test_nan_and_infinity_as_python_writes_them_are_numbers(write):
    _, columns = _columns(write('{"a": NaN}\n{"a": -Infinity}\n{"a": 1}\n', "rows.jsonl"))
    assert str(columns) == "{'a': [nan, -inf, 1.0]}"


def test_a_byte_order_mark_windows_line_ends_blank_lines_and_gzip_are_fine(write):
    content = '\ufeff{"a": 1}\r\n\r\n{"a": 2}'.encode()
    for path in (write(content, "rows.jsonl"), write(gzip.compress(content), "rows.jsonl.gz")):
        assert _columns(path)[1] == {"a": [1, 2]}


def test_a_column_is_float_where_the_schema_says_so(write):
    assert _columns(write('{"a": 1}', "rows.jsonl"), float_columns=["a"]) == ({"a": pa.float64()}, {"a": [1.0]})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "no rows"),
        ('{"a": 1}\n{"a": }\n', "line 2: no JSON, got '{\"a\": }'"),
        ('{"a": 1}\n[1]\n', "line 2: no JSON object"),
        ('{"a": {"b": 1}}\n', "column 'a': nested values"),
        ('{"a": [{"b": 1}]}\n', "column 'a': nested values"),
        ('{"a": [[1], [2]]}\n', "column 'a': a list in a list"),
        ('{"a": [1, null]}\n', "column 'a': a list with an empty item"),
        ('{"a": "\\ud800"}\n', "line 1: no JSON"),
        ('{"a": "\\ud800", "b": 12345678901234567890123}\n', "line 1: no JSON"),
    ],
)
def test_what_is_no_row_is_told_with_its_place(write, content, sentence):
    path = write(content, "rows.jsonl")
    with pytest.raises(ValueError, match="got ") as error:
        jsonl.column_types([path])
    assert str(error.value).startswith(path)
    assert sentence in str(error.value)
