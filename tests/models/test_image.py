"""Pictures of every kind, analyzed by the real tf.Transform, learned, exported, and asked as a server asks."""

import base64
import copy
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from models import _inputs, _pictures, image
from models._transform_graph import TransformGraph
from serving.errors import ServingError
from serving.predictor import Predictor
from tests.conftest import custom_config, pipeline_config, write_examples
from tests.pictures import CLASSES, COLUMNS, LABEL, SIZE, encoded, split


@pytest.fixture(scope="module")
def pictures(picture_examples):
    """The rows of the eval split."""
    return split(picture_examples, "eval")


@pytest.fixture(scope="module")
def head(picture_head):
    return picture_head


@pytest.fixture(scope="module")
def predictor(head):
    predictor = Predictor(head.model)
    yield predictor
    predictor.close()


@pytest.fixture(scope="module")
def transform(head):
    return tft.TFTransformOutput(head.arguments.transform_graph_path)


def _network(transform, head, **hp):
    config = head.arguments.custom_config
    return image.build_model(transform, config, {**image.DEFAULTS, **hp}, np.zeros(1))


def test_stripes_are_told_apart_by_the_bytes_of_their_files(predictor, pictures):
    answer = predictor.predict({"image": [row["image"] for row in pictures]})
    right = [got.decode() == row["label"] for got, row in zip(answer["label"], pictures, strict=True)]
    assert np.mean(right) > 0.9
    np.testing.assert_allclose(answer["probabilities"].sum(axis=1), 1, rtol=1e-5)


def test_pictures_move_in_training_only(predictor, pictures, transform, head):
    once, again = (predictor.predict({"image": [pictures[0]["image"]] * 4})["probabilities"] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once, np.repeat(once[:1], 4, axis=0), rtol=1e-6)
    keras.utils.set_random_seed(1)
    pixels = {"image_pixels": np.random.default_rng(1).integers(0, 255, (8, *SIZE), np.uint8)}
    for moved in ({"shift": 0.3}, {"rotation": 0.3}, {"zoom": 0.5}, {"flip": True}):
        network = _network(transform, head, width=2, depth=1, dropout=0.0, **moved)
        still = keras.Model(network.inputs, network.layers[2].output)
        assert not np.allclose(still(pixels, training=True), still(pixels, training=False)), moved


@pytest.mark.parametrize("signature", ["serving_examples", "serving_mobile", "serving_transformed"])
def test_every_door_answers_alike(predictor, pictures, picture_examples, signature):
    images = [row["image"] for row in pictures]
    examples = split(picture_examples, "eval", parsed=False)
    pixels = predictor.predict({"examples": examples}, "transform_features")["image_pixels"]
    asked = {
        "serving_examples": {"examples": examples},
        "serving_mobile": {"image": pixels.astype(np.uint8)},
        "serving_transformed": {"image_pixels": pixels},
    }
    expected, got = predictor.predict({"image": images}), predictor.predict(asked[signature], signature)
    np.testing.assert_allclose(got["probabilities"], expected["probabilities"], atol=1e-5)
    assert got["label"].tolist() == expected["label"].tolist()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "Input is empty"),
        (b"no picture at all", "Unknown image file format"),
        (encoded(np.zeros((9, 9), np.uint8))[:40], "Invalid PNG"),
        (encoded(np.zeros((90, 90, 3), np.uint8), "JPEG")[:300], "Invalid JPEG data"),
    ],
)
def test_a_broken_picture_is_a_mistake_of_the_request_and_the_next_one_is_answered(predictor, pictures, data, text):
    with pytest.raises(ServingError, match=text) as refused:
        predictor.predict({"image": [pictures[0]["image"], data]})
    assert refused.value.code == "INVALID_ARGUMENT"
    assert len(predictor.predict({"image": [pictures[0]["image"]]})["label"]) == 1


def test_the_sample_rows_hold_pictures_as_rest_takes_them(head, pictures):
    lines = (head.model / "assets.extra/sample_rows.jsonl").read_text().splitlines()
    known = {row["image"] for row in pictures}
    assert all(base64.b64decode(json.loads(line)["image"]["b64"], validate=True) in known for line in lines)
    assert len(lines) > 1


def test_pixels_are_kept_as_bytes_and_streamed_when_there_are_too_many(head, transform, monkeypatch):
    graph, files = TransformGraph(transform), head.arguments.train_files
    kept = _inputs.read_split(files, graph, "label_label", _pictures.compact)
    assert kept.columns["image_pixels"].dtype == np.uint8
    pixels = kept.columns["image_pixels"].nbytes
    assert pixels == kept.rows * np.prod(SIZE)
    monkeypatch.setattr(_inputs, "IN_MEMORY_BYTES", pixels - 1)
    streamed = _inputs.read_split(files, graph, "label_label", _pictures.compact)
    assert streamed.columns is None
    for one, other in zip(streamed.batches(16), kept.batches(16), strict=True):
        np.testing.assert_array_equal(one[0]["image_pixels"], other[0]["image_pixels"])
        np.testing.assert_array_equal(one[1], other[1])


