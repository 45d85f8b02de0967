"""A slow input is told from a slow validation."""

import json
import time

import keras
import pytest
import tensorflow as tf

from models._step_time import FILE, StepTimes

SLOW_S, BATCHES = 0.05, 8


def _batches(slow):
    def wait(x):
        time.sleep(SLOW_S if slow else 0)
        return x

    x = tf.ones((BATCHES, 4, 1))
    slowly = tf.data.Dataset.from_tensor_slices(x).map(
        lambda x: tf.ensure_shape(tf.numpy_function(wait, [x], x.dtype), x.shape)
    )
    return slowly.map(lambda x: (x, x)).prefetch(1)


@pytest.mark.parametrize(("input_is_slow", "validation_is_slow"), [(True, False), (False, True)])
def test_the_time_of_an_epoch_is_told_by_what_took_it(input_is_slow, validation_is_slow, tmp_path):
    model, times = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), StepTimes(str(tmp_path))
    model.compile("sgd", "mse")
    batches = times.measured(_batches(input_is_slow))
    model.fit(batches, validation_data=_batches(validation_is_slow), epochs=2, callbacks=[times], verbose=0)
    _, epoch = json.loads((tmp_path / FILE).read_text())
    least = 0.8 * SLOW_S * BATCHES
    assert (epoch["input"] > least, epoch["validation"] > least) == (input_is_slow, validation_is_slow)
    assert sum(epoch[part] for part in ("input", "step", "validation")) == pytest.approx(epoch["epoch"])


def test_a_deterministic_training_looks_at_no_clock_in_its_dataset(tmp_path):
    batches = _batches(slow=False)
    assert StepTimes(str(tmp_path), deterministic=True).measured(batches) is batches
