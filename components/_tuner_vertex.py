"""The search as a job on Vertex AI: TFX's own extension, whose outcome is looked at as that of a search here.

The job's replicas run TFX's executor and KerasTuner's distributed mode: what `_tuner_oracle.py` and `_tuner_record.py`
add to a search (a kill survived, minutes, curves) is not there. Paths must be the same here and in the job, which
finds every bucket of Cloud Storage under /gcs/.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base import executor_spec
from tfx.extensions.google_cloud_ai_platform import constants
from tfx.extensions.google_cloud_ai_platform.tuner import component, executor
from tfx.types import artifact_utils
from tfx.utils import json_utils

from components import _tuner_folder, _tuner_report

BUCKETS = "/gcs/"


def job(vertex: Mapping[str, Any]) -> dict[str, Any]:
    """Return what TFX's extension finds in custom_config; it adds the workers that `num_parallel_trials` asks for.

    Args:
        vertex: `project`, `region`, `image` and `machine`, perhaps `service_account`.
    """
    machine = {"machine_spec": {"machine_type": vertex["machine"]}, "container_spec": {"image_uri": vertex["image"]}}
    account = {"service_account": vertex["service_account"]} if "service_account" in vertex else {}
    return {
        executor.TUNING_ARGS_KEY: {
            "project": vertex["project"],
            "job_spec": {"worker_pool_specs": [{**machine, "replica_count": 1}], **account},
        },
        constants.ENABLE_VERTEX_KEY: True,
        constants.VERTEX_REGION_KEY: vertex["region"],
    }  # fmt: skip


class Executor(executor.Executor):
    """TFX's, which starts the job and waits for it; then the trials are looked at, and reported."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Search on Vertex AI.

        Raises:
            ValueError: the artifacts are where no job can read them.
            RuntimeError: the job failed, or no trial of it finished.
        """
        folder = _tuner_folder.of_search(input_dict, output_dict, exec_properties)
        if not folder.startswith(BUCKETS):
            raise ValueError(
                f"tuner.vertex: a job reads below {BUCKETS} only, got {folder}; mount a bucket, --home there"
            )
        if tf.io.gfile.exists(folder):
            tf.io.gfile.rmtree(folder)  # of a job that failed: TFX's search begins anew
        config = _tuner_folder.custom_config(exec_properties)
        # Hyperband's trials go on from the weights of others, perhaps on another machine.
        config[executor.REMOTE_TRIALS_WORKING_DIR_KEY] = folder
        super().Do(input_dict, output_dict, {**exec_properties, "custom_config": json_utils.dumps(config)})
        results = Path(artifact_utils.get_single_uri(output_dict["tuner_results"]))
        _tuner_report.write(report(results, config["tuner"]), results)
        tf.io.gfile.rmtree(folder)


def report(results: Path, tuner: Mapping[str, Any]) -> dict[str, Any]:
    """Return what TFX writes of a search, as `_tuner_report.make` does: finished trials only, and no curves.

    Args:
        results: the folder of the artifact `tuner_results`.
        tuner: of custom_config.

    Raises:
        RuntimeError: no trial finished; TFX has then handed on the default hyperparameters.
    """
    rows = json.loads((results / "tuner_results.json").read_text(encoding="utf-8"))
    if not rows:
        raise RuntimeError("none of the trials finished, got no result; see the job's log in the Google Cloud console")
    unknown: dict[str, Any] = {
        "best_epoch": None,
        "epochs": 0,
        "begun": None,
        "seconds": 0.0,
        "worker": "",
        "error": None,
        "curve": [],
    }
    trials = [
        {"trial": row.pop("trial_id"), "state": "completed", "objective": row.pop("score"), "hyperparameters": row}
        | unknown
        for row in rows
    ]
    return {
        "objective": tuner["objective"], "direction": tuner["direction"], "best": trials[0]["trial"], "trials": trials,
        "importance": None,
    }  # fmt: skip


class Tuner(component.Tuner):
    """TFX's component for Vertex AI with the executor above."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
