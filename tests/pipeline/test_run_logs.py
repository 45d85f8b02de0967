"""Which run left which logs, from the records of its steps."""

import shutil

from pipeline import run_logs, runs
from pipeline.home import Home
from pipeline.run_logs import RunLogs
from pipeline.runs import StepRecord
from tests.pipeline import small_runs
from tests.pipeline.small_runs import AT_WORK, SEARCH, SEARCHING, TRAINING


def test_a_run_has_what_it_made_what_it_took_from_the_cache_and_what_it_is_at(watched):
    search, training, at_work = (watched.artifacts / folder for folder in (SEARCH, TRAINING, AT_WORK))
    logs = run_logs.load_all(watched)
    assert logs == [
        RunLogs("1-1", training, search, frozenset()),
        RunLogs("1-2", training, search, frozenset({training, search})),
        RunLogs("1-3", at_work, search, frozenset({search})),
    ]
    assert [run_logs.maker(logs, folder) for folder in (search, training, at_work)] == ["1-1", "1-1", "1-3"]
    assert [(run.run_id, run.training, run.search) for run in run_logs.each_once(logs)] == [
        ("1-1", training, search),
        ("1-3", at_work, None),
    ]


def test_a_search_at_work_is_that_of_the_run_that_is_at_it_now(watched):
    small_runs.search_at_work(watched)
    *_, last = run_logs.load_all(watched)
    searching = watched.artifacts / SEARCHING
    assert last == RunLogs("run-4", None, searching, frozenset(), searching=True)
    goes_on = small_runs.step("Tuner", "unfinished", tuner_results="Tuner/tuner_results/8")
    goes_on.details = {"search": f"/on/another/machine/artifacts/small/{SEARCHING.rpartition('/')[0]}"}
    small_runs.save(watched, "run-5", goes_on)
    logs = run_logs.load_all(watched)
    assert run_logs.maker(logs, searching) == "run-5"
    assert [run.run_id for run in run_logs.each_once(logs)] == ["1-1", "1-3", "run-5"]


def test_the_logs_of_a_run_are_those_of_its_own_metadata_store(watched):
    """Each store numbers its artifacts from 1."""
    mine = watched.artifacts / "store-1"
    tuner = small_runs.step("Tuner", "unfinished", tuner_results=f"store-1/{SEARCH}")
    tuner.details = {"search": f"{small_runs.ELSEWHERE}/store-1/{SEARCHING.rpartition('/')[0]}"}
    small_runs.save(watched, "1-4", small_runs.step("Trainer", "ran", model_run=f"store-1/{TRAINING}"), tuner)
    assert [run.run_id for run in run_logs.load_all(watched)] == ["1-1", "1-2", "1-3"], "its own are not there yet"
    (mine / TRAINING).mkdir(parents=True)
    shutil.copytree(watched.artifacts / SEARCHING, mine / SEARCHING)
    assert run_logs.load_all(watched)[-1] == RunLogs("1-4", mine / TRAINING, mine / SEARCHING, frozenset(), True)


def test_logs_below_a_mounted_root_are_found_there_and_those_in_a_bucket_nowhere(watched, tmp_path):
    mounted = tmp_path / "mnt/artifacts/small/store-1"
    for run_id, root in (("1-4", mounted), ("1-5", "s3://bucket/artifacts/small")):
        trainer = StepRecord("Trainer", "ran", 1.0, outputs={"model_run": [f"{root}/{TRAINING}"]})
        small_runs.save(watched, run_id, trainer)
    (mounted / TRAINING).mkdir(parents=True)
    assert run_logs.load_all(watched)[3:] == [RunLogs("1-4", mounted / TRAINING, None, frozenset())]


def test_the_steps_of_a_finished_run_are_there_once(watched):
    small_runs.search_at_work(watched)
    (tuner,), _ = runs.steps_of(watched, "run-4")
    small_runs.save(watched, "20261121-114315-run-4", tuner)
    assert [run.run_id for run in run_logs.load_all(watched)] == [
        "1-1",
        "1-2",
        "1-3",
        "20261121-114315-run-4",
    ]


def test_what_no_known_run_made_is_that_of_the_first_that_took_it(watched):
    *_, second, third = run_logs.load_all(watched)
    assert [(run.run_id, run.search) for run in run_logs.each_once([second, third])] == [
        ("1-2", watched.artifacts / SEARCH),
        ("1-3", None),
    ]


def test_runs_without_logs_are_left_out(tmp_path):
    home = Home(tmp_path, "small")
    assert run_logs.load_all(home) == []
    small_runs.save(
        home, "1-1", StepRecord("ExampleGen", "ran", 1.0, outputs={"examples": ["/x/ExampleGen/examples/1"]})
    )
    small_runs.save(home, "1-2", small_runs.step("Trainer", "ran", model_run="Trainer/model_run/deleted"))
    assert run_logs.load_all(home) == []
    (home.artifacts / "Trainer/model_run/deleted").mkdir(parents=True)
    assert [run.run_id for run in run_logs.load_all(home)] == ["1-2"]


def test_a_record_of_an_earlier_version_is_known_to_be_one(tmp_path):
    home = Home(tmp_path, "small")
    small_runs.save(home, "1-1", StepRecord("Trainer", "cached", 1.0))
    small_runs.save(home, "1-2", StepRecord("Trainer", "failed", 1.0), StepRecord("ExampleGen", "ran", 1.0))
    small_runs.save(home, "1-3", small_runs.step("Trainer", "ran", model_run=TRAINING))
    assert run_logs.without_folders(home) == ["1-1"]
