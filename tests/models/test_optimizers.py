"""What a config says of the optimizer is what Keras gets; a learning rate is looked at step by step."""

import keras
import numpy as np
import pytest

from models import _optimizers
from pipeline.training_config import Training

STEPS, EPOCHS, RATE = 10, 5, 0.5


def _optimizer(**content):
    training = Training.model_validate(content).model_dump(mode="json", exclude_none=True)
    return _optimizers.optimizer(training, RATE, steps_per_epoch=STEPS, epochs=EPOCHS)


def _rates(schedule):
    """Return the learning rate of every step of a fit."""
    optimizer, rates = _optimizer(schedule=schedule), []
    variable = keras.Variable([1.0])
    for _ in range(STEPS * EPOCHS + 1):
        rates.append(float(optimizer.learning_rate))
        optimizer.apply([keras.ops.ones(1)], [variable])
    return np.array(rates)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {0: 0.5, 50: 0.5}),
        ({"constant": {"warmup_epochs": 1}}, {0: 0.05, 4: 0.25, 9: 0.5, 10: 0.5, 50: 0.5}),
        ("cosine", {0: 0.5, 25: 0.25, 50: 0.0}),
        ({"cosine": {"warmup_epochs": 1, "alpha": 0.1}}, {9: 0.5, 10: 0.5, 30: 0.275, 50: 0.05}),
        ({"cosine": {"decay_epochs": 2}}, {10: 0.25, 20: 0.0, 50: 0.0}),
        ({"exponential": {"decay_rate": 0.5}}, {0: 0.5, 5: 0.5 * 0.5**0.5, 10: 0.25, 20: 0.125}),
        ({"exponential": {"decay_rate": 0.5, "staircase": True}}, {0: 0.5, 9: 0.5, 10: 0.25, 19: 0.25, 20: 0.125}),
        (
            {"piecewise": {"boundaries": [1, 2.5], "factors": [1, 0.1, 0.01]}},
            {0: 0.5, 9: 0.5, 10: 0.05, 24: 0.05, 25: 0.005, 50: 0.005},
        ),
        (
            {"piecewise": {"boundaries": [1], "factors": [1, 0.1], "warmup_epochs": 0.2}},
            {0: 0.25, 1: 0.5, 11: 0.5, 12: 0.05},
        ),
    ],
    ids=str,
)
def test_a_schedule_counts_in_epochs(schedule, expected):
    rates = _rates(schedule)
    np.testing.assert_allclose(rates[list(expected)], list(expected.values()), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("content", "kind", "options"),
    [
        ("adam", keras.optimizers.Adam, {"clipnorm": None, "beta_1": 0.9}),
        ({"adamw": {"weight_decay": 0.1, "global_clipnorm": 2}}, keras.optimizers.AdamW, {"weight_decay": 0.1}),
        ({"adamw": {"global_clipnorm": 2}}, keras.optimizers.AdamW, {"weight_decay": 0.004, "global_clipnorm": 2}),
        ({"sgd": {"momentum": 0.9, "nesterov": True, "clipvalue": 0.1}}, keras.optimizers.SGD, {"clipvalue": 0.1}),
        ({"rmsprop": {"rho": 0.8, "clipnorm": 3}}, keras.optimizers.RMSprop, {"rho": 0.8, "clipnorm": 3}),
    ],
    ids=str,
)
def test_an_optimizer_gets_the_configs_options_and_else_kerass(content, kind, options):
    found = _optimizer(optimizer=content)
    assert type(found) is kind
    assert {name: getattr(found, name) for name in options} == options
    assert float(found.learning_rate) == RATE


def test_a_clipped_gradient_moves_a_weight_no_further():
    for content, moved in (("sgd", 4.0), ({"sgd": {"clipvalue": 2}}, 1.0), ({"sgd": {"clipnorm": 1}}, 0.5)):
        variable = keras.Variable([0.0])
        _optimizer(optimizer=content).apply([keras.ops.convert_to_tensor([8.0])], [variable])
        assert float(variable.numpy()[0]) == pytest.approx(-moved)
