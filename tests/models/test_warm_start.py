"""A network begins with the weights of an earlier one, and no weight gets another meaning."""

import copy
import csv
import json
import math
import os
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow_transform as tft
from attr import evolve

from models import _heads, _meanings, _warm_start, image, tabular, text
from tests.models.conftest import BAG, EVERY_TOKEN, TEXT_CONFIG

OLD = {"city_id": ["Rome", "Oslo", "Lima", "\n0 of 1"], "town_id": ["A", "B"]}


def _network(words, answers=("no", "yes"), *, hidden=1, units=4, numbers=("age", "size")):
    """A table of embedded words and numbers, with every weight at random."""
    x = keras.Input((1,), dtype="int64")
    values = keras.Input((len(numbers),))
    table = keras.layers.Embedding(sum(map(len, words.values())), 3, name="table")
    embedded = keras.layers.Flatten()(_meanings.mark(table, lambda: words)(x))
    rows = partial(_meanings.numbered, {**dict.fromkeys(numbers, 1), "words": 3})
    hidden = _heads.dense_layers(keras.layers.concatenate([values, embedded]), hidden, units, 0.1, rows)
    network = keras.Model([x, values], _heads.dense(list(answers), "logits")(hidden))
    for weight in network.weights:
        weight.assign(np.random.default_rng().normal(size=weight.shape))
    return network


def _begun(new, old, folder):
    """Give a network the weights of another by way of the disk, and return by weight what was taken."""
    _warm_start.save(old, str(folder / "8" / "Format-Serving"), "")
    _warm_start.begin(new, str(folder / "8" / "Format-Serving"), "", str(folder / "run"))
    report = json.loads((folder / "run" / _warm_start.FILE).read_text())
    assert report["base_model"] == str(folder / "8")
    return report["weights"]


def _weight(network, layer, number=0):
    return network.get_layer(layer).weights[number].numpy()


