"""The fit of the final model."""

import math
import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from models import _callbacks
from models._backup import Backup
from models._inputs import Split
from models._step_time import StepTimes


def fit(
    model: keras.Model,
    rows: Split,
    evaluation: Split,
    training: Mapping[str, Any],
    *,
    weights: np.ndarray | None,
    log_dir: str,
    backup_dir: str | None,
) -> None:
    """Fit a compiled model, or go on with it where it was killed.

    Args:
        model: a compiled network.
        rows: the train split.
        evaluation: the eval split.
        training: the `training` part of custom_config.
        weights: float [classes], of a row by its label, or None.
        log_dir: for `epochs.csv` and TensorBoard's files.
        backup_dir: where a state is kept to go on from, the same for the same training; None keeps none.
    """
    callbacks, first, last = _callbacks.of_training(training, log_dir), 0, training["epochs"]
    times = StepTimes(log_dir, deterministic=training["deterministic"])
    if backup_dir:
        log = os.path.join(log_dir, _callbacks.EPOCHS)
        backup = Backup(backup_dir, callbacks, log, epochs=last)
        callbacks, first = [*callbacks, backup], backup.epoch
    # Of a training that was finished already, the best weights are restored, and no epoch is taken.
    epochs = range(first, max(first + 1, last))
    model.fit(
        times.measured(rows.epochs(training["batch_size"], epochs, training["seed"], weights=weights)),
        steps_per_epoch=math.ceil(rows.rows / training["batch_size"]),
        validation_data=evaluation.batches(min(training["eval_batch_size"], evaluation.block_rows)),
        initial_epoch=first,
        epochs=last,
        callbacks=[times, *callbacks],
        verbose=0,
    )
