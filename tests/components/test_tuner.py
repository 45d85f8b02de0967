"""A search goes on where it was killed, survives trials that fail, keeps to its minutes, and fails when all fail."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import keras_tuner
import pytest
from keras_tuner.src.engine.trial import TrialStatus

from components import _tuner, _tuner_chief, _tuner_folder, _tuner_oracle
from pipeline import trials

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
TIMEOUT_S = 240


@pytest.fixture
def small_search(monkeypatch):
    """The module of the small search, importable by its name as a hook is."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("small_search")


def _start(folder, config):
    paths = os.pathsep.join((str(ROOT), str(HERE)))
    command = [sys.executable, str(HERE / "small_search.py"), str(folder), json.dumps(config)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})


def _kill(folder, config, number):
    """Start a search as a process of its own, and kill it while it trains a trial."""
    process = _start(folder, config)
    _wait_for(lambda: ("begin", number) in _journal(folder) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _journal(folder):
    """Return (word, number) per line."""
    path = Path(folder, "journal")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(word, int(number)) for word, number, _ in map(str.split, lines)]


def _processes(folder):
    return {int(line.split()[2]) for line in Path(folder, "journal").read_text(encoding="utf-8").splitlines()}


def _wait_for(condition):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, "it never came to it"
        time.sleep(0.01)


def _results(folder):
    return json.loads(Path(folder, "Tuner/tuner_results/1/tuner_results.json").read_text(encoding="utf-8"))


def test_a_killed_search_goes_on_and_trains_no_trial_twice(tmp_path):
    config = {"numbers": 6, "trial_s": 0.3}
    _kill(tmp_path, config, 3)
    (at_work,) = (tmp_path / "Tuner/.system/search").glob("*/search")
    assert len(json.loads((at_work / "trials.json").read_text(encoding="utf-8"))["trials"]) == 2
    assert len(list((at_work / "logs").iterdir())) == 3
    before = _journal(tmp_path)
    assert Counter(before) == Counter([("begin", 1), ("end", 1), ("begin", 2), ("end", 2), ("begin", 3)])
    assert _start(tmp_path, config).wait(TIMEOUT_S) == 0
    after = _journal(tmp_path)[len(before) :]
    assert Counter(after) == Counter((word, number) for word in ("begin", "end") for number in (3, 4, 5, 6))
    assert sorted(row["number"] for row in _results(tmp_path)) == [1, 2, 3, 4, 5, 6]
    assert not list((tmp_path / "Tuner/.system/search").iterdir()), "a finished search leaves nothing behind"


def test_a_search_is_given_up_when_its_first_three_trials_fail(small_search, tmp_path):
    with pytest.raises(RuntimeError, match="none of 3 trials finished, got ZeroDivisionError: planted in 1"):
        small_search.run(tmp_path, {"numbers": 6, "fails": [1, 2, 3, 5]})


def test_a_trial_does_not_depend_on_those_before_it(small_search, tmp_path):
    small_search.run(tmp_path / "a", {"numbers": 4})
    small_search.run(tmp_path / "b", {"numbers": 4, "fails": [2, 3]})
    scores = [{row["number"]: row["score"] for row in _results(tmp_path / one)} for one in "ab"]
    assert scores[0][4] == scores[1][4]
    assert len(set(scores[0].values())) == 4


@pytest.mark.parametrize("algorithm", ["grid", "random"])
def test_failing_trials_after_a_good_one_are_survived(small_search, algorithm, tmp_path):
    small_search.run(tmp_path, {"numbers": 5, "fails": [2, 3, 4], "algorithm": algorithm})
    assert sorted(number for word, number in _journal(tmp_path) if word == "begin") == [1, 2, 3, 4, 5]
    assert sorted(row["number"] for row in _results(tmp_path)) == [1, 5]


def test_one_failing_trial_of_ten_is_survived_and_reported_with_its_error(small_search, tmp_path):
    small_search.run(tmp_path, {"numbers": 10, "fails": [4]})
    report = json.loads((tmp_path / "Tuner/tuner_results/1/trials.json").read_text(encoding="utf-8"))
    errors = {trial["hyperparameters"]["number"]: (trial["state"], trial["error"]) for trial in report["trials"]}
    assert errors.pop(4) == ("failed", "ZeroDivisionError: planted in 4")
    assert errors == dict.fromkeys([1, 2, 3, 5, 6, 7, 8, 9, 10], ("completed", None))
    assert trials.summary(report).startswith("10 trials, best val_loss ")
    assert trials.summary(report).endswith(", 1 FAILED")


def test_a_search_without_a_finished_trial_fails_with_the_first_error_and_begins_anew_the_next_time(
    small_search, tmp_path
):
    # KerasTuner itself ends this search as if nothing had happened.
    with pytest.raises(RuntimeError, match="none of 2 trials finished, got ZeroDivisionError: planted in 1"):
        small_search.run(tmp_path, {"numbers": 2, "fails": "all"})
    assert not list((tmp_path / "Tuner/.system/search").iterdir())


def test_no_trial_starts_after_the_minutes_and_the_one_at_work_ends_with_its_epoch(small_search, tmp_path):
    begun = time.monotonic()
    small_search.run(tmp_path, {"numbers": 9, "epochs": 60, "epoch_s": 1.0, "tuner": {"minutes": 0.05}})
    assert time.monotonic() - begun < 30
    assert [number for word, number in _journal(tmp_path) if word == "begin"] == [1]
    assert [row["number"] for row in _results(tmp_path)] == [1]


