"""From the `training` part of the config to Keras's callbacks: for the final training, and for every trial."""

import os
from collections.abc import Mapping
from typing import Any

import keras

from models import _progress

# In the folder of the logs: a line for every epoch.
EPOCHS = "epochs.csv"


def of_trial(training: Mapping[str, Any], patience: int) -> list[keras.callbacks.Callback]:
    """Return what decides how a fit goes, and no more: KerasTuner adds logs of its own.

    Args:
        training: the `training` part of custom_config.
        patience: of early stopping.
    """
    monitor = training["monitor"]
    found: list[keras.callbacks.Callback] = []
    if plateau := training.get("reduce_on_plateau"):
        found.append(keras.callbacks.ReduceLROnPlateau(monitor, **plateau))
    return [
        *found,
        keras.callbacks.EarlyStopping(
            monitor, min_delta=training["min_delta"], patience=patience, restore_best_weights=True
        ),
    ]


def of_training(training: Mapping[str, Any], log_dir: str) -> list[keras.callbacks.Callback]:
    """Return what a trial has, with the logs of the final training.

    Args:
        training: the `training` part of custom_config.
        log_dir: gets `epochs.csv` and TensorBoard's files.
    """
    os.makedirs(log_dir, exist_ok=True)
    profile = training["tensorboard"]["profile_batch"]
    return [
        *of_trial(training, training["patience"]),
        keras.callbacks.CSVLogger(os.path.join(log_dir, EPOCHS), append=True),
        keras.callbacks.TensorBoard(
            log_dir,
            write_graph=False,
            histogram_freq=training["tensorboard"]["histogram_freq"],
            profile_batch=tuple(profile) if isinstance(profile, list) else profile,
        ),
        _progress.EpochProgress(),
    ]
