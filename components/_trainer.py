"""The Trainer: TFX's component, with a training that goes on where it was killed.

The hook gets a folder as `fn_args.working_dir`, the same one until it has finished; `models/_backup.py` uses it.
"""

from typing import Any

import tensorflow as tf
from tfx.components.trainer import component, executor, fn_args_utils
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from components import _local_copies, _unfinished


class Executor(executor.GenericExecutor):
    """TFX's training, with a folder that outlives a kill."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Train, and remove the folder; after an error it stays, and the next run goes on."""
        self._unfinished = folder = _folder(input_dict, output_dict, exec_properties)
        with _local_copies.of_outputs(output_dict):
            super().Do(input_dict, output_dict, exec_properties)
        if tf.io.gfile.exists(folder):
            tf.io.gfile.rmtree(folder)

    def _GetFnArgs(  # noqa: N802
        self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]
    ) -> fn_args_utils.FnArgs:
        found = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        found.working_dir = self._unfinished
        return found


def _folder(input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> str:
    output = artifact_utils.get_single_instance(output_dict["model_run"])
    return _unfinished.folder("training", output, input_dict, exec_properties)


class Trainer(component.Trainer):
    """TFX's Trainer component with the executor above."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
