"""The records and the logs that four runs leave, without running them.

1-1 searched and trained; 1-2 took both from the cache; 1-3 took the search from the cache, and its Trainer is at
work; the Tuner of run-4 is at work in a process of its own. The paths in the records are those of a container.
"""

import json
from pathlib import Path

from pipeline import runs
from pipeline.home import Home
from pipeline.runs import Run, StepRecord

SEARCH, TRAINING, AT_WORK = "Tuner/tuner_results/1", "Trainer/model_run/2", "Trainer/model_run/6"
SEARCHING = "Tuner/.system/search/0a1b/search"
ELSEWHERE = "/elsewhere/artifacts/small"
LOSSES = {SEARCH: [0.9, 0.5], TRAINING: [0.8, 0.4, 0.2], AT_WORK: [0.7, 0.3], SEARCHING: [0.6, 0.4]}
REPORT = {
    "objective": "val_loss",
    "direction": "min",
    "best": "0",
    "trials": [
        {
            "trial": "0", "state": "completed", "objective": 0.5, "epochs": 2, "seconds": 1.0, "error": None,
            "hyperparameters": {"units": 8},
            "curve": [{"execution": 0, "epoch": i, "val_loss": loss} for i, loss in enumerate(LOSSES[SEARCH], start=1)],
        }
    ],
    "importance": None,
}  # fmt: skip
SO_FAR = {key: value for key, value in REPORT.items() if key != "importance"}


def make(home: Home) -> Home:
    """Write everything into a home, and return it."""
    for folder, report in ((SEARCH, REPORT), (SEARCHING, SO_FAR)):
        search = home.artifacts / folder
        search.mkdir(parents=True)
        (search / "trials.json").write_text(json.dumps(report), encoding="utf-8")
        log(search / "logs" / "trial_0", "val_loss", LOSSES[folder])
    for folder in (TRAINING, AT_WORK):
        for split in ("train", "validation"):
            log(home.artifacts / folder / split, "epoch_loss", LOSSES[folder])
    made = [step("Tuner", "ran", tuner_results=SEARCH), step("Trainer", "ran", model_run=TRAINING)]
    cached = [step("Tuner", "cached", tuner_results=SEARCH), step("Trainer", "cached", model_run=TRAINING)]
    save(home, "1-1", *made)
    save(home, "1-2", *cached)
    save(home, "1-3", cached[0], step("Trainer", "unfinished", model_run=AT_WORK))
    return home


def search_at_work(home: Home) -> None:
    """Let a fourth run search, by `slipway node`."""
    tuner = step("Tuner", "unfinished", tuner_results="Tuner/tuner_results/7")
    tuner.details = {"search": f"{ELSEWHERE}/{SEARCHING.rpartition('/')[0]}"}
    runs.save_step(home, "run-4", tuner)


def step(name: str, state: str, **folders: str) -> StepRecord:
    """Return the record of a step with its outputs by key, as a container wrote it."""
    return StepRecord(name, state, 3.0, outputs={key: [f"{ELSEWHERE}/{folder}"] for key, folder in folders.items()})


def save(home: Home, run_id: str, *steps: StepRecord) -> None:
    """Write the record of a run."""
    runs.save(home, Run(run_id, home.name, "small.yaml", [], list(steps), seconds=9.0))


def log(folder: Path, tag: str, values: list[float]) -> None:
    """Write values as scalars of TensorFlow's, by step from 0."""
    import tensorflow as tf

    with tf.summary.create_file_writer(str(folder)).as_default():
        for step, value in enumerate(values):
            tf.summary.scalar(tag, value, step=step)
