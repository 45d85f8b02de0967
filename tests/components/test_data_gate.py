"""What TFDV really finds in real rows stops at the gate, one sentence each."""

import math

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.types import standard_artifacts

from components._data_gate import Executor

TRAIN = {"fare": [1.0, 2.0, 3.0, 4.0], "company": ["a", "b", "a", "b"], "tip": [0, 1, 0, 1]}


@pytest.fixture
def judge(tmp_path):
    """Return a function that puts an eval split before the gate, validated against the schema of the train split."""
    found = tfdv.generate_statistics_from_dataframe(pd.DataFrame(TRAIN))
    schema = tfdv.infer_schema(found, infer_feature_shape=False)
    for feature in schema.feature:
        feature.presence.min_fraction = 0.5

    def judged(label="tip", at_least=0, train=TRAIN, **columns):
        schema.dataset_constraints.min_examples_count = at_least
        anomalies, statistics = standard_artifacts.ExampleAnomalies(), standard_artifacts.ExampleStatistics()
        for artifact, name in ((anomalies, "anomalies"), (statistics, "statistics")):
            artifact.uri, artifact.split_names = str(tmp_path / name), '["train", "eval"]'
        for split, content in (("train", train), ("eval", TRAIN | columns)):
            kept = {name: values for name, values in content.items() if values is not None}
            found = tfdv.generate_statistics_from_dataframe(pd.DataFrame(kept))
            folders = [tmp_path / name / f"Split-{split}" for name in ("anomalies", "statistics")]
            for folder in folders:
                folder.mkdir(parents=True)
            (folders[0] / "SchemaDiff.pb").write_bytes(tfdv.validate_statistics(found, schema).SerializeToString())
            (folders[1] / "FeatureStats.pb").write_bytes(found.SerializeToString())
        Executor().Do({"anomalies": [anomalies], "statistics": [statistics]}, {}, {"label": label})

    return judged


def test_rows_like_the_train_split_pass(judge):
    judge()


@pytest.mark.parametrize(
    ("columns", "sentences"),
    [
        ({"fare": ["x", "y", "z", "w"]}, ["eval split: column 'fare': Expected data of type: FLOAT but got STRING"]),
        ({"company": None}, ["eval split: column 'company': Column is completely missing"]),
        ({"company": ["a", "b", "c", "c"]}, ["eval split: column 'company': Examples contain values missing from the"]),
        ({"extra": [1, 2, 3, 4]}, ["eval split: column 'extra': New column (column in data but not in schema)"]),
        (
            {"company": None, "fare": ["x", "y", "z", "w"]},
            ["eval split: column 'company': ", "eval split: column 'fare': "],
        ),
    ],
)
def test_every_anomaly_is_a_sentence_with_split_and_column(judge, columns, sentences):
    with pytest.raises(ValueError, match="eval split") as refused:
        judge(**columns)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(sentences)
    for line, sentence in zip(lines, sentences, strict=True):
        assert line.startswith(sentence)


def test_an_anomaly_of_a_whole_split_is_a_sentence_too(judge):
    with pytest.raises(ValueError, match="eval split: The dataset has 4 examples, which is fewer than expected"):
        judge(at_least=5)


@pytest.mark.parametrize(
    ("label", "values"),
    [("company", ["a", None, "b", None]), ("fare", [1.0, math.nan, 2.0, math.nan]), ("tip", [0, None, 1, None])],
)
def test_a_row_without_a_label_is_refused_whatever_the_schema_allows(judge, label, values):
    with pytest.raises(ValueError, match="is the label") as refused:
        judge(label, **{label: pd.Series(values, dtype="Int64" if label == "tip" else None)})
    expected = f"eval split: column {label!r}: is the label, and 2 of 4 rows have none; fill or drop them"
    assert str(refused.value) == expected


def test_other_columns_may_miss_values_where_the_schema_allows_it(judge):
    judge("fare", company=["a", None, "b", None])


@pytest.mark.parametrize(
    ("label", "values", "sentence"),
    [
        ("tip", [1] * 40, "all 40 rows have 1; give rows of every class"),
        ("fare", [0.5] * 40, "all 40 rows have 0.5; give rows of every class"),
        ("company", ["a"] * 40, "all 40 rows have 'a'; give rows of every class"),
        (
            "company",
            [f"id {i}" for i in range(1_000)] * 2,
            "has 1,000 classes in 2,000 rows; is it an id? Give 10 rows a",
        ),
    ],
)
def test_a_label_that_cannot_be_learned_is_refused(judge, label, values, sentence):
    rows = len(values)
    train = {name: (cells * rows)[:rows] for name, cells in TRAIN.items()} | {label: values}
    with pytest.raises(ValueError, match="is the label") as refused:
        judge(label, train=train)
    assert f"train split: column {label!r}: is the label, and {sentence}" in str(refused.value)


def test_a_label_of_many_classes_with_many_rows_of_each_passes(judge):
    values = [f"class {i % 150}" for i in range(3_000)]
    train = {name: (cells * 3_000)[:3_000] for name, cells in TRAIN.items()} | {"company": values}
    with pytest.raises(ValueError, match="split") as refused:
        judge("company", train=train)
    assert "is the label" not in str(refused.value), "only the schema, which knows two companies, complains"
