"""The model that is searched as a whole: its space, and what it leaves to other models."""

import json

import keras_tuner
import pytest

from models import _search, auto, image, tabular, text


def _as_the_pipeline_hands_it_over(space):
    return json.loads(json.dumps(space, sort_keys=True))


def test_every_architecture_is_drawn_at_once_and_what_says_nothing_of_a_linear_one_is_not(tmp_path):
    objective = keras_tuner.Objective("val_loss", "min")
    seed, space = auto.CONFIG["tuner"]["seed"], _search.hyperparameters(_as_the_pipeline_hands_it_over(auto.SPACE))
    oracle = keras_tuner.oracles.RandomSearchOracle(objective, max_trials=20, seed=seed, hyperparameters=space)
    oracle._set_project_dir(str(tmp_path), "search")
    drawn = [oracle.create_trial(f"tuner{number}").hyperparameters.values for number in range(20)]
    assert {values["architecture"] for values in drawn[:3]} == set(tabular.ARCHITECTURES)
    for values in drawn:
        deep = set(auto.OF_THE_DEEP_PART) if values["architecture"] != "linear" else set()
        assert set(values) == {"architecture", "learning_rate", "batch_size"} | deep


@pytest.mark.parametrize(("kind", "model"), [("image", "image"), ("tokens", "text")])
def test_what_is_no_table_is_refused_with_the_model_to_take(kind, model):
    config = {"features": {"columns": {"size": [{"kind": "zscore"}], "photo": [{"kind": kind}]}}}
    with pytest.raises(ValueError, match=f"features.columns.photo: .* tables, got {kind}; take the model {model},"):
        auto.preprocessing_fn({}, config)


@pytest.mark.parametrize(
    ("model", "defaults"), [(one, one.DEFAULTS) for one in (tabular, text, image)] + [(auto, tabular.DEFAULTS)]
)
def test_a_model_has_the_hyperparameters_of_its_space(model, defaults):
    assert set(model.SPACE) - {"batch_size"} <= set(defaults)
