"""Rows and label balance of each split, in words and for the record."""

import json

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.types import standard_artifacts

from pipeline import balance
from pipeline.config import Label


@pytest.fixture
def statistics(tmp_path):
    """Return a function from the labels of each split to what StatisticsGen publishes."""

    def made(**labels):
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri, artifact.split_names = str(tmp_path), json.dumps(list(labels))
        for name, values in labels.items():
            found = tfdv.generate_statistics_from_dataframe(pd.DataFrame({"x": 1.0, "label": values}))
            path = tmp_path / f"Split-{name}" / "FeatureStats.pb"
            path.parent.mkdir()
            path.write_bytes(found.SerializeToString())
        return {"statistics": [artifact]}

    return made


WORDS = {
    "0 or 1": (
        {"task": "binary"},
        {"train": [0] * 1500 + [1] * 500, "eval": [0, 0, 1]},
        "train 2,000 rows (25.0 % 1), eval 3 (33.3 % 1), 2 columns",
    ),
    "floats": ({"task": "binary"}, {"train": [0.0, 1.0], "eval": [0.0]}, "train 2 rows (50.0 % 1), eval 1 (0.0 % 1), "),
    "two words": (
        {"task": "binary", "classes": ["no", "yes"]},
        {"train": ["no", "yes", "no", "no"], "eval": ["no"]},
        "train 4 rows (25.0 % yes), eval 1 (0.0 % yes), ",
    ),
    "two numbers": (
        {"task": "binary", "classes": [2, 4]},
        {"train": [2, 4, 4, 4], "eval": [2]},
        "train 4 rows (75.0 % 4), eval 1 (0.0 % 4), ",
    ),
    "large numbers": (
        {"task": "binary", "classes": [0, 1234567]},
        {"train": [0, 1234567], "eval": [0]},
        "train 2 rows (50.0 % 1234567), eval 1 (0.0 % 1234567), ",
    ),
    "three words": (
        {"task": "multiclass"},
        {"train": ["a"] * 6 + ["b"] * 3 + ["c"], "eval": ["b"]},
        "train 10 rows (60 % a, 30 % b, 10 % c), eval 1 (100 % b), ",
    ),
    "ten digits": (
        {"task": "multiclass"},
        {"train": [*range(10)] * 9 + [3] * 10, "eval": [7, 7, 8], "test": [5]},
        "train 100 rows (10 classes, 19 % 3 to 9 % ",
    ),
    "a price": ({"task": "regression"}, {"train": [1, 2.0], "eval": [9]}, "train 2 rows (mean 1.5), eval 1 (mean 9)"),
    "ids far apart": ({"task": "multiclass"}, {"train": [1, 500], "eval": [7]}, "train 2 rows, eval 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_splits_are_put_into_words(statistics, name):
    label, rows, words = WORDS[name]
    label = Label(name="label", **label)
    assert balance.line(balance.read(statistics(**rows), label), label).startswith(words)


def test_the_record_of_a_run_has_rows_and_shares(statistics):
    label = Label(name="label", task="binary")
    found = balance.as_json(balance.read(statistics(train=[0, 0, 0, 1, None], eval=[1]), label))
    assert found == json.loads(json.dumps(found))
    assert found["train"] == {"rows": 5, "columns": 2, "shares": {"0": 0.75, "1": 0.25}, "mean": 0.25}
    assert list(found) == ["train", "eval"]


def test_shares_of_digits_are_right_to_about_a_row(statistics):
    digits = [number for number in range(10) for _ in range(100 + number)]
    shares = balance.read(statistics(train=digits), Label(name="label", task="multiclass"))["train"].shares
    assert shares == pytest.approx({str(number): (100 + number) / len(digits) for number in range(10)}, abs=3e-3)
