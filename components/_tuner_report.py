"""What became of every trial: `trials.json` for programs, also of a search at work; `trials.parquet` for notebooks."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras_tuner
import pyarrow as pa
import pyarrow.parquet as pq
from keras_tuner.src.engine.oracle import Oracle
from keras_tuner.src.engine.trial import Trial, TrialStatus

from components import _tuner_folder, _tuner_importance

REPORT = "trials.json"


def make(tuner: keras_tuner.Tuner) -> dict[str, Any]:
    """Return the report of a search that is over, plain JSON.

    Returns:
        `objective`, `direction`, `best` (a trial), `trials` in the order they began, and `importance`
        (see `_tuner_importance.of_trials`). A trial has `trial`, `state`, `hyperparameters`, `objective` (None unless
        it was completed), `best_epoch`, `epochs`, `begun` (`time.time()`), `seconds`, `worker`, `error` (the last line)
        and `curve`: by epoch and execution, the metrics.
    """
    oracle = tuner.oracle
    report = _of_trials(oracle, oracle.start_order)
    space = oracle.hyperparameters.space
    return {**report, "importance": _tuner_importance.of_trials(space, report["trials"])}


def save_so_far(oracle: Oracle) -> None:
    """Write the report of a search at work beside its trials: those that are over, and no importance.

    `best` is None until one was completed.
    """
    over = [trial_id for trial_id in oracle.start_order if trial_id in oracle.end_order]
    _tuner_folder.save_json(os.path.join(oracle._project_dir, REPORT), _of_trials(oracle, over))


def write(report: dict[str, Any], folder: Path) -> None:
    """Write both files."""
    _tuner_folder.save_json(str(folder / REPORT), report)
    rows = [{**trial, **trial["hyperparameters"]} for trial in report["trials"]]
    names = dict.fromkeys(name for row in rows for name in row if name not in ("curve", "hyperparameters"))
    pq.write_table(
        pa.table({name: _column([row.get(name) for row in rows]) for name in names}), folder / "trials.parquet"
    )


def _of_trials(oracle: Oracle, trial_ids: Sequence[str]) -> dict[str, Any]:
    best = [trial for trial in oracle.get_best_trials() if trial.status == TrialStatus.COMPLETED]
    return {
        "objective": oracle.objective.name,
        "direction": oracle.objective.direction,
        "best": best[0].trial_id if best else None,
        "trials": [_row(oracle, oracle.trials[trial_id]) for trial_id in trial_ids],
    }


def _row(oracle: Oracle, trial: Trial) -> dict[str, Any]:
    record = _tuner_folder.read_record(oracle._project_dir, trial.trial_id)
    completed = trial.status == TrialStatus.COMPLETED
    return {
        "trial": trial.trial_id,
        "state": trial.status.lower(),
        "hyperparameters": dict(trial.hyperparameters.values),
        "objective": trial.score if completed else None,
        "best_epoch": trial.best_step + 1 if completed else None,
        "epochs": len(record["curve"]),
        "begun": record["begun"],
        "seconds": record["seconds"],
        "worker": record["worker"],
        "error": trial.message.strip().splitlines()[-1] if trial.message else None,
        "curve": record["curve"],
    }


def _column(values: list[Any]) -> pa.Array:
    """Return a column of one type; one of several as text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])
