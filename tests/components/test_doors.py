"""A model whose doors disagree goes no further, and one whose doors cannot be compared says so."""

import json
import math

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components._doors import BLESSED_FILE, BLESSED_PROPERTY, REPORT, ROWS, Executor, compare
from serving.errors import ServingError


def example(fare: float | None, company: bytes | None, *more: bytes) -> bytes:
    """A row; None is a value that is not there."""
    row = tf.train.Example()
    features = [row.features.feature[name] for name in ("fare", "company")]  # as ExampleGen leaves a missing one
    if fare is not None:
        features[0].float_list.value.append(fare)
    if company is not None:
        features[1].bytes_list.value.extend([company, *more])
    return row.SerializeToString()


EXAMPLES = [example(n if n % 5 else None, b"x" * n if n % 3 else None) for n in range(ROWS + 6)]


def score(fare, company):
    known = tf.where(tf.math.is_nan(fare), -1.0, fare / 64)
    return {"score": known + tf.cast(tf.strings.length(company), tf.float32) / 64}


@pytest.fixture
def save(tmp_path):
    """Export a model whose `serving_examples` is off by `error`, and reads `missing` where there is no fare; both doors
    multiply by `scale`."""

    def export(*, error=0.0, missing=math.nan, drop=(), rename="fare", rank=1, scale=1.0):
        def parsed(serialized):
            spec = {
                "fare": tf.io.FixedLenFeature([], tf.float32, missing),
                "company": tf.io.FixedLenFeature([], tf.string, ""),
            }
            return {"score": score(**tf.io.parse_example(serialized, spec))["score"] * scale + error}

        text, fare = tf.TensorSpec([None], tf.string, "company"), tf.TensorSpec([None] * rank, tf.float32, rename)
        model = tf.Module()
        model.doors = {
            "serving_default": tf.function(
                lambda fare, company: {"score": score(tf.reshape(fare, [-1]), company)["score"] * scale},
                input_signature=[fare, text],
            ),
            "serving_examples": tf.function(parsed, input_signature=[tf.TensorSpec([None], tf.string, "examples")]),
        }
        kept = {name: door for name, door in model.doors.items() if name not in drop}
        tf.saved_model.save(model, str(tmp_path / "model" / "Format-Serving"), signatures=kept)
        return tmp_path / "model" / "Format-Serving"

    return export


def test_a_model_whose_doors_agree_is_blessed_with_a_report(save, tmp_path):
    save()
    (tmp_path / "examples" / "Split-eval").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(tmp_path / "examples/Split-eval/rows.gz"), "GZIP") as writer:
        for row in EXAMPLES:
            writer.write(row)
    artifacts = [standard_artifacts.Model(), standard_artifacts.Examples(), standard_artifacts.InfraBlessing()]
    model, examples, blessing = artifacts
    for artifact, name in zip(artifacts, ("model", "examples", "blessing"), strict=True):
        artifact.uri = str(tmp_path / name)
    Executor().Do({"model": [model], "examples": [examples]}, {"blessing": [blessing]}, {})
    report = json.loads((tmp_path / "blessing" / REPORT).read_text())
    assert (report["doors"], report["rows"]) == (6, ROWS)
    assert report["worst"] <= 1e-6
    assert len(report["lines"]) == 5
    assert (tmp_path / "blessing" / BLESSED_FILE).exists()
    assert blessing.get_int_custom_property(BLESSED_PROPERTY) == 1


def test_a_disagreement_names_door_output_row_and_difference(save):
    with pytest.raises(ValueError, match="a difference of") as refused:
        compare(save(error=0.5), EXAMPLES)
    lines = str(refused.value).splitlines()
    # REST and gRPC pass on what serving_examples says, so all three are named, and serving_default's two are not.
    assert [line.partition(",")[0] for line in lines] == [
        "serving_examples",
        "REST serving_examples",
        "gRPC serving_examples",
    ]
    assert "output score, row " in lines[0]
    assert lines[0].endswith("a difference of 0.5, allowed is 1e-06")


def test_a_missing_value_that_one_door_reads_as_another_is_found(save):
    with pytest.raises(ValueError, match=r"output score, row 1: 0\.0, not -1\.0"):
        compare(save(missing=0.0), EXAMPLES)


def test_doors_that_agree_on_nan_are_refused(save):
    line = rf"^serving_default, output score, row 1: NaN in {ROWS} of {ROWS} rows$"
    with pytest.raises(ValueError, match=line):
        compare(save(scale=math.nan), EXAMPLES[:ROWS])


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"drop": ["serving_examples"]}, "no signature serving_examples, got serving_default"),
        ({"drop": ["serving_default"]}, "no signature serving_default, got serving_examples"),
        ({"rename": "price"}, "serving_default takes what is no raw feature, got price"),
        ({"rank": 2}, "serving_default takes no single values, got fare of shape (-1, -1)"),
    ],
)  # fmt: skip
def test_other_models_than_ours_are_not_compared_and_it_says_why(save, odd, why):
    assert compare(save(**odd), EXAMPLES) == {"skipped": why}


def test_rows_with_several_values_of_a_feature_are_not_compared(save):
    report = compare(save(), [*EXAMPLES, example(1.0, b"a", b"b")])
    assert report == {"skipped": "serving_default takes single values, got rows with several of company"}


def test_without_rows_there_is_nothing_to_compare(save):
    assert compare(save(), []) == {"skipped": "no rows in the eval split"}


def test_a_model_that_no_server_loads_is_an_error(save):
    model = save()
    (model / "saved_model.pb").write_bytes(b"not a graph")
    with pytest.raises(ServingError):
        compare(model, EXAMPLES)
