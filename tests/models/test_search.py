"""The search of a config, as KerasTuner understands it."""

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from keras_tuner.src.engine.trial import TrialStatus

from models import _batch_size_tuner, _search
from models._inputs import Split
from models._trial import Trial

SPACE = {
    "hidden_units": {"choice": [8, 16]},
    "hidden_layers": {"int": {"min": 1, "max": 5, "step": 2, "sampling": "linear"}},
    "learning_rate": {"float": {"min": 1e-4, "max": 1e-1, "sampling": "log"}},
    "residual": {"boolean": True},
}
SEARCH = {
    "algorithm": "random", "objective": "val_loss", "direction": "min", "max_trials": 3, "executions_per_trial": 1,
    "seed": 1, "epochs": 4, "factor": 2, "iterations": 1, "space": SPACE,
}  # fmt: skip
BATCH_SIZE_TUNER = "models._batch_size_tuner.BatchSizeTuner"


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


class _Model(keras_tuner.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(loss="mse")
        return model


def _tuner(directory, **changes):
    return _search.tuner(_Model(), {**SEARCH, **changes}, str(directory))


def _drawn(directory, **changes):
    """Return what a search draws, without training any of it: trial n has a val_loss of n."""
    oracle, drawn = _tuner(directory, **changes).oracle, []
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        drawn.append(dict(trial.hyperparameters.values))
        oracle.update_trial(trial.trial_id, {oracle.objective.name: float(len(drawn))})
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
    return oracle, drawn


@pytest.mark.parametrize("algorithm", ["random", "grid", "bayesian"])
def test_a_search_draws_as_many_trials_as_the_config_says_from_its_space_for_its_objective(algorithm, tmp_path):
    oracle, drawn = _drawn(tmp_path, algorithm=algorithm, objective="val_auc", direction="max")
    assert [set(values) for values in drawn] == [set(SPACE)] * SEARCH["max_trials"]
    assert (oracle.objective.name, oracle.objective.direction) == ("val_auc", "max")


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_the_seed_decides_what_is_drawn(algorithm, tmp_path):
    first, again, other = (
        _drawn(tmp_path / str(i), algorithm=algorithm, seed=seed)[1] for i, seed in enumerate((1, 1, 2))
    )
    assert first == again != other


@pytest.mark.parametrize("algorithm", ["random", "grid", "bayesian"])
def test_no_draw_comes_twice_and_a_small_space_ends_the_search(algorithm, tmp_path):
    space = {"hidden_units": {"choice": [8, 16, 32]}, "residual": {"boolean": True}}
    _, drawn = _drawn(tmp_path, algorithm=algorithm, max_trials=50, space=space)
    assert len(drawn) == len({tuple(sorted(values.items())) for values in drawn}) <= 6
    assert algorithm != "grid" or len(drawn) == 6


def test_hyperband_trains_the_better_ones_longer(tmp_path):
    _, drawn = _drawn(tmp_path, algorithm="hyperband", max_trials=None)
    first = [values for values in drawn if values["tuner/bracket"] == 2]
    assert [values["tuner/epochs"] for values in first] == [1] * 4 + [2] * 2 + [4]
    continued = [(values["tuner/trial_id"], values["tuner/initial_epoch"]) for values in first[4:]]
    assert continued == [("0000", 1), ("0001", 1), ("0004", 2)]


def test_a_short_bayesian_search_is_informed_after_a_third_of_its_trials(tmp_path):
    assert _tuner(tmp_path / "a", algorithm="bayesian", max_trials=10).oracle.num_initial_points == 3
    assert _tuner(tmp_path / "b", algorithm="bayesian", max_trials=10, initial_points=7).oracle.num_initial_points == 7


def test_a_hyperparameter_is_drawn_only_with_the_values_it_depends_on(tmp_path):
    space = {
        # Parents come after what depends on them: JSON with sorted keys knows no order.
        "depth": {"int": {"min": 1, "max": 3}, "when": {"network": ["deep", "both"]}},
        "dropout": {"float": {"min": 0.0, "max": 0.5}, "when": {"depth": [2, 3]}},
        "network": {"choice": ["wide", "deep", "both"]},
    }
    for algorithm in ("random", "bayesian"):
        _, drawn = _drawn(tmp_path / algorithm, algorithm=algorithm, max_trials=20, space=space)
        assert {values["network"] for values in drawn} == {"wide", "deep", "both"}
        assert {values.get("depth") for values in drawn} == {None, 1, 2, 3}
        for values in drawn:
            assert ("depth" in values) == (values["network"] != "wide")
            assert ("dropout" in values) == (values.get("depth", 1) > 1)


class _Plain(keras_tuner.Tuner):
    pass


@pytest.mark.parametrize(
    ("algorithm", "kind", "oracle"),
    [
        (BATCH_SIZE_TUNER, _batch_size_tuner.BatchSizeTuner, "BayesianOptimizationOracle"),
        ("keras_tuner.GridSearch", keras_tuner.GridSearch, "GridSearchOracle"),
        ("keras_tuner.Tuner", keras_tuner.Tuner, "RandomSearchOracle"),
    ],
)
def test_a_tuner_of_ones_own_is_taken_by_its_dotted_path(algorithm, kind, oracle, tmp_path):
    found = _tuner(tmp_path, algorithm=algorithm, executions_per_trial=2)
    assert isinstance(found, kind)
    assert type(found.oracle).__name__ == oracle
    assert found.executions_per_trial == 2
    assert (found.oracle.max_trials, found.oracle.seed) == (3, 1)


def _split(rows):
    x = np.linspace(-1, 1, rows, dtype="float32")
    blocks = tf.data.Dataset.from_tensors(({"x": x}, 2 * x))
    return Split(blocks, {"x": x}, 2 * x, rows)


def _linear(values):
    x = keras.Input((), name="x")
    y = keras.layers.Dense(1)(keras.ops.expand_dims(x, -1))
    model = keras.Model({"x": x}, keras.ops.squeeze(y, -1))
    model.compile(keras.optimizers.SGD(values["learning_rate"]), loss="mse")
    return model


def _trial():
    training = {"batch_size": 8, "eval_batch_size": 64, "seed": 1}
    return Trial(_linear, _split(64), _split(32), training, None)


@pytest.mark.parametrize(("drawn", "steps"), [({}, 8), ({"batch_size": 32}, 2)])
def test_the_batch_size_is_that_of_the_draw_or_the_config(drawn, steps):
    hp = keras_tuner.HyperParameters()
    hp.values = {"learning_rate": 0.1, **drawn}
    model = _trial().build(hp)
    _trial().fit(hp, model, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == steps


def test_the_batch_size_tuner_finds_a_batch_size(tmp_path):
    space = {"learning_rate": {"float": {"min": 0.01, "max": 0.2}}}
    config = {**SEARCH, "algorithm": BATCH_SIZE_TUNER, "max_trials": 4, "space": space}
    found = _search.tuner(_trial(), config, str(tmp_path))
    found.search(epochs=1, verbose=0)
    sizes = [trial.hyperparameters.values["batch_size"] for trial in found.oracle.trials.values()]
    assert sizes[0] == 128
    assert set(sizes) - {128}
    assert set(sizes) <= set(_batch_size_tuner.BATCH_SIZES)
