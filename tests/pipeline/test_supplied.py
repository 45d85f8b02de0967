"""What a config leaves to its model, and what it says itself."""

from types import SimpleNamespace

import pytest

from pipeline import searched, supplied
from pipeline.errors import ConfigError
from tests.conftest import LABELS, pipeline_config

SPACE = {
    "network": {"choice": ["wide", "deep"]},
    "batch_size": {"choice": [16, 32]},
    "depth": {"int": {"min": 1, "max": 3}, "when": {"network": "deep"}},
    "dropout": {"float": {"min": 0.0, "max": 0.5}, "when": {"depth": [2, 3]}},
}
SEARCHED = {"tuner": {"max_trials": 30, "minutes": 8}, "training": {"epochs": 99, "patience": 9}}
OFF = "off"
VERTEX = {"project": "mine", "region": "europe-west4", "image": "europe-docker.pkg.dev/mine/a/b:1"}


def _model(**exports):
    return SimpleNamespace(__name__="nets.deep", **exports)


def _completed(model, hyperparameters=None, **sections):
    content = {"training": {}, "model": {"name": "nets.deep", "hyperparameters": hyperparameters or {}}}
    return supplied.completed(pipeline_config(LABELS["binary"], **content | sections), model)


@pytest.mark.parametrize(
    ("exports", "sections", "tuner"),
    [
        ({}, {}, None),
        ({"SPACE": SPACE}, {}, None),
        ({"SPACE": SPACE, "CONFIG": SEARCHED}, {"tuner": OFF}, None),
        ({"SPACE": SPACE}, {"tuner": {"minutes": 5}}, (5, 5.0, "random")),
        ({"SPACE": SPACE, "CONFIG": SEARCHED}, {}, (30, 8.0, "random")),
        ({"SPACE": SPACE, "CONFIG": SEARCHED}, {"tuner": {"minutes": 5}}, (30, 5.0, "random")),
        ({"SPACE": SPACE, "CONFIG": SEARCHED}, {"tuner": {"max_trials": 3}}, (3, 8.0, "random")),
        # Hyperband's own schedule says how many.
        ({"SPACE": SPACE, "CONFIG": SEARCHED}, {"tuner": {"algorithm": "hyperband"}}, (None, 8.0, "hyperband")),
        # A job keeps no minutes.
        ({"SPACE": SPACE, "CONFIG": SEARCHED}, {"tuner": {"vertex": VERTEX}}, (30, None, "random")),
    ],
)
def test_what_the_config_says_goes_before_what_its_model_supplies(exports, sections, tuner):
    found = _completed(_model(**exports), **sections).tuner
    assert (found and (found.max_trials, found.minutes, found.algorithm)) == tuner
    assert found is None or set(found.space) == set(SPACE)


def test_a_space_in_the_config_stands_for_the_whole_of_the_models():
    space = {"units": {"choice": [1, 2]}}
    found = _completed(_model(SPACE=SPACE, CONFIG=SEARCHED), tuner={"space": space}).tuner
    assert set(found.space) == {"units"}
    assert found.max_trials == 30
    assert set(_completed(_model(), tuner={"space": space}).tuner.space) == {"units"}


def test_the_training_is_supplied_key_by_key():
    training = _completed(_model(CONFIG={"training": SEARCHED["training"]}), training={"epochs": 7}).training
    assert (training.epochs, training.patience, training.batch_size) == (7, 9, 128)


def test_an_optimizer_and_a_schedule_go_before_the_models():
    own = {"optimizer": {"adamw": {"weight_decay": 0.1}}, "schedule": "cosine"}
    model = _model(CONFIG={"training": {"epochs": 99, "optimizer": "sgd"}})
    training = _completed(model, training=own).training
    assert (training.optimizer.kind, training.optimizer.weight_decay, training.schedule.kind) == (
        "adamw",
        0.1,
        "cosine",
    )
    assert training.epochs == 99
    assert _completed(model, training={}).training.optimizer.kind == "sgd"


@pytest.mark.parametrize(
    ("hyperparameters", "training", "left"),
    [
        ({}, {}, {"network": {}, "batch_size": {}, "depth": {"network": ["deep"]}, "dropout": {"depth": [2, 3]}}),
        ({"network": "deep"}, {}, {"batch_size": {}, "depth": {}, "dropout": {"depth": [2, 3]}}),
        ({"network": "wide"}, {}, {"batch_size": {}}),
        ({"depth": 1}, {}, {"network": {}, "batch_size": {}}),
        ({"depth": 2}, {"batch_size": 8}, {"network": {}, "dropout": {}}),
    ],
)
def test_what_the_config_fixes_is_not_searched(hyperparameters, training, left):
    tuner = _completed(_model(SPACE=SPACE), hyperparameters, training=training, tuner={}).tuner
    assert {name: dimension.when for name, dimension in tuner.space.items()} == left


@pytest.mark.parametrize(
    ("exports", "line"),
    [
        ({}, "tuner.space: is missing, got none; nets.deep exports no SPACE that stands for it"),
        ({"SPACE": {"network": SPACE["network"]}}, "tuner: nothing is left to search, got fixed network; write tuner"),
        ({"SPACE": {"rate": {"flaot": {}}}}, "model.name: nets.deep.SPACE or CONFIG['tuner']: space.rate.flaot: Extra"),
        ({"SPACE": SPACE, "CONFIG": {"tuner": {"minutes": 0}}}, "CONFIG['tuner']: minutes: Input should be greater"),
        ({"SPACE": SPACE, "CONFIG": {"training": {"epoch": 1}}}, "nets.deep.CONFIG['training']: epoch: Extra inputs"),
        ({"CONFIG": {"label": {}}}, "model.name: nets.deep.CONFIG has training, tuner only, got ['label']"),
    ],
)
def test_a_model_that_supplies_nothing_or_something_wrong_is_told_in_one_line(exports, line):
    with pytest.raises(ConfigError) as error:
        _completed(_model(**exports), {"network": "deep"}, tuner={})
    (told,) = error.value.lines
    assert line in told


def test_what_does_not_go_together_with_the_models_own_is_told_in_one_line():
    model = _model(CONFIG={"training": {"schedule": "cosine"}})
    with pytest.raises(ConfigError, match=r"CONFIG\['training'\] does not go with what the config says: the learning"):
        _completed(model, training={"reduce_on_plateau": True})


def _words(model, hyperparameters=None, **sections):
    content = {"training": {}, "model": {"name": "nets.deep", "hyperparameters": hyperparameters or {}}}
    config = pipeline_config(LABELS["binary"], **content | sections)
    return list(searched.lines(config, supplied.completed(config, model)))


def test_the_words_name_the_space_its_owner_and_its_conditions():
    assert _words(_model(SPACE=SPACE, CONFIG=SEARCHED), {"batch_size": 16}, tuner={"objective": "y"}) == [
        "searches the space of the model nets.deep: at most 30 trials of 5 epochs, 8 minutes, random, for the min of y",
        "  network  wide, deep",
        "  depth    1 to 3  with network deep",
        "  dropout  0 to 0.5  with depth 2 or 3",
    ]
    space = {"rate": {"float": {"min": 0.1, "max": 1, "sampling": "log"}}, "norm": {"boolean": True}}
    assert _words(_model(), tuner={"algorithm": "hyperband", "max_trials": 9, "space": space}) == [
        "searches the space of the config: at most 9 trials of 5 epochs, hyperband, for the min of val_loss",
        "  rate  0.1 to 1, log",
        "  norm  True, False",
    ]
    assert _words(_model(SPACE=SPACE)) == []
