"""The record of a run, and the lock that lets one run at a time through."""

import subprocess
import sys
import time

from pipeline import runs
from pipeline.home import Home

HOLD = """
import sys, time
from pathlib import Path
from pipeline import runs
from pipeline.home import Home
with runs.exclusive(Home(Path(sys.argv[1]), "taxi"), print):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_says_who_holds_the_lock_and_waits(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        said = []

        def announce(line: str) -> None:
            said.append(line)
            holder.stdin.close()  # the first run ends only now

        with runs.exclusive(Home(tmp_path, "taxi"), announce):
            assert holder.wait(timeout=10) == 0
    assert said == [f"taxi: process {holder.pid} is running this pipeline; waiting until it ends"]


def test_runs_of_one_second_sort_by_their_start_too():
    ids = []
    for _ in range(20):
        ids.append(runs.new_run_id())
        time.sleep(0.001)
    assert ids == sorted(set(ids))


def test_a_record_comes_back_as_it_was_saved(tmp_path):
    home = Home(tmp_path, "taxi")
    run = runs.Run(runs.new_run_id(), "taxi", "configs/taxi.yaml", [], [runs.StepRecord("ExampleGen", "ran", 1.5, "x")])
    runs.save(home, run)
    assert runs.load_all(home) == [run]


def test_a_run_whose_id_is_the_end_of_another_one_is_there_beside_it(tmp_path):
    home = Home(tmp_path, "taxi")
    step = runs.StepRecord("ExampleGen", "ran", 1.0)
    for run_id in ("one", "day-one", "my-day-one"):
        runs.save_step(home, run_id, step)
    assert {run.run_id for run in runs.load_all(home)} == {"one", "day-one", "my-day-one"}, "none is finished"
    finished = runs.run_id_at(0, "day-one")
    runs.save(home, runs.Run(finished, "taxi", "configs/taxi.yaml", [], [step]))
    assert {run.run_id for run in runs.load_all(home)} == {"one", finished, "my-day-one"}


def test_a_record_of_another_version_is_read(tmp_path):
    home = Home(tmp_path, "taxi")
    run = runs.Run(runs.new_run_id(), "taxi", "configs/taxi.yaml", [])
    runs.save(home, run)
    path = runs.folder(home, run.run_id) / "run.json"
    path.write_text(path.read_text(encoding="utf-8").replace("{", '{"from_another_version": 1,', 1), encoding="utf-8")
    assert runs.load_all(home) == [run]
