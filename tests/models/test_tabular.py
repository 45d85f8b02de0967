"""The three heads, from preprocessing to the exported model, as the pipeline's hooks run them."""

import copy

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf import text_format
from sklearn import metrics
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import metadata_io

from models import tabular
from serving.predictor import Predictor
from tests.conftest import LABELS, custom_config, pipeline_config

# The label ids that a preprocessing must give; a learned vocabulary is sorted by falling count.
IDS = {
    "binary": lambda row: row["bought"],
    "named binary": lambda row: ["no", "yes"].index(row["answer"]),
    "multiclass": lambda row: ["small", "medium", "large"].index(row["kind"]),
    "regression": lambda row: np.float32(row["price"]),
}


def _asked(model, examples, signature="serving_examples"):
    predictor = Predictor(model)
    try:
        return predictor.predict({"examples": examples}, signature)
    finally:
        predictor.close()


@pytest.mark.parametrize("name", IDS)
def test_the_label_becomes_the_number_that_the_loss_needs(name, head, table):
    features = _asked(head(name).model, table.examples, "transform_features")
    labels = features[f"{LABELS[name]['name']}_label"]
    assert labels.tolist() == [IDS[name](row) for row in table.evaluation]
    assert labels.dtype == (np.float32 if name == "regression" else np.int64)


def test_classes_that_are_not_given_are_learned_by_falling_count(head, table):
    transform = tft.TFTransformOutput(head("learned multiclass").arguments.transform_graph_path)
    stars = [str(row["stars"]) for row in table.train]
    words = sorted(set(stars), key=stars.count, reverse=True)
    assert [word.decode() for word in transform.vocabulary_by_name("stars")] == words
    labels = _asked(head("learned multiclass").model, table.examples, "transform_features")["stars_label"]
    assert [words[label] for label in labels] == [str(row["stars"]) for row in table.evaluation]


@pytest.mark.parametrize("name", ["binary", "named binary"])
def test_a_binary_head_ranks_rows(name, head, table):
    probability = _asked(head(name).model, table.examples)["probability"]
    assert metrics.roc_auc_score([row["bought"] for row in table.evaluation], probability) > 0.9


@pytest.mark.parametrize("name", ["multiclass", "learned multiclass"])
def test_a_multiclass_head_answers_with_the_names_of_the_classes(name, head, table):
    answer = _asked(head(name).model, table.examples)
    expected = [str(row[LABELS[name]["name"]]).encode() for row in table.evaluation]
    assert np.mean(answer["label"] == np.array(expected)) > 0.75
    assert answer["probabilities"].shape == (len(table.evaluation), 3)


def test_a_regression_answers_in_the_unit_of_its_label(head, table):
    prediction = _asked(head("regression").model, table.examples)["prediction"]
    assert metrics.r2_score([row["price"] for row in table.evaluation], prediction) > 0.8


SCHEMAS = {
    "numbers": ['feature { name: "size" type: FLOAT }'],
    "ids": ['feature { name: "city" type: INT int_domain { min: 0 max: 4 is_categorical: true } }'],
}
SCHEMAS["both"] = [*SCHEMAS["numbers"], *SCHEMAS["ids"]]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("name", ["binary", "multiclass", "regression"])
def test_a_network_takes_numbers_or_ids_or_both(schema, name, tmp_path):
    text = "\n".join([*SCHEMAS[schema], f'feature {{ name: "{LABELS[name]["name"]}_label" type: INT }}'])
    metadata = tft.DatasetMetadata(text_format.Parse(text, schema_pb2.Schema()))
    metadata_io.write_metadata(metadata, str(tmp_path / tft.TFTransformOutput.TRANSFORMED_METADATA_DIR))
    config = custom_config(pipeline_config(LABELS[name]), "label", "training")
    transform = tft.TFTransformOutput(str(tmp_path))
    features = {"size": tf.constant([0.0, 1.0]), "city": tf.constant([0, 4], tf.int64)}
    for architecture, parts in tabular.ARCHITECTURES.items():
        hp = {**tabular.DEFAULTS, "architecture": architecture}
        network = tabular.build_model(transform, config, hp, np.array([5.0, 7.0]))
        output = network({key.name: features[key.name] for key in network.inputs})
        assert output.shape == ((2, 3) if name == "multiclass" else (2,))
        layers = {layer.name for layer in network.layers}
        assert bool(layers & {"wide_numbers", "wide_ids"}) == ("wide" in parts)
        assert ("deep" in layers) == ("deep" in parts)


def test_an_architecture_that_there_is_not_is_told():
    with pytest.raises(ValueError, match="architecture: no such network, got 'tree'; there are linear, wide_and_deep"):
        tabular.build_model(None, {}, {**tabular.DEFAULTS, "architecture": "tree"}, np.array([1.0]))


@pytest.fixture
def again(head, tmp_path):
    """Return a function that gives the arguments of a head's hooks anew, with changes to the custom config."""

    def changed(name, **sections):
        arguments = copy.copy(head(name).arguments)
        arguments.custom_config = copy.deepcopy(arguments.custom_config)
        for section, values in sections.items():
            arguments.custom_config[section] = {**arguments.custom_config.get(section, {}), **values}
        arguments.working_dir, arguments.serving_model_dir = str(tmp_path / "tuner"), str(tmp_path / "model")
        arguments.model_run_dir = str(tmp_path / "run")
        return arguments

    return changed


def test_a_search_tries_what_the_config_says_and_finds_the_best(again):
    space = {"hidden_units": {"choice": [17, 19]}}
    kind = {"algorithm": "random", "executions_per_trial": 1}
    search = {**kind, "space": space, "objective": "val_accuracy", "direction": "max", "max_trials": 2, "epochs": 1}
    found = tabular.tuner_fn(again("multiclass", tuner={**search, "patience": 1, "seed": 1}))
    assert isinstance(found.tuner, keras_tuner.RandomSearch)
    found.tuner.search(**found.fit_kwargs)
    best = max(found.tuner.oracle.trials.values(), key=lambda trial: trial.score)
    assert found.tuner.get_best_hyperparameters()[0].values == best.hyperparameters.values
    assert {trial.hyperparameters["hidden_units"] for trial in found.tuner.oracle.trials.values()} == {17, 19}
    network = found.tuner.hypermodel.build(best.hyperparameters)
    assert best.hyperparameters["hidden_units"] in {weights.shape[-1] for weights in network.trainable_variables}


def test_what_was_found_goes_before_the_config_and_a_student_before_both(again, table):
    distillation = {"student": {"hidden_units": 3}, "temperature": 2.0, "weight": 0.5}
    arguments = again(
        "regression", hyperparameters={"hidden_units": 9, "hidden_layers": 1},
        training={"epochs": 1, "class_weight": "none", "distillation": distillation},
    )  # fmt: skip
    arguments.hyperparameters = {"values": {"hidden_layers": 2, "hidden_units": 7}}
    tabular.run_fn(arguments)
    shapes = [variable.shape.as_list() for variable in tf.saved_model.load(arguments.serving_model_dir).variables]
    assert [3, 3] in shapes
    assert not any({7, 9} & set(shape) for shape in shapes), "the teacher is not exported"
