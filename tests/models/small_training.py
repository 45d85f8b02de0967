"""A small training in a process of its own: `python small_training.py FOLDER [KILL_IN_EPOCH]` writes FOLDER/found.json.

Killed, it is by itself and without a warning, in the middle of an epoch.
"""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import config

from models import _fitting, _heads, _optimizers, _runtime
from models._inputs import Split

ROWS, BATCH, EPOCHS = 200, 16, 12
TRAINING = {
    "epochs": EPOCHS, "batch_size": BATCH, "eval_batch_size": 64, "seed": 3,
    "deterministic": True, "monitor": "val_loss", "patience": 4,
    "min_delta": 0.0, "tensorboard": {"profile_batch": 0, "histogram_freq": 0},
    "optimizer": {"kind": "adam", "clipnorm": 1.0}, "schedule": {"kind": "constant", "warmup_epochs": 0},
    "reduce_on_plateau": {"factor": 0.5, "patience": 1},
}  # fmt: skip


class _KillItself(keras.callbacks.Callback):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch, self.at_work = epoch, -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.at_work = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.at_work == self.epoch and batch == 5:
            os.kill(os.getpid(), signal.SIGKILL)


def split(seed: int) -> Split:
    """Return rows whose label is mostly noise, so that a network soon gets worse on others."""
    random = np.random.default_rng(seed)
    columns = {"x": random.normal(size=(ROWS, 8)).astype(np.float32)}
    label = (columns["x"][:, 0] + random.normal(size=ROWS) > 0).astype(np.float32)
    return Split(tf.data.Dataset.from_tensors((columns, label)), columns, label, ROWS)


def network(training: dict[str, Any]) -> keras.Model:
    """Return a compiled network with dropout, whose random state is a part of the training's."""
    _runtime.begin(training)
    x = keras.Input((8,), name="x")
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(32, activation="relu")(x))
    model = keras.Model({"x": x}, keras.ops.squeeze(keras.layers.Dense(1, "sigmoid")(hidden), -1))
    optimizer = _optimizers.optimizer(training, 0.02, steps_per_epoch=13, epochs=EPOCHS)
    return _heads.compiled(model, "binary", optimizer)


def train(folder: Path, *, kill_in: int | None = None, backup: Path | None = None, **changes: Any) -> dict[str, Any]:
    """Train, and return a digest of the weights and the lines of the log."""
    training, log_dir = {**TRAINING, **changes}, folder
    model, of_training = network(training), _fitting._callbacks.of_training
    if kill_in is not None:
        _fitting._callbacks.of_training = lambda *args: [*of_training(*args), _KillItself(kill_in)]
    _fitting.fit(
        model, split(1), split(2), training, weights=None, log_dir=str(log_dir), backup_dir=backup and str(backup)
    )
    weights = b"".join(weight.tobytes() for weight in model.get_weights())
    return {"weights": hashlib.sha256(weights).hexdigest(), "log": (log_dir / "epochs.csv").read_text()}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if len(sys.argv) > 2:
        train(place / "killed", kill_in=int(sys.argv[2]), backup=place / "backup")
    found = {
        "continued": train(place / "continued", backup=place / "backup"),
        "again": train(place / "again", backup=place / "backup"),
        "unkilled": train(place / "unkilled"),
        "repeated": train(place / "repeated"),
        "other_seed": train(place / "other", seed=4),
        "deterministic": config.is_op_determinism_enabled(),
    }
    (place / "found.json").write_text(json.dumps(found))
