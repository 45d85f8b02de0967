"""KerasTuner's oracle, made to last: a kill at any moment, trials that fail, a limit of time.

KerasTuner writes its files in place and in two steps, so that a kill between them leaves half a file, trains a finished
trial again, or forgets one; a grid is not saved at all; and it gives up after three failures in a row, wherever they
come.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

import tensorflow as tf
from keras_tuner.src.engine.oracle import Oracle
from keras_tuner.src.engine.trial import Trial, TrialStatus
from keras_tuner.src.tuners.gridsearch import GridSearchOracle

from components import _tuner_folder, _tuner_report

# A search whose first trials all fail is given up; see require_finished_trial.
HOPELESS_TRIALS = 3
LOGGER = logging.getLogger(__name__)
# The contract with the screen: records with `done` and `total`.
PROGRESS = logging.getLogger("slipway.progress")


class _Lasting:
    """What is laid over the class of an oracle.

    Attributes:
        begun: when this search began, in seconds of `time.time()`; a resumed one began that much earlier.
        deadline: no trial starts after it; infinite without a limit.
        keep: takes the id of each trial that has ended and been saved.
    """

    begun: float
    deadline: float
    keep: Callable[[str], None]

    def create_trial(self: Any, tuner_id: str) -> Trial:
        if tuner_id not in self.ongoing_trials and (_hopeless(self) or time.time() > self.deadline):
            self.tuner_ids.discard(tuner_id)
            return Trial(self.hyperparameters.copy(), status=TrialStatus.STOPPED)
        return super().create_trial(tuner_id)  # type: ignore[misc]

    def end_trial(self: Any, trial: Trial) -> None:
        if trial.status != TrialStatus.COMPLETED and not trial.message:
            # KerasTuner's protocol carries no message from a worker.
            trial.message = _tuner_folder.read_record(self._project_dir, trial.trial_id)["message"]
        super().end_trial(trial)  # type: ignore[misc]
        self.save()
        _tuner_report.save_so_far(self)
        self.keep(trial.trial_id)
        _report_progress(self, self.trials[trial.trial_id])

    def get_state(self: Any) -> dict[str, Any]:
        return super().get_state() | {"spent_s": time.time() - self.begun}  # type: ignore[misc]

    def save(self: Any) -> None:
        _tuner_folder.save_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self: Any, trial: Trial) -> None:
        _tuner_folder.save_json(os.path.join(self._get_trial_dir(trial.trial_id), "trial.json"), trial.get_state())


def make_lasting(oracle: Oracle, minutes: float | None, keep: Callable[[str], None] = lambda trial_id: None) -> None:
    """Change an oracle, fresh or just reloaded, into one that lasts.

    Args:
        oracle: anything that KerasTuner has.
        minutes: no trial starts when the search has taken so many, those before a kill included; None has no limit.
        keep: called with the id of each trial that has ended, when it is saved.
    """
    spent_s = 0.0
    if tf.io.gfile.exists(oracle._get_oracle_fname()):
        with tf.io.gfile.GFile(oracle._get_oracle_fname()) as file:
            spent_s = json.load(file).get("spent_s", 0.0)
    kind = type(oracle)
    oracle.__class__ = type(f"Lasting{kind.__name__}", (_Lasting, kind), {})
    oracle.keep = keep
    oracle.begun = time.time() - spent_s
    oracle.deadline = float("inf") if minutes is None else oracle.begun + 60 * minutes
    oracle.max_consecutive_failed_trials = float("inf")
    oracle.verbose = 0
    _settle(oracle)
    _tuner_report.save_so_far(oracle)


def fail_ongoing(oracle: Oracle, tuner_id: str, message: str) -> Trial | None:
    """End the trial that a tuner was at work on when it died, as failed; return it, or None if there was none."""
    trial = oracle.ongoing_trials.get(tuner_id)
    if trial is not None:
        trial.status, trial.message = TrialStatus.FAILED, message
        oracle.end_trial(trial)
    oracle.tuner_ids.discard(tuner_id)
    return trial


def goes_on(oracle: Oracle) -> bool:
    """Return whether there may be more trials to train."""
    drawn = oracle.max_trials is not None and len(oracle.trials) >= oracle.max_trials and not oracle._retry_queue
    return not (drawn or _hopeless(oracle) or time.time() > oracle.deadline)


def _settle(oracle: Oracle) -> None:
    """Bring what a kill may have left between two writes into order."""
    # Known by its own file only: it was drawn, and nobody began it. The next draw is the same.
    for trial_id in set(oracle.trials) - set(oracle.start_order):
        del oracle.trials[trial_id]
    # Trained to the end, and not yet known to be: KerasTuner would train it again.
    for trial_id in list(oracle._retry_queue):
        trial = oracle.trials[trial_id]
        trained = trial.metrics.exists(oracle.objective.name)
        if trained or trial.status == TrialStatus.FAILED:
            oracle._retry_queue.remove(trial_id)
            trial.status = TrialStatus.COMPLETED if trained else TrialStatus.FAILED
            oracle.end_trial(trial)
    if isinstance(oracle, GridSearchOracle):
        _restore_grid(oracle)


def _restore_grid(oracle: GridSearchOracle) -> None:
    """Give a grid back what it does not save: its trials in the order of their values, and where it goes on.

    It skips the neighbours that are done.
    """
    order = cmp_to_key(lambda a, b: oracle._compare(*(oracle.trials[one].hyperparameters.values for one in (a, b))))
    for trial_id in sorted(oracle.trials, key=order):
        oracle._ordered_ids.insert(trial_id)
    oracle._populate_next = list(oracle.start_order)


def _hopeless(oracle: Oracle) -> bool:
    ended = [oracle.trials[trial_id].status for trial_id in oracle.end_order]
    return len(ended) >= HOPELESS_TRIALS and TrialStatus.COMPLETED not in ended


def _report_progress(oracle: Oracle, trial: Trial) -> None:
    name = oracle.objective.name
    if trial.status == TrialStatus.COMPLETED:
        text = f"{name} {trial.score:.4f}, best {oracle.get_best_trials()[0].score:.4f}"
    else:
        text = "failed"
        LOGGER.warning("trial %s failed: %s", trial.trial_id, trial.message)
    done, total = len(oracle.end_order), oracle.max_trials
    PROGRESS.info("trial %s: %s", trial.trial_id, text, extra={"done": done, "total": total})