def test_the_same_network_takes_every_weight_although_keras_numbers_its_layers_on(tmp_path):
    old, new = _network(OLD, hidden=2), _network(OLD, hidden=2)
    assert [layer.name for layer in old.layers] != [layer.name for layer in new.layers]
    found = _begun(new, old, tmp_path)
    assert [taken for taken, _ in found.values()] == [size for _, size in found.values()]
    for mine, its in zip(new.get_weights(), old.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_a_vocabulary_that_grew_and_is_in_another_order_keeps_the_rows_of_its_words(tmp_path):
    words = {"city_id": ["Oslo", "Bonn", "Rome", "Lima", "\n0 of 1"], "town_id": ["B", "Rome"]}
    old, new = _network(OLD), _network(words)
    drawn = _weight(new, "table").copy()
    found = _begun(new, old, tmp_path)
    table, before = _weight(new, "table"), _weight(old, "table")
    np.testing.assert_array_equal(table[[0, 2, 3, 4, 5]], before[[1, 0, 2, 3, 5]])
    np.testing.assert_array_equal(table[[1, 6]], drawn[[1, 6]], "a new word, and one that another feature had")
    assert found["table.0.embeddings"] == [15, 21]


def test_the_columns_of_the_last_layer_follow_their_classes(tmp_path):
    old, new = _network(OLD, ["good", "bad"]), _network(OLD, ["bad", "fair", "good"])
    drawn = _weight(new, "logits", 1).copy()
    _begun(new, old, tmp_path)
    np.testing.assert_array_equal(_weight(new, "logits")[:, [0, 2]], _weight(old, "logits")[:, [1, 0]])
    bias, before = _weight(new, "logits", 1), _weight(old, "logits", 1)
    np.testing.assert_array_equal(bias, [before[1], drawn[1], before[0]])


def test_a_feature_in_the_place_of_another_does_not_get_its_weights(tmp_path):
    old, new = _network(OLD, numbers=("age", "size")), _network(OLD, numbers=("size", "wealth"))
    kernel = next(layer.name for layer in new.layers if layer.name.startswith("dense"))
    drawn = _weight(new, kernel).copy()
    found = _begun(new, old, tmp_path)
    first = next(layer.name for layer in old.layers if layer.name.startswith("dense"))
    np.testing.assert_array_equal(_weight(new, kernel)[[0, 2, 3, 4]], _weight(old, first)[[1, 2, 3, 4]])
    np.testing.assert_array_equal(_weight(new, kernel)[1], drawn[1])
    assert found["dense:0.0.kernel"] == [16, 20]


def test_what_has_another_shape_or_another_label_stays_as_it_was_drawn(tmp_path):
    old, new = _network(OLD, units=4), _network(OLD, ["price"], units=8)
    drawn = [weight.copy() for weight in new.get_weights()]
    found = _begun(new, old, tmp_path)
    assert {name for name, (taken, _) in found.items() if taken} == {"table.0.embeddings"}
    for mine, before, name in zip(new.get_weights()[1:], drawn[1:], list(found)[1:], strict=True):
        np.testing.assert_array_equal(mine, before, name)


@pytest.mark.parametrize("base_model", [None, "gone/8/Format-Serving"])
def test_without_weights_to_take_the_network_stays_and_the_report_says_why(base_model, tmp_path):
    network = _network(OLD)
    drawn = [weight.copy() for weight in network.get_weights()]
    base_model = base_model and str(tmp_path / base_model)
    _warm_start.begin(network, base_model, "", str(tmp_path / "run"))
    report = json.loads((tmp_path / "run" / _warm_start.FILE).read_text())
    assert report == {"base_model": base_model and os.path.dirname(base_model), "weights": None}
    assert all(np.array_equal(mine, its) for mine, its in zip(network.get_weights(), drawn, strict=True))


def _texts(notes, options, **hp):
    arguments = notes(note=options).arguments
    transform = tft.TFTransformOutput(arguments.transform_graph_path)
    config = {**TEXT_CONFIG, "features": {"exclude": [], "columns": {"note": [options]}}}
    return lambda: text.build_model(transform, config, {**text.DEFAULTS, **hp}, np.zeros(1))


def test_every_family_takes_every_weight_of_the_network_it_builds_again(head, picture_head, notes, tmp_path):
    def built(module, one, **hp):
        transform = tft.TFTransformOutput(one.arguments.transform_graph_path)
        config = one.arguments.custom_config
        return lambda: module.build_model(transform, config, {**module.DEFAULTS, **hp}, np.array([5.0, 7.0]))

    builds = {
        "table": built(tabular, head("multiclass")),
        "linear table": built(tabular, head("regression"), architecture="linear"),
        "without hidden layers": built(tabular, head("binary"), hidden_layers=0),
        "pictures": built(image, picture_head),
        **{network: _texts(notes, {**BAG, "length": 40}, network=network) for network in ("linear", "mlp")},
        **{network: _texts(notes, EVERY_TOKEN, network=network) for network in ("average", "cnn")},
    }
    for name, build in builds.items():
        old, new = build(), build()
        for weight in old.weights:
            weight.assign(np.random.default_rng().normal(size=weight.shape))
        found = _begun(new, old, tmp_path)
        assert all(taken == size for taken, size in found.values()), name
        for mine, its in zip(new.get_weights(), old.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its, name)


def _val_losses(folder):
    with open(os.path.join(folder, "epochs.csv"), encoding="utf-8") as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file)]


@pytest.fixture
def trained_on(head, tmp_path):
    """Return a function that trains for one epoch from a base model, and gives the folder of its logs."""

    def trained(base_model, **training):
        arguments = head("binary").arguments
        config = copy.deepcopy(arguments.custom_config)
        config["training"] |= {"epochs": 1, "warm_start": True, **training}
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        changes = {"serving_model_dir": str(place / "Format-Serving"), "model_run_dir": str(place / "run")}
        tabular.run_fn(evolve(arguments, custom_config=config, base_model=base_model, **changes))
        return place / "run"

    return trained


def test_a_training_begins_where_the_earlier_one_ended(head, trained_on):
    model, logs = head("binary").model, head("binary").arguments.model_run_dir
    cold, ended = _val_losses(logs)[0], min(_val_losses(logs))
    (begun,) = _val_losses(trained_on(str(model)))
    assert cold > ended + 0.1, "there was something to learn"
    assert math.isclose(begun, ended, abs_tol=0.2 * (cold - ended))


def test_a_teacher_begins_with_the_earlier_teacher_and_a_student_with_the_earlier_student(head, trained_on):
    taught = {"distillation": {"student": {"hidden_units": 4}, "temperature": 2.0, "weight": 0.5}}
    first = trained_on(str(head("binary").model), **taught)
    second = trained_on(str(first.parent / "Format-Serving"), **taught)
    reports = {
        name: [json.loads((run / name / _warm_start.FILE).read_text())["weights"] for run in (first, second)]
        for name in ("", "student")
    }
    assert reports["student"][0] is None, "the model before had no student"
    for weights in (*reports[""], reports["student"][1]):
        assert all(taken == size for taken, size in weights.values())
