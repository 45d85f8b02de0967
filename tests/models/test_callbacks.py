"""The callbacks of a config, at work in a fit."""

import csv

import keras
import numpy as np
import pytest

from models import _callbacks
from pipeline.training_config import Training

ROWS = 64


def _training(**content):
    return Training.model_validate(content).model_dump(mode="json", exclude_none=True)


def _fit(callbacks, epochs, rate=0.1, learnable=True):
    """Fit a line; where it is not learnable, the loss on the eval rows gets worse from the first epoch on."""
    keras.utils.set_random_seed(1)
    x = np.linspace(-1, 1, ROWS, dtype=np.float32)[:, None]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=[keras.metrics.RootMeanSquaredError(name="rmse")])
    right = (x, 2 * x if learnable else -x)
    return model.fit(
        x, 2 * x, batch_size=16, epochs=epochs, validation_data=right, callbacks=callbacks, verbose=0
    ), model


def test_the_logs_have_a_line_for_every_epoch_curves_and_a_profile(tmp_path):
    training = _training(tensorboard={"profile_batch": [2, 3]})
    history, _ = _fit(_callbacks.of_training(training, str(tmp_path)), 3)
    with open(tmp_path / "epochs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    assert [float(row["val_loss"]) for row in rows] == history.history["val_loss"]
    assert list(tmp_path.glob("train/events*"))
    assert list(tmp_path.glob("validation/events*"))
    assert [path.stat().st_size > 0 for path in tmp_path.glob("train/plugins/profile/*/*.xplane.pb")] == [True]


def test_without_a_wish_nothing_is_profiled(tmp_path):
    _fit(_callbacks.of_training(_training(), str(tmp_path)), 1)
    assert not list(tmp_path.glob("**/profile"))


@pytest.mark.parametrize("monitor", ["val_loss", "val_rmse"])
def test_a_fit_ends_when_what_it_monitors_gets_no_better_and_keeps_the_best_weights(monitor):
    history, model = _fit(_callbacks.of_trial(_training(monitor=monitor), patience=2), 10, learnable=False)
    assert len(history.epoch) == 3
    right = np.linspace(-1, 1, ROWS, dtype=np.float32)[:, None]
    assert model.evaluate(right, -right, verbose=0)[0] == pytest.approx(history.history["val_loss"][0])


def test_a_metric_of_the_train_split_can_be_monitored():
    history, _ = _fit(_callbacks.of_trial(_training(monitor="loss"), patience=2), 10, learnable=False)
    assert len(history.epoch) == 10


def test_what_is_hardly_better_is_not_better():
    history, _ = _fit(_callbacks.of_trial(_training(min_delta=100), patience=2), 10)
    assert len(history.epoch) == 3


def test_the_learning_rate_falls_on_a_plateau():
    plateau = {"factor": 0.5, "patience": 1, "min_lr": 0.02}
    callbacks = _callbacks.of_trial(_training(reduce_on_plateau=plateau), patience=10)
    history, _ = _fit(callbacks, 5, learnable=False)
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.1, 0.05, 0.025, 0.02])
