"""What each trial leaves: its curve, time and error in a file of its own, written while it is at work.

The curve goes to TensorBoard too; when the search is over, `_tuner_hparams.py` writes what stays of that.
"""

import math
import os
import time
from typing import Any

import keras
import keras_tuner
import tensorflow as tf
from keras_tuner.src.engine.trial import Trial

from components import _tuner_folder, _tuner_hparams

# An oracle that has nothing to give yet is asked again after this.
ASK_AGAIN_S = 0.2


class _Recorded:
    """What is laid over the class of a tuner.

    Attributes:
        record: of the trial at work.
        writer: of its curve, for TensorBoard.
        deadline: a trial ends with the epoch in which it passes; `time.time()` seconds.
        seed: each trial's weights follow from it and from the number of the trial, not from the trials before it.
    """

    record: dict[str, Any]
    writer: tf.summary.SummaryWriter
    deadline: float
    seed: int

    def pre_create_trial(self: Any) -> None:
        super().pre_create_trial()  # type: ignore[misc]
        if self.record.pop("asked", False):
            time.sleep(ASK_AGAIN_S)
        self.record["asked"] = True

    def on_trial_begin(self: Any, trial: Trial) -> None:
        super().on_trial_begin(trial)  # type: ignore[misc]
        self.record = {"worker": self.tuner_id, "process": os.getpid(), "begun": time.time(), "curve": []}
        keras.utils.set_random_seed(self.seed + int(trial.trial_id) if trial.trial_id.isdigit() else self.seed)
        logs = os.path.join(self.project_dir, _tuner_hparams.LOGS, f"trial_{trial.trial_id}")
        if tf.io.gfile.exists(logs):  # of a trial that was killed
            tf.io.gfile.rmtree(logs)
        self.writer = tf.summary.create_file_writer(logs)
        self._write_record(trial)

    def on_epoch_end(
        self: Any, trial: Trial, model: keras.Model, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        super().on_epoch_end(trial, model, epoch, logs=logs)  # type: ignore[misc]
        curve = self.record["curve"]
        again = bool(curve) and epoch < curve[-1]["epoch"]
        execution = (curve[-1]["execution"] if curve else 0) + again
        curve.append({"execution": execution, "epoch": epoch + 1, **_finite(logs or {})})
        with self.writer.as_default():
            _tuner_hparams.write_point(curve[-1], len(curve))
            self.writer.flush()
        self._write_record(trial)
        if time.time() > self.deadline:
            model.stop_training = True

    def on_trial_end(self: Any, trial: Trial) -> None:
        self.record["message"] = trial.message
        self.writer.close()
        self._write_record(trial)
        super().on_trial_end(trial)  # type: ignore[misc]

    def save(self: Any) -> None:
        if not self._is_worker():
            self.oracle.save()
        _tuner_folder.save_json(self._get_tuner_fname(), self.get_state())

    def _write_record(self: Any, trial: Trial) -> None:
        self.record["seconds"] = time.time() - self.record["begun"]
        _tuner_folder.save_json(os.path.join(self.get_trial_dir(trial.trial_id), _tuner_folder.RECORD), self.record)


def make_recorded(tuner: keras_tuner.Tuner, *, seed: int, deadline: float) -> None:
    """Change a tuner into one that records its trials, and ends them at a deadline."""
    kind = type(tuner)
    tuner.__class__ = type(f"Recorded{kind.__name__}", (_Recorded, kind), {})
    tuner.record, tuner.seed, tuner.deadline = {}, seed, deadline


def _finite(logs: dict[str, Any]) -> dict[str, float | None]:
    """Return the metrics as JSON's numbers; NaN and infinity as null."""
    return {name: float(value) if math.isfinite(value) else None for name, value in logs.items()}
