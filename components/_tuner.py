"""The Tuner: TFX's component, with a search that survives a kill, runs in parallel and reports on every trial.

KerasTuner survives failing trials, and TFX then hands the default hyperparameters on as the best ones: here a search in
which no trial finished is a failure.
"""

import os
from functools import partial
from pathlib import Path
from typing import Any

import keras_tuner
import tensorflow as tf
from keras_tuner.src.engine.trial import TrialStatus
from tfx.components.trainer import fn_args_utils
from tfx.components.tuner import component, executor
from tfx.components.util import udf_utils
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.utils import json_utils

from components import (
    _local_copies,
    _tuner_chief,
    _tuner_folder,
    _tuner_hparams,
    _tuner_oracle,
    _tuner_record,
    _tuner_report,
)

# The variable that holds the number of processes: an execution property would be part of TFX's cache key.
WORKERS = "SLIPWAY_TUNER_WORKERS"


class Executor(executor.Executor):
    """TFX's search, which goes on where it was killed, and whose outcome is looked at before it is written."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Search, check and write the best hyperparameters.

        Raises:
            RuntimeError: no trial finished; with the first trial's error.
        """
        folder = _tuner_folder.of_search(input_dict, output_dict, exec_properties)
        with _local_copies.of_unfinished(folder) as unfinished, _local_copies.of_outputs(output_dict):
            tuner = search(input_dict, exec_properties, unfinished)
            try:
                require_finished_trial(tuner)
            except RuntimeError:
                # Nothing to go on with: what failed may work the next time.
                tf.io.gfile.rmtree(folder)
                raise
            self._write(tuner, output_dict)
        tf.io.gfile.rmtree(folder)

    def _write(self, tuner: keras_tuner.Tuner, output_dict: dict[str, Any]) -> None:
        # Hyperband has no number of its own, and TFX asks for so many.
        tuner.oracle.max_trials = len(tuner.oracle.trials)
        executor.write_best_hyperparameters(tuner, output_dict)
        report = _tuner_report.make(tuner)
        results = Path(artifact_utils.get_single_uri(output_dict["tuner_results"]))
        _tuner_report.write(report, results)
        _tuner_hparams.write(report, results, self._context.pipeline_run_id if self._context else None)


def search(
    input_dict: dict[str, Any], exec_properties: dict[str, Any], unfinished: _local_copies.Unfinished
) -> keras_tuner.Tuner:
    """Search, or go on with a search, and return its tuner.

    Args:
        input_dict: artifacts by key.
        exec_properties: of the Tuner.
        unfinished: where the trials are kept.
    """
    folder = unfinished.folder
    workers = int(os.environ.get(WORKERS, "1"))
    # With several processes, a hook finds a folder for what it needs to prepare only once: models/_shared_split.py.
    tf.io.gfile.makedirs(os.path.join(folder, "splits") if workers > 1 else folder)
    with _tuner_chief.Chief(workers if workers > 1 else 0) as chief:
        fn_args = fn_args_utils.get_common_fn_args(input_dict, exec_properties, folder)
        found = udf_utils.get_fn(exec_properties, "tuner_fn")(fn_args)
        tuner, oracle = found.tuner, found.tuner.oracle
        minutes = _tuner_folder.custom_config(exec_properties).get("tuner", {}).get("minutes")
        _tuner_oracle.make_lasting(oracle, minutes, partial(_tuner_folder.keep, unfinished))
        limits = {"seed": oracle.seed, "deadline": oracle.deadline}
        _tuner_record.make_recorded(tuner, **limits)
        # From here on there is something to go on with.
        tuner.save()
        _tuner_folder.keep(unfinished)
        if workers > 1:
            inputs = json_utils.dumps(input_dict)
            chief.search(oracle, {"inputs": inputs, "exec_properties": exec_properties, "folder": folder, **limits})
        else:
            tuner.search(**found.fit_kwargs)
    return tuner


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
