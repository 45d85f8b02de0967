"""Where the time of a training goes: waiting for input, forward and backward, validation.

Keras takes a batch inside the step that it compiles, so no callback sees how long that took; the dataset itself looks
at the clock before and after.
"""

import json
import os
import time
from typing import Any

import keras
import tensorflow as tf

FILE = "step_times.json"


class StepTimes(keras.callbacks.Callback):
    """Writes the seconds of every epoch that this process trains.

    The first one of the callbacks, so that the others' seconds are no part of its own.

    Args:
        log_dir: gets `step_times.json`: a list with `epoch`, `input`, `step` and `validation` of every epoch, in
            seconds.
        deterministic: TensorFlow then has no clock, so the input is a part of the step.
    """

    def __init__(self, log_dir: str, *, deterministic: bool = False) -> None:
        super().__init__()
        self._deterministic = deterministic
        self._path = os.path.join(log_dir, FILE)
        self._epochs: list[dict[str, float]] = []
        self._begun = self._test_begun = self._validation = 0.0
        with tf.device("CPU:0"):
            self._waited = tf.Variable(0.0, trainable=False, dtype=tf.float64)

    def measured(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Return the same batches, whose wait is measured; two looks at the clock a batch."""
        if self._deterministic:
            return batches
        clock = tf.data.Dataset.counter().map(lambda _: tf.timestamp())

        def waited(asked: tf.Tensor, batch: Any) -> Any:
            self._waited.assign_add(tf.timestamp() - asked)
            return batch

        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        return tf.data.Dataset.zip((clock, batches)).map(waited).with_options(options)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._waited.assign(0.0)
        self._begun, self._validation = time.perf_counter(), 0.0

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note when validation begins."""
        self._test_begun = time.perf_counter()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Count the validation."""
        self._validation += time.perf_counter() - self._test_begun

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the epoch."""
        whole, waited = time.perf_counter() - self._begun, float(self._waited.numpy())
        found = {"epoch": whole, "step": max(0.0, whole - waited - self._validation), "validation": self._validation}
        self._epochs.append(found if self._deterministic else {**found, "input": waited})

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write what was counted, unless nothing was left to train."""
        if self._epochs:
            with open(self._path, "w", encoding="utf-8") as file:
                json.dump(self._epochs, file, indent=1)
