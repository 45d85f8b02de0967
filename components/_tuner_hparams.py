"""The trials for TensorBoard: a folder each, with its curves as scalars and its draw for the HParams plugin."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api, api_pb2, summary

LOGS = "logs"


def write(report: dict[str, Any], folder: Path, run_id: str | None = None) -> None:
    """Write a report's trials, for `tensorboard --logdir FOLDER/logs`.

    Args:
        report: see `_tuner_report.make`.
        folder: of the artifact.
        run_id: of the pipeline. TensorBoard takes trials of one id for the same draw, also those of several searches.
    """
    names = dict.fromkeys(name for trial in report["trials"] for name in trial["hyperparameters"])
    objective = api.Metric(report["objective"], display_name=f"{report['objective']} ({report['direction']})")
    with tf.summary.create_file_writer(str(folder / LOGS)).as_default():
        api.hparams_config(hparams=[api.HParam(name) for name in names], metrics=[objective])
    for trial in report["trials"]:
        with tf.summary.create_file_writer(str(folder / LOGS / f"trial_{trial['trial']}")).as_default():
            # The number first: the table of the HParams plugin cuts names after a dozen letters.
            _write_trial(trial, f"{trial['trial']} of {run_id}" if run_id else trial["trial"])


def _write_trial(trial: dict[str, Any], trial_id: str) -> None:
    api.hparams(trial["hyperparameters"], trial_id=trial_id)
    for step, point in enumerate(trial["curve"], start=1):
        write_point(point, step)
    status = api_pb2.STATUS_SUCCESS if trial["state"] == "completed" else api_pb2.STATUS_FAILURE
    tf.summary.experimental.write_raw_pb(summary.session_end_pb(status).SerializeToString(), step=0)


def write_point(point: dict[str, Any], step: int) -> None:
    """Write the metrics of one point of a trial's curve, by the default writer."""
    for name, value in point.items():
        if name not in ("execution", "epoch") and value is not None:
            tf.summary.scalar(name, value, step=step)