def test_a_broken_picture_in_the_data_is_one_line(transform, tmp_path, pictures):
    rows = [{**pictures[0], "path": "a"}, {**pictures[1], "path": "b", "image": pictures[1]["image"][:50]}]
    write_examples({"train": rows}, tmp_path)
    line = r"^a row cannot be transformed, got (Invalid|jpeg)[^\n{]* in \['[^\n]*Split-train/\*'\]; take it out"
    with pytest.raises(ValueError, match=line):
        _inputs.read_split(
            [str(tmp_path / "Split-train" / "*")], TransformGraph(transform), "label_label", _pictures.compact
        )


def test_a_block_holds_fewer_rows_when_a_row_is_large(transform, head, monkeypatch):
    graph = TransformGraph(transform)
    assert graph.row_bytes == 4 * np.prod(SIZE) + 8
    monkeypatch.setattr(_inputs, "BLOCK_BYTES", 10 * graph.row_bytes)
    found = _inputs.read_split(head.arguments.train_files, graph, "label_label", _pictures.compact)
    assert found.block_rows == 10
    assert max(len(label) for _, label in found.blocks.as_numpy_iterator()) == 10


@pytest.mark.parametrize("algorithm", ["hyperband", "models._batch_size_tuner.BatchSizeTuner"])
def test_a_search_draws_more_than_the_network_takes(algorithm, head, tmp_path):
    search = {
        "algorithm": algorithm, "objective": "val_loss", "direction": "min", "max_trials": 2, "epochs": 2, "seed": 1,
        "executions_per_trial": 1, "patience": 1, "factor": 2, "iterations": 1, "space": {"width": {"choice": [2, 4]}},
    }  # fmt: skip
    arguments = copy.copy(head.arguments)
    arguments.custom_config = {**arguments.custom_config, "tuner": search}
    arguments.working_dir = str(tmp_path)
    found = image.tuner_fn(arguments)
    found.tuner.search(**found.fit_kwargs)
    trials = list(found.tuner.oracle.trials.values())
    assert [(trial.status, trial.message) for trial in trials] == [("COMPLETED", None)] * 2
    assert all(set(trial.hyperparameters.values) > {"width"} for trial in trials)


@pytest.mark.parametrize(
    ("hp", "text"),
    [
        ({"backbone": "vgg"}, "no such backbone, got 'vgg'; one of"),
        ({"backbone": "resnet50"}, "resnet50 takes pictures of 32 x 32 or more, got 12 x 10"),
    ],
)
def test_a_hyperparameter_that_does_not_fit_is_named(transform, head, hp, text):
    with pytest.raises(ValueError, match=text):
        _network(transform, head, **hp)


@pytest.mark.parametrize(
    ("features", "text"),
    [
        (
            {"exclude": [], "columns": COLUMNS},
            r"takes pictures only, got \['path'\] too; list them in features.exclude",
        ),
        ({"exclude": ["path"], "columns": {}}, "one column of pictures is needed, got none"),
        ({"exclude": [], "columns": {**COLUMNS, "path": COLUMNS["image"]}}, r"is needed, got \['image', 'path'\]"),
        ({"exclude": ["path"], "columns": {"image": "vocabulary"}}, "one column of pictures is needed, got none"),
    ],
)
def test_features_that_are_no_picture_are_told_with_what_to_do(features, text):
    config = custom_config(pipeline_config(LABEL, features=features, model={"name": "image"}), "label", "features")
    inputs = {name: tf.constant([["x"]]) for name in ("image", "path", "label")}
    with pytest.raises(ValueError, match=text):
        image.preprocessing_fn(inputs, config)


def test_a_table_says_that_it_has_no_pictures():
    from models import tabular

    config = custom_config(pipeline_config(LABEL, features={"columns": COLUMNS}), "label", "features")
    inputs = {name: tf.constant([["x"]]) for name in ("image", "label")}
    with pytest.raises(ValueError, match=r"features\.columns\.image: a table has no such transform, got image"):
        tabular.preprocessing_fn(inputs, config)


def test_class_names_are_those_of_the_config(predictor):
    assert set(predictor.predict({"image": [encoded(np.zeros(SIZE[:2], np.uint8))]})["label"]) <= {
        name.encode() for name in CLASSES
    }
