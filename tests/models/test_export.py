"""The export contract on a real small model: signatures, a TF1 session, the warm-up file, the sample rows."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from models import _export, _heads, _on_device, tabular
from serving.predictor import Predictor
from tests.conftest import serialized
from tests.models.conftest import CONFIG


@pytest.fixture(scope="module")
def examples(analyzed_for_phones):
    return [serialized(row) for row in analyzed_for_phones.rows]


@pytest.fixture(scope="module")
def exported(analyzed_for_phones, examples, tmp_path_factory):
    """An untrained network behind the transforms, as run_fn exports it."""
    keras.utils.set_random_seed(1)
    config = {**CONFIG, "training": {}, "mobile": True}
    model = tabular.build_model(analyzed_for_phones.transform, config, tabular.DEFAULTS, np.zeros(1))
    folder = tmp_path_factory.mktemp("export") / "model"
    answer = _heads.answer(model, config, analyzed_for_phones.transform)
    mobile = _on_device.for_phones(analyzed_for_phones.graph, analyzed_for_phones.transform, config)
    _export.export(model, analyzed_for_phones.graph, answer, config, examples, str(folder), mobile)
    return folder


@pytest.fixture(scope="module")
def predictor(exported):
    """A TF1 session, which is what TensorFlow Serving runs."""
    predictor = Predictor(exported)
    yield predictor
    predictor.close()


def test_every_signature_is_there_and_named(predictor, analyzed_for_phones):
    assert set(predictor.signatures) >= {
        "serving_default", "serving_examples", "transform_features", "serving_mobile", "serving_transformed",
    }  # fmt: skip
    assert set(predictor.signature("serving_default").inputs) == set(analyzed_for_phones.columns)
    assert set(predictor.signature("serving_default").outputs) == {"label", "probabilities"}


@pytest.mark.parametrize("signature", ["serving_examples", "serving_mobile", "serving_transformed"])
def test_signatures_answer_alike_for_rows_with_missing_values(predictor, analyzed_for_phones, examples, signature):
    columns = {name: values.numpy() for name, values in analyzed_for_phones.columns.items()}
    features = {name: analyzed_for_phones.features[name] for name in predictor.signature("serving_transformed").inputs}
    asked = {"serving_examples": {"examples": examples}, "serving_mobile": columns, "serving_transformed": features}
    expected, got = predictor.predict(columns), predictor.predict(asked[signature], signature)
    np.testing.assert_allclose(got["probabilities"], expected["probabilities"], atol=1e-5)
    assert got["label"].tolist() == expected["label"].tolist()


def test_probabilities_add_up_and_the_label_is_the_likeliest(predictor, analyzed_for_phones):
    answer = predictor.predict({name: values.numpy() for name, values in analyzed_for_phones.columns.items()})
    np.testing.assert_allclose(answer["probabilities"].sum(axis=1), 1, rtol=1e-5)
    assert answer["label"].tolist() == [[b"good", b"bad"][i] for i in answer["probabilities"].argmax(axis=1)]


def test_transform_features_gives_the_label_that_evaluation_needs(predictor, analyzed_for_phones, examples):
    labels = predictor.predict({"examples": examples}, "transform_features")["kind_label"]
    assert labels.tolist() == [["good", "bad"].index(row["kind"]) for row in analyzed_for_phones.rows]


def test_the_warm_up_file_replays(exported, predictor):
    (record,) = tf.data.TFRecordDataset(str(exported / "assets.extra/tf_serving_warmup_requests")).as_numpy_iterator()
    request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
    inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
    assert len(predictor.predict(inputs, request.model_spec.signature_name)["label"]) == _export.SAMPLE_ROWS


def test_the_sample_rows_are_the_first_rows_without_label_and_markers(exported, analyzed_for_phones):
    lines = (exported / "assets.extra/sample_rows.jsonl").read_text().splitlines()
    for line, row in zip(lines, analyzed_for_phones.rows, strict=False):
        found = json.loads(line)
        assert set(found) == set(row) - {"kind"}
        for name, value in found.items():
            assert value == (pytest.approx(row[name], rel=1e-6) if isinstance(value, float) else row[name])
    assert len(lines) == _export.SAMPLE_ROWS