@pytest.fixture
def two_workers(monkeypatch):
    monkeypatch.setenv(_tuner.WORKERS, "2")


def test_two_workers_share_the_trials_and_dying_ones_lose_their_own_only(small_search, two_workers, tmp_path, caplog):
    small_search.run(tmp_path, {"numbers": 7, "trial_s": 0.5, "fails": [6], "dies": [1, 2]})
    assert sorted(number for word, number in _journal(tmp_path) if word == "begin") == [1, 2, 3, 4, 5, 6, 7]
    assert sorted(row["number"] for row in _results(tmp_path)) == [3, 4, 5, 7]
    assert len(_processes(tmp_path) - {os.getpid()}) >= 3, "two workers, and those that took their places"
    assert caplog.text.count("died: exit code 9") >= 2
    assert "ZeroDivisionError: planted in 6" in caplog.text


def test_workers_that_cannot_begin_fail_the_search(small_search, two_workers, tmp_path, monkeypatch):
    monkeypatch.setattr(_tuner_chief.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="all 2 workers died before the end, got exit code 1; see the log"):
        small_search.run(tmp_path, {})


def test_workers_end_with_a_killed_chief_and_the_search_goes_on(small_search, two_workers, tmp_path, monkeypatch):
    config = {"numbers": 6, "trial_s": 1.0}
    _kill(tmp_path, config, 4)
    workers = _processes(tmp_path)
    assert len(workers) == 2
    _wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    monkeypatch.setenv(_tuner.WORKERS, "1")
    small_search.run(tmp_path, config)
    assert {count for (word, _), count in Counter(_journal(tmp_path)).items() if word == "end"} == {1}
    assert sorted(row["number"] for row in _results(tmp_path)) == [1, 2, 3, 4, 5, 6]


def test_hyperband_ends_with_its_schedule(small_search, tmp_path):
    small_search.run(tmp_path, {"numbers": 50, "algorithm": "hyperband"})
    assert len(_results(tmp_path)) >= 6


def _oracle(folder, minutes=None):
    """Return an oracle as a tuner of this folder makes it: reloaded where there is one."""
    space = keras_tuner.HyperParameters()
    space.Int("number", 1, 9)
    oracle = keras_tuner.oracles.GridSearchOracle(keras_tuner.Objective("val_loss", "min"), 9, hyperparameters=space)
    oracle._set_project_dir(str(folder), "search")
    if Path(folder, "search", "oracle.json").exists():
        oracle.reload()
    _tuner_oracle.make_lasting(oracle, minutes)
    return oracle


def _end(oracle, trial, loss=1.0):
    oracle.update_trial(trial.trial_id, {"val_loss": loss})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)


# Each ends where a kill may come, with the numbers that are left to train.
def _drawn_not_begun(oracle, monkeypatch):
    _end(oracle, oracle.create_trial("tuner0"))
    monkeypatch.setattr(type(oracle), "save", _killed)
    oracle.create_trial("tuner0")


def _trained_not_ended(oracle, monkeypatch):
    _end(oracle, oracle.create_trial("tuner0"))
    trial = oracle.create_trial("tuner0")
    oracle.update_trial(trial.trial_id, {"val_loss": 0.5})
    _killed()


def _ended_not_saved(oracle, monkeypatch):
    _end(oracle, oracle.create_trial("tuner0"))
    trial = oracle.create_trial("tuner0")
    monkeypatch.setattr(type(oracle), "save", _killed)
    _end(oracle, trial, 0.5)


def _in_the_middle_of_a_write(oracle, monkeypatch):
    _end(oracle, oracle.create_trial("tuner0"))
    monkeypatch.setattr(_tuner_oracle.tf.io.gfile, "rename", _killed)
    oracle.create_trial("tuner0")


def _killed(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("until", "left"),
    [
        (_drawn_not_begun, range(2, 10)),
        (_trained_not_ended, range(3, 10)),
        (_ended_not_saved, range(3, 10)),
        (_in_the_middle_of_a_write, range(2, 10)),
    ],
)
def test_a_kill_between_two_writes_neither_repeats_nor_forgets_a_trial(until, left, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        until(_oracle(tmp_path), patch)
    oracle, numbers = _oracle(tmp_path), []
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        numbers.append(trial.hyperparameters.values["number"])
        _end(oracle, trial)
    assert numbers == list(left)
    assert sorted(trial.hyperparameters.values["number"] for trial in oracle.trials.values()) == list(range(1, 10))
    assert {trial.status for trial in oracle.trials.values()} == {TrialStatus.COMPLETED}


def test_the_minutes_before_a_kill_count(tmp_path):
    oracle = _oracle(tmp_path)
    oracle.begun -= 90
    oracle.save()
    assert _oracle(tmp_path, minutes=2).create_trial("tuner0").status == TrialStatus.RUNNING
    assert _oracle(tmp_path, minutes=1).create_trial("tuner0").status == TrialStatus.STOPPED


def test_the_folder_follows_from_what_is_searched_and_not_from_for_how_long(small_search, tmp_path):
    def folder(place=tmp_path, **tuner):
        return _tuner_folder.of_search(*small_search.arguments(place, {"tuner": tuner}))

    assert folder() == folder(minutes=3) == folder(minutes=5)
    assert folder().startswith(str(tmp_path / "Tuner"))
    assert folder(epochs=1) != folder(epochs=2)
    assert Path(folder(tmp_path / "other")).name != Path(folder()).name
