"""Ways to split rows: no row, group or time is in two splits, whatever the rows, their order and their blocks."""

import hashlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.loaders import _cells, _splits

RATIO = {"train": 6, "eval": 3, "test": 1}
NAMES = list(RATIO)
# Few values, so that there are identical rows and large groups.
ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.sampled_from("abc")), min_size=1, max_size=200)
# A busy machine is no failure, and what fails once fails again.
quiet = settings(deadline=None, derandomize=True)
WAYS = [{"by": "hash"}, {"by": "random"}, {"by": "group", "column": "group"}]
PREPARED = [{"by": "time", "column": "time"}, {"by": "stratified", "column": "label"}]


def encode(batch):
    """Stand for the tf.Examples: bytes that differ exactly where the rows do."""
    return [repr(row).encode() for row in batch.to_pylist()]


def batches(rows, size=64):
    """The rows in blocks of a size."""
    names, columns = ("time", "group", "label"), list(zip(*rows, strict=True))
    table = pa.table(dict(zip(names, columns, strict=True))) if rows else pa.table({name: [] for name in names})
    return table.to_batches(max_chunksize=size)


def split(rows, size=64, ratio=RATIO, **way):
    """The number of the split of each row."""
    splitter = _splits.make(ratio, **way)
    splitter.prepare(iter(batches(rows, size)), encode)
    return np.concatenate([splitter.of(batch, encode(batch)) for batch in batches(rows, size)]).tolist()


def split_or_refuse(rows, **way):
    """As `split`, but None where the rows are too few or too equal for the way."""
    try:
        return split(rows, **way)
    except ValueError as error:
        if "cannot fill" not in str(error):
            raise
        return None


@pytest.mark.parametrize("way", WAYS + PREPARED, ids=lambda way: way["by"])
@quiet
@given(rows=ROWS, random=st.randoms(use_true_random=False), size=st.integers(1, 50))
def test_identical_rows_are_in_one_split_in_any_order_and_any_blocks(way, rows, random, size):
    found = split_or_refuse(rows, **way)
    if found is None:
        return
    by_row = {}
    for row, number in zip(rows, found, strict=True):
        assert by_row.setdefault(row, number) == number
    shuffled = random.sample(rows, len(rows))
    again = split(shuffled, size=size, **way)
    assert [by_row[row] for row in shuffled] == again


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["by"])
@quiet
@given(rows=ROWS, more=ROWS)
def test_a_row_stays_in_its_split_as_data_grow(way, rows, more):
    assert split(rows + more, **way)[: len(rows)] == split(rows, **way)


@quiet
@given(rows=ROWS)
def test_no_group_is_in_two_splits(rows):
    by_group = {}
    for (_, group, _), number in zip(rows, split(rows, by="group", column="group"), strict=True):
        assert by_group.setdefault(group, number) == number


@quiet
@given(rows=ROWS)
def test_every_time_of_a_split_is_before_every_time_of_the_next(rows):
    found = split_or_refuse(rows, by="time", column="time")
    if found is not None:
        times = [[row[0] for row, number in zip(rows, found, strict=True) if number == split] for split in range(3)]
        assert all(max(old) < min(new) for old, new in pairwise(times))


@quiet
@given(rows=ROWS)
def test_every_split_has_rows_of_every_class(rows):
    found = split_or_refuse(rows, by="stratified", column="label")
    if found is not None:
        classes = {row[2] for row in rows}
        assert {(row[2], number) for row, number in zip(rows, found, strict=True)} == {
            (name, number) for name in classes for number in range(3)
        }


@quiet
@given(
    sizes=st.lists(st.integers(3, 60), min_size=1, max_size=4),
    ratio=st.lists(st.integers(1, 9), min_size=2, max_size=3),
)
def test_different_rows_of_a_class_are_cut_at_the_ratio_to_the_row(sizes, ratio):
    rows = [(row, 0, f"class {name}") for name, size in enumerate(sizes) for row in range(size)]
    shares = dict(zip(NAMES, ratio, strict=False))
    found = Counter(
        zip((row[2] for row in rows), split(rows, ratio=shares, by="stratified", column="label"), strict=True)
    )
    for name, size in enumerate(sizes):
        for number, share in enumerate(ratio):
            goal = max(1, size * share / sum(ratio))
            assert abs(found[f"class {name}", number] - goal) <= len(ratio)


def test_hash_is_the_split_that_tfx_makes():
    rows = [(number, 0, "a") for number in range(300)]
    ends = {bucket: 0 if bucket < 6 else 1 if bucket < 9 else 2 for bucket in range(10)}
    expected = [
        ends[int(hashlib.sha256(example).hexdigest(), 16) % 10] for batch in batches(rows) for example in encode(batch)
    ]
    assert split(rows, by="hash") == expected
    assert set(expected) == {0, 1, 2}


