"""The Tuner, with the one check TFX's own lacks: a search in which no trial finished is a failure.

KerasTuner survives failing trials, and TFX then hands the default hyperparameters on as the best ones.
"""

from typing import Any

import keras_tuner
from keras_tuner.src.engine.trial import TrialStatus
from tfx.components.tuner import component, executor
from tfx.dsl.components.base import executor_spec

# The variable that holds the number of processes: an execution property would be part of TFX's cache key.
WORKERS = "SLIPWAY_TUNER_WORKERS"


class Executor(executor.Executor):
    """TFX's search, whose outcome is looked at before it is written."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Search, check and write the best hyperparameters.

        Raises:
            RuntimeError: no trial finished; with the first trial's error.
        """
        tuner = executor.search(input_dict, exec_properties, self._get_tmp_dir())
        require_finished_trial(tuner)
        executor.write_best_hyperparameters(tuner, output_dict)


def require_finished_trial(tuner: keras_tuner.Tuner) -> None:
    """Raise RuntimeError unless at least one trial of a search was completed."""
    trials = list(tuner.oracle.trials.values())
    if any(trial.status == TrialStatus.COMPLETED for trial in trials):
        return
    messages = [trial.message.strip().splitlines()[-1] for trial in trials if trial.message]
    raise RuntimeError(
        f"none of {len(trials)} trials finished, got {messages[0] if messages else 'no error'}; see the log"
    )


class Tuner(component.Tuner):
    """TFX's Tuner component with the executor above."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
