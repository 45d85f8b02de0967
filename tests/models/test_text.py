"""The four networks, from analyzed texts to answers; one of them exported, at every door that needs no socket."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import _heads, _inputs, _wanted, _words, tabular, text
from serving.predictor import Predictor
from serving.preprocessing import Preprocessing
from tests.conftest import serialized
from tests.models.conftest import BAG, EVERY_TOKEN, TEXT_CONFIG

LONG = {**BAG, "length": 40}
SMALL = {**text.DEFAULTS, "hidden_units": 8, "embedding_units": 8, "filters": 8, "dropout": 0.0, "learning_rate": 0.05}


@pytest.mark.parametrize("network", ["linear", "mlp", "average", "cnn"])
def test_a_network_learns_from_words_and_answers_for_none(notes, network):
    found = notes(note=LONG) if network in ("linear", "mlp") else notes(note=EVERY_TOKEN)
    split = _inputs.read_split(found.arguments.train_files, found.graph, "mood_label")
    features = {name: split.columns[name] for name in split.columns if not name.startswith("tft_")}
    keras.utils.set_random_seed(1)
    model = text.build_model(found.transform, TEXT_CONFIG, {**SMALL, "network": network}, split.label)
    _heads.compiled(model, "multiclass", keras.optimizers.Adam(SMALL["learning_rate"]))
    model.fit(features, split.label, epochs=8, batch_size=32, verbose=0)
    probabilities = model.predict(features, verbose=0)
    right = probabilities.argmax(axis=1) == split.label
    assert right[2:].mean() > 0.95
    assert np.isfinite(probabilities[:2]).all(), "rows without a word"


@pytest.mark.parametrize("network", ["linear", "mlp", "average", "cnn", "table"])
def test_no_layer_has_a_name_that_the_feature_of_another_column_could_have(notes, network):
    found = notes(note=EVERY_TOKEN if network in ("average", "cnn") else LONG)
    module, hp = (tabular, tabular.DEFAULTS) if network == "table" else (text, {**SMALL, "network": network})
    model = module.build_model(found.transform, TEXT_CONFIG, hp, np.zeros(1))
    endings = tuple(f"_{suffix}" for suffix in _wanted.SUFFIXES.values())
    layers = [layer.name for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    assert not [name for name in layers if name.endswith(endings)], "Keras takes no name twice"


def test_a_table_reads_a_text_too(notes):
    found = notes(note=LONG)
    split = _inputs.read_split(found.arguments.train_files, found.graph, "mood_label")
    keras.utils.set_random_seed(1)
    hp = {**tabular.DEFAULTS, "hidden_units": 8, "learning_rate": 0.03, "dropout": 0.0}
    model = tabular.build_model(found.transform, TEXT_CONFIG, hp, split.label)
    _heads.compiled(model, "multiclass", keras.optimizers.Adam(hp["learning_rate"]))
    model.fit(split.columns, split.label, epochs=8, batch_size=32, verbose=0)
    probabilities = model.predict(split.columns, verbose=0)
    assert (probabilities.argmax(axis=1) == split.label)[2:].mean() > 0.95
    widths = {weights.shape[-1] for weights in model.trainable_variables if weights.shape[0] == 60}
    assert widths == {2, 3}, "one weight a class for the wide part, the fourth root of 60 for the deep one"


def test_a_table_reads_no_tokens():
    config = {**TEXT_CONFIG, "features": {"exclude": [], "columns": {"note": [EVERY_TOKEN]}}}
    with pytest.raises(
        ValueError, match=r"features\.columns\.note: the model tabular reads a text as a bag, got tokens"
    ):
        tabular.preprocessing_fn({"note": None, "mood": None}, config)


def test_a_weighted_bag_is_a_dense_layer_on_the_sparse_vector():
    layer = _words.WeightedBag(5, 3, "normal")
    ids, weights = np.array([[4, 1, 0], [2, 0, 0], [0, 0, 0]]), np.array([[3.0, 4.0, 0], [0.5, 0, 0], [0, 0, 0]])
    found = layer(tf.constant(ids), tf.constant(weights, tf.float32)).numpy()
    vector = np.zeros((3, 5))
    vector[0, 4], vector[0, 1], vector[1, 2] = 0.6, 0.8, 1.0
    np.testing.assert_allclose(found, vector @ layer.kernel.numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("network", "plan", "message"),
    [
        ("lstm", LONG, "no such network, got 'lstm'; there are linear, mlp, average, cnn"),
        ("cnn", LONG, "cnn reads what the transform tokens makes, got note_bag; give every column"),
        ("linear", EVERY_TOKEN, "linear reads what the transform text makes, got note_tokens; give every column"),
    ],
)
def test_a_network_that_cannot_read_the_columns_is_refused(notes, network, plan, message):
    with pytest.raises(ValueError, match=f"network: {message}"):
        text.build_model(notes(note=plan).transform, TEXT_CONFIG, {**SMALL, "network": network}, np.zeros(1))


@pytest.mark.parametrize(("plan", "got"), [({}, "no transform"), ({"more": [{"kind": "vocabulary"}]}, "vocabulary")])
def test_a_column_that_is_no_text_is_refused(plan, got):
    config = {**TEXT_CONFIG, "features": {"exclude": ["id"], "columns": {"note": [BAG], **plan}}}
    inputs = dict.fromkeys(("note", "more", "id", "mood"))
    with pytest.raises(ValueError, match=rf"features\.columns\.more: the model text reads texts only, got {got}; give"):
        text.preprocessing_fn(inputs, config)


@pytest.fixture(scope="module")
def exported(notes):
    """A linear model on bags, trained and exported as the pipeline would, and what it was made of."""
    found = notes(note=LONG)
    arguments = found.arguments
    arguments.custom_config["hyperparameters"] = {"network": "linear", "learning_rate": 0.05}
    text.run_fn(arguments)
    predictor = Predictor(arguments.serving_model_dir)
    yield found, predictor
    predictor.close()


def test_signatures_answer_alike_for_texts_and_missing_ones(exported, tmp_path):
    found, predictor = exported
    texts = found.texts.numpy()
    answers = predictor.predict({"note": texts})
    assert (answers["label"] == np.array([row["mood"].encode() for row in found.rows]))[2:].mean() > 0.95
    by_examples = predictor.predict({"examples": [serialized(row) for row in found.rows]}, "serving_examples")
    recipe = f"{found.arguments.serving_model_dir}/assets.extra/preprocessing.json"
    by_features = predictor.predict(Preprocessing(recipe)({"note": texts}), "serving_transformed")
    for other in (by_examples, by_features):
        np.testing.assert_allclose(other["probabilities"], answers["probabilities"], rtol=1e-5)
    assert "serving_mobile" not in predictor.signatures


def test_phones_are_told_why_they_get_no_raw_text(exported):
    found, _ = exported
    with open(f"{found.arguments.serving_model_dir}/assets.extra/preprocessing.json", encoding="utf-8") as file:
        recipe = json.load(file)
    assert recipe["obstacles"] == ["note: TFLite cannot split a text into words"]
    assert recipe["classes"] == ["sad", "glad"]
    bag = recipe["features"]["note_bag"]
    assert len(bag["words"]) == len(bag["idf"]) == 60
    assert (bag["ngrams"], bag["weights"], bag["length"]) == (2, "tfidf", 40)
