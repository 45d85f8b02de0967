"""No row in two splits that came ready-made, and no split without rows."""

import pyarrow as pa
import pytest

from data.loaders import _guards


def encode(batch):
    return [str(number).encode() for number in batch.column("x").to_pylist()]


def rows(*values):
    """Read the rows in blocks of two."""
    return lambda: pa.table({"x": list(values), "y": [b"z" * 99] * len(values)}).to_batches(max_chunksize=2)


def test_rows_in_two_splits_are_counted_once_and_the_first_is_shown():
    splits = {"train": rows(1, 2, 3, 3, 4), "eval": rows(9, 4, 3, 3), "test": rows(8, 1)}
    with pytest.raises(ValueError, match="rows in common") as error:
        _guards.refuse_common_rows(splits, encode)
    y = "z" * _guards.VALUE_CHARACTERS
    first, second = str(error.value).splitlines()
    assert first.startswith(
        f"the splits train and eval have rows in common, got 2, the first x=4, y={y}; keep each row"
    )
    assert second.startswith(
        f"the splits train and test have rows in common, got 1, the first x=1, y={y}; keep each row"
    )


def test_a_row_that_stands_twice_in_one_split_is_in_one_split():
    _guards.refuse_common_rows({"train": rows(1, 1, 2), "eval": rows(3, 3)}, encode)


def test_thousands_of_rows_are_not_taken_for_one_another():
    _guards.refuse_common_rows({"train": rows(*range(2_000)), "eval": rows(*range(2_000, 4_000))}, encode)


@pytest.mark.parametrize(
    ("ratio", "by", "sentence"),
    [
        ({"train": 2, "eval": 1}, "hash", " at {train: 2, eval: 1} by hash; give more rows, or write by: random or"),
        ({"train": 2, "eval": 1}, "group", " at {train: 2, eval: 1} by group; give more groups, or another seed"),
        ({}, "hash", "; give more rows"),
    ],
)
def test_a_split_without_rows_is_told_with_rows_and_ratio(ratio, by, sentence):
    with pytest.raises(ValueError, match="no rows in the split eval") as error:
        _guards.refuse_empty({"train": 5_000, "eval": 0}, ratio, by)
    assert f"got train 5,000, eval 0 of 5,000 rows{sentence}" in str(error.value)
    _guards.refuse_empty({"train": 5, "eval": 1}, ratio, by)
