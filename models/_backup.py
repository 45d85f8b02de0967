"""A training that goes on after its last finished epoch, as if it had not been killed.

keras.callbacks.BackupAndRestore saves the weights in one file and the epoch in another, so that a kill between the two
trains an epoch twice; and the other callbacks begin anew: the best weights, the patience that is used up, the log.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models import _arrays

STATE = "state.npz"
# What EarlyStopping and ReduceLROnPlateau count.
COUNTERS = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")


class Backup(keras.callbacks.Callback):
    """Saves everything that an epoch leaves, in one file; the last one of the callbacks, since it saves the others.

    The optimizer must be built before the fit: `_heads.compiled` does.

    Args:
        folder: where the state is kept; another Backup with this folder goes on with it.
        callbacks: those of the fit whose counters and best weights belong to the state.
        log: the CSV of the epochs. It is written anew up to the state, so that no epoch stands in it twice.
        epochs: of the whole training.

    Attributes:
        epoch: how many epochs are finished. Of a training that early stopping has ended, all of `epochs`.
    """

    def __init__(self, folder: str, callbacks: Sequence[keras.callbacks.Callback], log: str, *, epochs: int) -> None:
        super().__init__()
        self._folder, self._log, self._epochs = folder, log, epochs
        self._callbacks = [one for one in callbacks if any(hasattr(one, counter) for counter in COUNTERS)]
        self._path = os.path.join(folder, STATE)
        self._facts: dict[str, Any] | None = None
        self.epoch = 0
        if tf.io.gfile.exists(self._path):
            with _arrays.loaded(self._path) as state:
                self._facts = json.loads(str(state["facts"]))
            self.epoch = self._facts["epoch"]
            with open(log, "w", encoding="utf-8", newline="") as file:
                file.write(self._facts["log"])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the state, after the other callbacks have reset theirs."""
        if self._facts is None:
            return
        with _arrays.loaded(self._path) as state:
            for number, variable in zip(range(self._facts["variables"]), self._variables(), strict=True):
                variable.assign(state[f"variable_{number}"])
            for callback in self._callbacks:
                name = type(callback).__name__
                for counter, value in self._facts["counters"][name].items():
                    setattr(callback, counter, value)
                if name in self._facts["best_weights"]:
                    count = self._facts["best_weights"][name]
                    callback.best_weights = [state[f"{name}_{number}"] for number in range(count)]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the state; atomically: a kill leaves the one before or this one."""
        arrays = {f"variable_{number}": variable.numpy() for number, variable in enumerate(self._variables())}
        counters, best_weights = {}, {}
        for callback in self._callbacks:
            name, best = type(callback).__name__, getattr(callback, "best_weights", None)
            counters[name] = {one: _plain(getattr(callback, one)) for one in COUNTERS if hasattr(callback, one)}
            if best is not None:
                arrays |= {f"{name}_{number}": weight for number, weight in enumerate(best)}
                best_weights[name] = len(best)
        with open(self._log, encoding="utf-8", newline="") as file:
            log = file.read()
        finished = self._epochs if self.model.stop_training else epoch + 1
        facts = json.dumps(
            {
                "epoch": finished, "log": log, "counters": counters, "best_weights": best_weights,
                "variables": len(self._variables()),
            }
        )  # fmt: skip
        tf.io.gfile.makedirs(self._folder)
        _arrays.save(self._path, {"facts": np.array(facts), **arrays})

    def _variables(self) -> list[Any]:
        """Return the weights, the optimizer's and the random generators' variables; metrics begin anew each epoch."""
        of_metrics = {id(variable) for variable in self.model.metrics_variables}
        own = [variable for variable in self.model.variables if id(variable) not in of_metrics]
        return own + self.model.optimizer.variables


def _plain(value: Any) -> Any:
    """Return a counter as JSON takes it."""
    return value if value is None or isinstance(value, int) else float(value)
