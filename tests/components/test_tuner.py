"""A search in which no trial finished is a failure, with the first trial's error."""

import keras
import keras_tuner
import numpy as np
import pytest

from components._tuner import require_finished_trial


def _build(hp):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(hp.Int("units", 1, 4)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


class _Fails(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise ZeroDivisionError("planted")


def _search(directory, *callbacks):
    tuner = keras_tuner.RandomSearch(_build, objective="val_loss", max_trials=2, directory=directory)
    x = np.zeros((4, 1), "float32")
    tuner.search(x, x, validation_data=(x, x), epochs=1, verbose=0, callbacks=list(callbacks))
    return tuner


def test_a_search_without_a_finished_trial_fails_with_the_first_error(tmp_path):
    # KerasTuner itself ends this search as if nothing had happened.
    with pytest.raises(RuntimeError, match="none of 2 trials finished, got ZeroDivisionError: planted"):
        require_finished_trial(_search(tmp_path, _Fails()))


def test_a_search_with_a_finished_trial_passes(tmp_path):
    require_finished_trial(_search(tmp_path))
