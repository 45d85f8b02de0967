"""From a SavedModel to .tflite files: what converts, what the converter dies of, what misses its bounds."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import _tflite_convert, _tflite_report
from serving.predictor import Predictor
from serving.rows import from_examples
from serving.tflite import TfliteModel

LABEL = {"name": "bought", "task": "binary", "classes": []}
ROWS = 600


def _example(size, city, bought):
    example = tf.train.Example()
    if not np.isnan(size):
        example.features.feature["size"].float_list.value.append(size)
    example.features.feature["city"].bytes_list.value.append(city)
    example.features.feature["bought"].int64_list.value.append(bought)
    return example.SerializeToString()


@pytest.fixture(scope="module")
def examples():
    """Rows as serialized tf.Examples, some without a size."""
    random = np.random.default_rng(1)
    sizes = np.where(random.random(ROWS) < 0.1, np.nan, random.normal(40.0, 10.0, ROWS))
    cities = random.choice([b"Rome", b"Oslo", b"Lima"], ROWS)
    return [_example(size, city, int(size > 40)) for size, city in zip(sizes, cities, strict=True)]


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """A model with the signatures of models/_export.py, and `serving_examples`, which no TFLite can run."""
    features = {"size_z": keras.Input((), name="size_z"), "city_id": keras.Input((), name="city_id", dtype="int64")}
    embedded = keras.layers.Embedding(4, 3)(features["city_id"])
    both = keras.ops.concatenate([embedded, keras.ops.expand_dims(features["size_z"], -1)], axis=-1)
    hidden = keras.layers.Dense(64, activation="relu")(both)
    output = keras.ops.squeeze(keras.layers.Dense(1, activation="sigmoid")(hidden), -1)
    model = keras.Model(features, output)
    cities = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(["Rome", "Oslo", "Lima"]), tf.range(3, dtype=tf.int64)), -1
    )
    module = tf.Module()
    module.cities = cities

    def transform(columns):
        missing = tf.not_equal(columns["size"], columns["size"])
        size = tf.where(missing, tf.zeros_like(columns["size"]), (columns["size"] - 40.0) / 10.0)
        ids = cities.lookup(columns["city"])
        return {"size_z": size, "city_id": tf.reshape(ids + tf.cast(ids < 0, tf.int64) * 4, [-1])}

    def answer(features):
        return {"probability": model({name: features[name] for name in ("size_z", "city_id")})}

    def transform_features(examples):
        spec = {
            "size": tf.io.FixedLenFeature([], tf.float32, float("nan")),
            "city": tf.io.FixedLenFeature([], tf.string, ""),
            "bought": tf.io.FixedLenFeature([], tf.int64, 0),
        }
        parsed = tf.io.parse_example(examples, spec)
        return {**transform(parsed), "bought_label": parsed["bought"]}

    raw = {name: tf.TensorSpec([None], kind, name=name) for name, kind in (("size", tf.float32), ("city", tf.string))}
    dense = {name: tf.TensorSpec([None], tensor.dtype, name=name) for name, tensor in features.items()}
    serialized = [tf.TensorSpec([None], tf.string, name="examples")]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(module)
    archive.add_endpoint("serving_default", lambda columns: answer(transform(columns)), [raw])
    archive.add_endpoint("serving_mobile", lambda columns: answer(transform(columns)), [raw])
    archive.add_endpoint("serving_transformed", answer, [dense])
    archive.add_endpoint("transform_features", transform_features, serialized)
    archive.add_endpoint("serving_examples", lambda x: answer(transform_features(x)), serialized)
    folder = tmp_path_factory.mktemp("model")
    archive.write_out(str(folder), verbose=False)
    return folder


@pytest.fixture(scope="module")
def predictor(saved_model):
    predictor = Predictor(saved_model)
    yield predictor
    predictor.close()


@pytest.fixture(scope="module")
def converted(saved_model, predictor, examples, tmp_path_factory):
    """Every variant and one that kills the converter of TensorFlow 2.16: the folder, the signatures, the failures."""
    folder = tmp_path_factory.mktemp("mobile")
    signatures = {"doomed": "serving_examples", **_tflite_convert.SIGNATURES}
    calibration = predictor.predict({"examples": examples[:100]}, "transform_features")
    failures = _tflite_convert.convert_apart(saved_model, signatures, calibration, folder)
    return folder, signatures, failures


@pytest.fixture(scope="module")
def figures(converted, predictor, examples):
    folder, signatures, _ = converted
    inputs = predictor.signature("serving_default").inputs
    halves = (examples[:400], examples[400:])
    raws = [from_examples(half, inputs) for half in halves]
    features = [predictor.predict({"examples": half}, "transform_features") for half in halves]
    blocks = [_tflite_report.Block(raw, raw, found) for raw, found in zip(raws, features, strict=True)]
    return _tflite_report.measure(predictor, blocks, folder, signatures, LABEL)


def test_a_converter_that_dies_is_one_line_and_the_others_stand(converted):
    folder, _, failures = converted
    assert list(failures) == ["doomed"]
    assert "\n" not in failures["doomed"]
    assert failures["doomed"].startswith(("the converter died of SIG", "ConverterError"))
    assert {path.name for path in folder.iterdir()} == {f"{name}.tflite" for name in _tflite_convert.SIGNATURES}


def test_float32_answers_as_the_saved_model_does(figures):
    assert figures["float32"]["rows"] == ROWS
    assert figures["float32"]["max_difference"] < 1e-6
    assert figures["float32"]["top_1_agreement"] == 1.0
    # Two rows that differ in the last bit may change places in the curve.
    assert figures["float32"]["loss"] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("variant", "difference"), [("float16", 1e-3), ("dynamic", 0.1), ("int8", 0.1)])
def test_smaller_numbers_answer_nearly_so_and_not_quite(figures, variant, difference):
    assert 0 < figures[variant]["max_difference"] < difference
    assert figures[variant]["bytes"] < figures["float32"]["bytes"]


def test_no_file_needs_flex_and_int8_computes_in_integers(figures):
    assert not any(figures[name]["flex"] for name in figures)
    assert "QUANTIZE" in figures["int8"]["operations"]
    assert "HASHTABLE_FIND" in figures["float32"]["operations"]


def test_every_engine_and_number_of_threads_is_timed(figures):
    assert set(figures["float32"]["latency"]) == {
        f"{engine}, {threads}" for engine in ("litert", "tf.lite") for threads in ("1 thread", "2 threads")
    }
    assert all(0 < one["median_us"] <= one["p99_us"] for one in figures["float32"]["latency"].values())


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        ({"max_bytes": 100}, "size "),
        ({"max_latency_ms": 1e-6}, "latency "),
        ({"max_difference": 0.0}, "difference "),
        ({"max_loss": -1.0}, "auc loss "),
    ],
)
def test_a_bound_that_is_missed_is_named_with_both_numbers(figures, bound, text):
    (problem,) = _tflite_report.over_budget(figures["float16"], bound)
    assert problem.startswith(text)
    assert " > " in problem


def test_a_value_that_is_no_number_misses_its_bound(figures):
    broken = {**figures["float32"], "max_difference": float("nan")}
    assert _tflite_report.over_budget(broken, {"max_difference": 1.0})


@pytest.mark.parametrize(
    ("required", "bound", "blessed", "failed"),
    [
        ("doomed", {}, False, ["doomed"]),
        ("float32", {"max_bytes": 100}, False, []),
        ("float32", {"max_difference": 1e-5}, True, []),
    ],
)
def test_only_what_is_required_stops_the_push(converted, figures, required, bound, blessed, failed):
    _, signatures, failures = converted
    variants = {name: {"required": name == required, **(bound if name == "float32" else {})} for name in signatures}
    report = _tflite_report.judge({"variants": variants}, signatures, failures, figures)
    assert (report["blessed"], report["failed"]) == (blessed, failed)
    json.dumps(report)


def test_one_row_and_many_rows_get_the_same_answers(converted, examples, predictor):
    columns = from_examples(examples[:50], predictor.signature("serving_default").inputs)
    model = TfliteModel(converted[0] / "float32.tflite")
    together = model.predict(columns)["probability"]
    one_by_one = [model.predict({n: v[i : i + 1] for n, v in columns.items()})["probability"][0] for i in range(50)]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-6)


def test_a_metric_is_worse_by_less_auc_and_by_more_error():
    assert _tflite_report.metric_loss("binary", ("auc", 0.9), ("auc", 0.8))["loss"] == pytest.approx(0.1)
    assert _tflite_report.metric_loss("regression", ("rmse", 2.0), ("rmse", 2.5))["loss"] == pytest.approx(0.5)


def test_metrics_of_each_task():
    assert _tflite_report.metric("binary", np.array([0, 1, 1]), np.array([0.2, 0.1, 0.9])) == ("auc", 0.5)
    assert _tflite_report.metric("multiclass", np.array([1, 0]), np.array([[0.1, 0.9], [0.2, 0.8]])) == (
        "accuracy",
        0.5,
    )
    assert _tflite_report.metric("regression", np.array([1.0, 3.0]), np.array([1.0, 1.0])) == (
        "rmse",
        pytest.approx(2**0.5),
    )
