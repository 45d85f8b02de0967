"""A training that was killed goes on as if it had not been: the same weights, and every epoch once."""

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "small_training.py"
KILLED_IN = 4


def _run(*arguments):
    return subprocess.run([sys.executable, PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of a training that was killed in the middle of an epoch."""
    folder = tmp_path_factory.mktemp("killed")
    process = _run(folder, KILLED_IN)
    assert process.returncode == -signal.SIGKILL, process.stderr
    return folder


@pytest.fixture(scope="module")
def found(killed):
    """What became of the killed training when it went on, and of others beside it."""
    process = _run(killed)
    assert process.returncode == 0, process.stderr
    return json.loads((killed / "found.json").read_text())


def _epochs(log):
    return [int(row["epoch"]) for row in csv.DictReader(io.StringIO(log))]


def test_it_was_killed_in_the_middle_of_an_epoch(killed):
    assert _epochs((killed / "killed" / "epochs.csv").read_text()) == list(range(KILLED_IN))


def test_the_weights_are_those_of_a_training_that_was_not_killed(found):
    assert found["continued"]["weights"] == found["unkilled"]["weights"]


def test_no_epoch_is_trained_twice_and_none_is_left_out(found):
    assert found["continued"]["log"] == found["unkilled"]["log"]
    epochs = _epochs(found["continued"]["log"])
    assert epochs == list(range(len(epochs)))
    assert KILLED_IN < len(epochs) < 12, "early stopping's patience was used up before and after the kill"


def test_what_was_finished_is_not_trained_on(found):
    assert found["again"] == found["continued"]


def test_two_trainings_with_one_seed_give_the_same_weights(found):
    assert found["deterministic"]
    assert found["repeated"] == found["unkilled"]


def test_another_seed_gives_other_weights(found):
    assert found["other_seed"]["weights"] != found["unkilled"]["weights"]