@pytest.mark.parametrize(
    "way", [{"by": "random"}, {"by": "group", "column": "time"}, {"by": "stratified", "column": "label"}]
)
def test_another_seed_draws_other_splits_near_the_ratio(way):
    rows = [(number, 0, "ab"[number % 2]) for number in range(2_000)]
    one, again, two = (split(rows, seed=seed, **way) for seed in (1, 1.0, 2))
    assert one == again
    assert one != two
    for found in (one, two):
        assert [found.count(number) / 2_000 for number in range(3)] == pytest.approx([0.6, 0.3, 0.1], abs=0.04)


def test_time_cuts_at_the_ratio_and_train_is_oldest_wherever_it_stands():
    rows = [(time, 0, "a") for time in range(100)]
    found = split(rows[::-1], ratio={"test": 1, "train": 8, "eval": 1}, by="time", column="time")[::-1]
    assert found == [1] * 80 + [0] * 10 + [2] * 10


def test_equal_times_are_on_the_side_that_is_nearer_to_the_ratio():
    rows = [(time, 0, "a") for time in [1] * 50 + [2] * 30 + [3] * 20]
    assert split(rows, ratio={"train": 7, "eval": 3}, by="time", column="time") == [0] * 80 + [1] * 20
    assert split(rows, ratio={"train": 6, "eval": 4}, by="time", column="time") == [0] * 50 + [1] * 50


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (pa.array([3, 1, 2]), [1, 2, 0]),
        (pa.array([-0.5, -1.5, 2.0]), [1, 0, 2]),
        (pa.array([b"2020-01-02", b"1969-12-31", b"2020-01-01T23:59:59.5"]), [1, 2, 0]),
        (pa.array(["2020-01-01T01:00:00+02:00", "2019-12-31T22:30:00Z", "2019-12-31 23:30"]), [1, 0, 2]),
    ],
)
def test_times_are_ordered_as_moments(cells, order):
    assert np.argsort(_cells.times(cells, "t")).tolist() == order


@pytest.mark.parametrize("bad", [b"01/02/2020", b"2020-13-01", b"soon", b"\xff", b"2020-01-01T"])
def test_text_that_is_no_time_is_told_by_its_value(bad):
    with pytest.raises(ValueError, match="column 't': splits rows by time, got ") as error:
        _cells.times(pa.array([b"2020-01-01", bad]), "t")
    assert repr(bad.decode(errors="replace")) in str(error.value)


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        (pa.array([1, None]), [False, True]),
        (pa.array([1.5, float("nan"), None]), [False, True, True]),
        (pa.array([b"", None]), [False, True]),
    ],
)
def test_what_counts_as_missing(cells, missing):
    assert _cells.missing(cells).tolist() == missing


def test_groups_are_values_and_not_how_they_are_written():
    as_text, as_number = (_cells.groups(cells)[0] for cells in (pa.array([b"7", b"8"]), pa.array([7, 8])))
    assert as_text == as_number
    names, numbers = _cells.groups(pa.array([0.1, -0.0, 0.0, float(np.float32(0.1))]))
    assert (len(names), numbers.tolist()) == (2, [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("way", "what"),
    [({"by": "time"}, "by time"), ({"by": "group"}, "by group"), ({"by": "stratified"}, "by class")],
)
def test_rows_without_a_value_are_refused_with_their_count(way, what):
    table = pa.table({"x": [1, None, 3, None, 5]})
    with pytest.raises(ValueError, match=f"column 'x': splits rows {what}, and 2 of 5 rows have none"):
        _splits.make(RATIO, column="x", **way).prepare(table.to_batches(max_chunksize=2), encode)


def test_classes_that_are_too_small_are_named():
    rows = [(row, 0, "large") for row in range(10)] + [(1, 0, "small")] * 5
    with pytest.raises(ValueError, match="the rows of class 'small' cannot fill 3 splits, got 1 different;") as error:
        split(rows, by="stratified", column="label")
    assert "large" not in str(error.value)
    many = [(1, 0, f"class {number}") for number in range(9)]
    with pytest.raises(ValueError, match="4 more such classes") as error:
        split(many, by="stratified", column="label")
    assert len(str(error.value).splitlines()) == 6


def test_too_few_times_are_told():
    with pytest.raises(ValueError, match="column 'time': the times cannot fill 3 splits, got 2 different; split by"):
        split([(1, 0, "a")] * 9 + [(2, 0, "a")], by="time", column="time")


@pytest.mark.parametrize(
    ("name", "sentence"), [("y", "no column to split by, got 'y'; there are x"), ("x", "cells of several values")]
)
def test_a_column_that_cannot_split_is_told(name, sentence):
    with pytest.raises(ValueError, match=sentence):
        _splits.make(RATIO, "group", name).prepare(pa.table({"x": [[1, 2], [3]]}).to_batches(), encode)
