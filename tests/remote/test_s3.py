"""A pipeline whose artifacts are in a bucket of S3: refusals, two kills, a pushed model, all from the cache."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EPOCHS = 20
TIMEOUT_S = 1200
SETTINGS = {
    "tuner.max_trials": "3", "tuner.epochs": "2", "training.patience": str(EPOCHS),
    "mobile.variants": "{float32: {required: true}}", "evaluation.metrics": "[auc]", "evaluation.slices": "[]",
    "evaluation.thresholds": "[{metric: auc, min: 0.5}]",
}  # fmt: skip


class Runs:
    """`slipway run` of taxi with its artifacts in a bucket."""

    def __init__(self, home: Path, bucket: Any) -> None:
        self.home, self.bucket = home, bucket

    def start(
        self, *options: str, root: str = "s3://slipway/root", settings: Mapping[str, str] = SETTINGS,
        epochs: int = EPOCHS, **environment: str,
    ) -> Any:  # fmt: skip
        """Start a run."""
        settings = {**settings, "pipeline_root": root, "training.epochs": str(epochs)}
        options += tuple(word for key, value in settings.items() for word in ("--set", f"{key}={value}"))
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline", "run", "configs/taxi.yaml", *options, "--home", str(self.home)],
            cwd=ROOT, text=True, env={**os.environ, **self.bucket.environment, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def end(self, process: Any, code: int = 0) -> str:
        """Wait for a run and return what it printed."""
        try:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
        assert process.returncode == code, output
        assert "Traceback" not in output, output
        assert "not-to-be-seen" not in output
        return output

    def kill_when(self, end: str) -> None:
        """Start a run, and kill it when there is an object whose name ends so in the bucket."""
        process = self.start()
        deadline = time.monotonic() + TIMEOUT_S
        while not any(name.endswith(end) for name in self.bucket.objects()):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def last(self) -> dict[str, Any]:
        """Return the steps of the last run that was recorded."""
        record = json.loads(max((self.home / "runs/taxi").glob("*/run.json")).read_text())
        return {step["name"]: step for step in record["steps"]}


@pytest.fixture(scope="module")
def runs(bucket, tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("home"), bucket)


def test_a_bucket_out_of_reach_is_one_line_before_any_step(runs):
    for line, wrong in (
        ("got s3://nowhere/root: An error occurred (NoSuchBucket)", {"root": "s3://nowhere/root"}),
        ("got s3://slipway/root: Could not connect to the endpoint URL", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        ("got s3://slipway/root: Unable to locate credentials", {"AWS_ACCESS_KEY_ID": ""}),
    ):
        output = runs.end(runs.start(**wrong), code=2)
        assert f"pipeline_root: cannot be written and read, {line}" in output
    assert runs.last() == {}
    assert runs.bucket.objects() == []


@pytest.mark.timeout(4 * TIMEOUT_S)
def test_what_was_killed_goes_on_to_a_pushed_model_and_then_all_is_cached(runs):
    runs.kill_when("/trial_1/trial.json")  # the first trial has ended for good, the second is being kept
    runs.kill_when("/state.npz")
    steps = runs.last()
    assert steps["Transform"]["state"] == "cached"
    assert steps["Tuner"]["state"] == "ran"
    runs.end(runs.start())
    steps = runs.last()
    assert steps["Tuner"]["state"] == "cached"
    assert 0 < len(steps["Trainer"]["details"]["step_times"]) < EPOCHS, "it goes on, and does not begin anew"
    assert steps["MobilePusher"]["state"] == "ran"
    logs = "".join(log.read_text(errors="replace") for log in runs.home.glob("runs/taxi/*/log.txt"))
    ended = Counter(re.findall(r"slipway\.progress: trial (\d+): ", logs))
    assert (ended["0"], ended["2"]) == (1, 1)
    assert ended["1"] <= 1, "no trial is done twice"
    assert len(list((runs.home / "serving/taxi").glob("[0-9]*/saved_model.pb"))) == 1

    runs.end(runs.start())
    assert {step["state"] for step in runs.last().values()} == {"cached", "resolved"}
    assert [key for key in runs.bucket.objects() if "unfinished" in key or ".probe" in key] == []
    assert [key for part in ("training", "search") for key in runs.bucket.objects(f"/.system/{part}/")] == []
    local = [path for path in (runs.home / "artifacts").rglob("*") if path.is_file()]
    assert [path.name for path in local] == ["schema.pbtxt"], "the config's own, which the first step imports"
    with sqlite3.connect(runs.home / "metadata/taxi/metadata.sqlite") as store:
        uris = [uri for (uri,) in store.execute("select uri from Artifact")]
    assert len(uris) > 10
    assert [uri for uri in uris if not uri.startswith("s3://slipway/root/taxi/store-")] == []


@pytest.mark.timeout(3 * TIMEOUT_S)
def test_processes_of_beam_and_of_the_search_read_what_is_in_the_bucket_and_what_is_not(bucket, tmp_path):
    """The examples come from the cache of a run without a bucket, what is made of them goes into it, and back again."""
    runs = Runs(tmp_path, bucket)
    # What the workers load by its address: the transform graph and the model.
    beam = ", ".join(f"{name}: {{mode: multi_processing, workers: 2}}" for name in ("Transform", "Evaluator"))
    quick = {"mobile": "off", "tuner.max_trials": "2", "tuner.epochs": "1", "tuner.workers": "2"}
    processes = {**SETTINGS, **quick, "beam": f"{{steps: {{{beam}}}}}"}
    runs.end(runs.start("--to", "ExampleGen", root="null", settings=processes))
    runs.end(runs.start(root="s3://slipway/second", settings=processes, epochs=2))
    steps = runs.last()
    assert steps["ExampleGen"]["state"] == "cached"
    assert {steps[name]["state"] for name in ("Transform", "Tuner", "Trainer", "Evaluator", "Pusher")} == {"ran"}
    (graph,) = steps["Transform"]["outputs"]["transform_graph"]
    assert graph.startswith("s3://slipway/second/taxi/store-")

    runs.end(runs.start(root="null", settings=processes, epochs=3))
    steps = runs.last()
    assert {steps[name]["state"] for name in ("Transform", "Tuner")} == {"cached"}
    assert {steps[name]["state"] for name in ("Trainer", "Evaluator", "Pusher")} == {"ran"}
    assert steps["Trainer"]["outputs"]["model"] == [str(next((tmp_path / "artifacts/taxi/Trainer/model").iterdir()))]
