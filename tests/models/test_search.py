"""The search space of a config, as KerasTuner understands it."""

import keras
import numpy as np
import pytest
from keras_tuner.src.engine.trial import TrialStatus

from models import _search

SPACE = {
    "hidden_units": {"choice": [8, 16]},
    "hidden_layers": {"int": {"min": 1, "max": 5, "step": 2, "sampling": "linear"}},
    "learning_rate": {"float": {"min": 1e-4, "max": 1e-1, "sampling": "log"}},
    "residual": {"boolean": True},
}
SEARCH = {"objective": "val_loss", "direction": "min", "max_trials": 3, "seed": 1, "space": SPACE}


def _values(name):
    declared = _search.hyperparameters(SPACE)
    (found,) = [one for one in declared.space if one.name == name]
    return {found.random_sample(seed) for seed in range(300)}


@pytest.mark.parametrize(
    ("name", "values"), [("hidden_units", {8, 16}), ("hidden_layers", {1, 3, 5}), ("residual", {True, False})]
)
def test_every_value_of_a_dimension_is_drawn_and_no_other(name, values):
    assert _values(name) == values


def test_a_logarithmic_range_is_drawn_as_often_in_every_decade():
    drawn = np.log10(list(_values("learning_rate")))
    assert drawn.min() >= -4
    assert drawn.max() <= -1
    counts, _ = np.histogram(drawn, bins=3, range=(-4, -1))
    assert counts.min() > 70


def _drawn(directory, **changes):
    """Return what a search draws, without training any of it."""

    def build(hp):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(loss="mse")
        return model

    oracle = _search.random_search(build, {**SEARCH, **changes}, str(directory)).oracle
    trials = [oracle.create_trial(f"worker {number}") for number in range(SEARCH["max_trials"] + 1)]
    return oracle, [trial.hyperparameters.values for trial in trials if trial.status == TrialStatus.RUNNING]


def test_a_search_draws_as_many_trials_as_the_config_says_from_its_space_for_its_objective(tmp_path):
    oracle, drawn = _drawn(tmp_path, objective="val_auc", direction="max")
    assert [set(values) for values in drawn] == [set(SPACE)] * SEARCH["max_trials"]
    assert (oracle.objective.name, oracle.objective.direction) == ("val_auc", "max")


def test_the_seed_decides_what_is_drawn(tmp_path):
    first, again, other = (_drawn(tmp_path / str(i), seed=seed)[1] for i, seed in enumerate((1, 1, 2)))
    assert first == again != other
