"""A pipeline whose artifacts are on another filesystem, TensorFlow's `ram://`, from its data to a pushed version."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("ram_runs.py")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The output folder of two runs."""
    folder = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-P", PROGRAM, folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _runs(home):
    return [json.loads(path.read_text()) for path in sorted(home.glob("runs/penguins/*/run.json"))]


def test_every_step_runs_and_the_second_run_takes_all_from_the_cache(home):
    found = json.loads((home / "found.json").read_text())
    first, second = _runs(home)
    assert found["codes"] == [0, 0], (first, second)
    assert {step["state"] for step in first["steps"]} == {"ran", "resolved"}
    assert {step["state"] for step in second["steps"]} == {"cached", "resolved"}
    assert [step["figure"] for step in first["steps"]] == [step["figure"] for step in second["steps"]]
    assert len(list((home / "serving/penguins").glob("[0-9]*/saved_model.pb"))) == 1
    assert len(list((home / "mobile/penguins").glob("[0-9]*/float32.tflite"))) == 1


def test_artifacts_are_there_whole_and_nowhere_else(home):
    kept = json.loads((home / "found.json").read_text())["kept"]
    steps = {path.split("/")[6] for path in kept}
    assert {"ExampleGen", "Transform", "Tuner", "Trainer", "Evaluator", "TfLite", "Pusher", "MobilePusher"} <= steps
    names = {path.rpartition("/")[2] for path in kept}
    assert {"saved_model.pb", "trials.json", "epochs.csv", "step_times.json", "doors.json", "float32.tflite"} <= names
    assert not [path for path in kept if "/.system/training/" in path or "/.system/search/" in path], "all is finished"
    assert not [path for path in kept if ".unfinished" in path or ".probe" in path]
    assert not (home / "artifacts").exists()
