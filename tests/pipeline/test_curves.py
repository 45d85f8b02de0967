"""Curves as lines of text: their shape, their figures, and where they are read."""

import math

import pytest

from pipeline import curves
from tests.pipeline.small_runs import REPORT, log


@pytest.mark.parametrize(
    ("values", "scale", "blocks"),
    [
        ([0.0, 1.0], (0.0, 1.0), "▁█"),
        ([3.0, 2.0, 1.0], (1.0, 3.0), "█▅▁"),
        ([0.5], (0.5, 0.5), "▁"),
        ([0.0, math.nan, 1.0, math.inf], (0.0, 1.0), "▁×█×"),
        (list(range(100)), (0.0, 99.0), "▁▁▁▂▂▂▂▂▃▃▃▃▄▄▄▄▄▅▅▅▅▅▆▆▆▆▇▇▇▇▇███"),
    ],
)
def test_a_curve_is_a_line_of_blocks(values, scale, blocks):
    assert curves.spark(values, scale) == blocks


def test_a_metric_stands_above_its_validation_on_the_same_scale():
    found = {
        "val_loss": {1: 1.0, 2: 0.5, 3: 0.75},
        "loss": {1: 2.0, 2: 1.0, 3: 0.0},
        "accuracy": {1: math.nan, 2: math.nan, 3: math.nan},
    }
    assert curves.table(found) == [
        "          by epoch  first  last  lowest    highest",
        "accuracy  ×××       nan    nan   -         -",
        "loss      █▅▁       2      0     0 in 3    2 in 1",
        "val_loss  ▅▃▄       1      0.75  0.5 in 2  1 in 1",
    ]


def test_the_curves_of_a_training_are_those_that_keras_logged(tmp_path):
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    x = np.ones((8, 1), "float32")
    board = keras.callbacks.TensorBoard(str(tmp_path), write_graph=False)
    history = model.fit(x, 2 * x, validation_data=(x, x), epochs=3, callbacks=[board], verbose=0).history
    found = curves.of_training(tmp_path)
    for name in ("loss", "val_loss"):
        assert found[name] == pytest.approx(dict(enumerate(history[name], start=1)), rel=1e-5)


def test_a_students_curves_have_its_name_and_a_file_may_end_within_a_value(tmp_path):
    log(tmp_path / "train", "epoch_loss", [3.0, 2.0, 1.0])
    log(tmp_path / "student" / "validation", "epoch_loss", [5.0])
    (file,) = (tmp_path / "train").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    assert curves.of_training(tmp_path) == {"loss": {1: 3.0, 2: 2.0}, "student val_loss": {1: 5.0}}


def test_the_best_trial_is_drawn_once_though_it_was_trained_twice():
    first, *_ = REPORT["trials"]
    again = [{**point, "execution": 1, "val_loss": 9.0} for point in first["curve"]]
    report = {**REPORT, "trials": [{**first, "curve": [*first["curve"], *again]}]}
    assert curves.of_trial(report) == {"val_loss": {1: 0.9, 2: 0.5}}
    assert curves.of_trial({**REPORT, "trials": [{**first, "curve": []}]}) == {}
