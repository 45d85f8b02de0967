"""The optimizer of a config, with its learning rate as a number or a schedule.

A config counts in epochs, Keras in steps: how many steps an epoch has follows from the data and the batch size.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras.optimizers import schedules

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}


class WarmUp(schedules.LearningRateSchedule):
    """Rises from 0 to a learning rate in a line, and goes on with that or with a schedule.

    Args:
        rate: the learning rate.
        after: what comes then, from its own step 0 on.
        steps: of the rise; the last one has the full rate.
    """

    def __init__(self, rate: float, after: Any, steps: int) -> None:
        super().__init__()
        self._rate, self._after, self._steps = rate, after, steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        step = keras.ops.cast(step, "float32")
        rising = self._rate * (step + 1) / self._steps
        after = self._after(keras.ops.maximum(step - self._steps, 0)) if callable(self._after) else self._after
        return keras.ops.where(step < self._steps, rising, after)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as Keras wants of every schedule."""
        return {"rate": self._rate, "after": self._after, "steps": self._steps}


def optimizer(
    training: Mapping[str, Any], learning_rate: float, *, steps_per_epoch: int, epochs: int
) -> keras.optimizers.Optimizer:
    """Return the optimizer of a config.

    Args:
        training: the `training` part of custom_config.
        learning_rate: the highest that a schedule has.
        steps_per_epoch: of the train split.
        epochs: of the whole fit, at most.
    """
    options = dict(training["optimizer"])
    rate = _rate(training["schedule"], learning_rate, steps_per_epoch, epochs)
    return OPTIMIZERS[options.pop("kind")](learning_rate=rate, **options)


def _rate(schedule: Mapping[str, Any], rate: float, steps_per_epoch: int, epochs: int) -> Any:
    """Return the learning rate: a number, or a schedule."""

    def steps(of_epochs: float) -> int:
        return max(1, round(of_epochs * steps_per_epoch))

    warm = schedule["warmup_epochs"]
    after: Any = rate
    if schedule["kind"] == "cosine":
        decay_steps = steps(schedule.get("decay_epochs") or epochs - warm)
        after = schedules.CosineDecay(rate, decay_steps, schedule["alpha"])
    elif schedule["kind"] == "exponential":
        decay_steps = steps(schedule["decay_epochs"])
        after = schedules.ExponentialDecay(rate, decay_steps, schedule["decay_rate"], schedule["staircase"])
    elif schedule["kind"] == "piecewise":
        # Keras's boundary is the last step before the change.
        boundaries = [steps(epoch) - 1 for epoch in schedule["boundaries"]]
        after = schedules.PiecewiseConstantDecay(boundaries, [rate * factor for factor in schedule["factors"]])
    return WarmUp(rate, after, steps(warm)) if warm else after
