"""Which run left which logs, from TFX's metadata."""

from pathlib import Path

from pipeline import run_logs
from pipeline.home import Home
from pipeline.run_logs import RunLogs
from tests.pipeline.small_runs import AT_WORK, SEARCH, TRAINING, Metadata


def test_a_run_has_what_it_made_what_it_took_from_the_cache_and_what_it_is_at(watched):
    search, training, at_work = (watched.artifacts / folder for folder in (SEARCH, TRAINING, AT_WORK))
    logs = run_logs.load_all(watched)
    assert logs == [
        RunLogs("run-1", training, search, frozenset()),
        RunLogs("run-2", training, search, frozenset({training, search})),
        RunLogs("run-3", at_work, search, frozenset({search})),
    ]
    assert [run_logs.maker(logs, folder) for folder in (search, training, at_work)] == ["run-1", "run-1", "run-3"]
    assert [(run.training, run.search) for run in map(run_logs.made, logs)] == [
        (training, search),
        (None, None),
        (at_work, None),
    ]


def test_runs_without_logs_are_left_out(tmp_path):
    home = Home(tmp_path, "small")
    assert run_logs.load_all(home) == []
    metadata = Metadata(home)
    assert run_logs.load_all(home) == []
    metadata.add("run-1", "COMPLETE")
    metadata.add("run-2", "COMPLETE", "Trainer/model_run/deleted")
    assert run_logs.load_all(home) == []
    (home.artifacts / "Trainer/model_run/deleted").mkdir(parents=True)
    assert [run.run_id for run in run_logs.load_all(home)] == ["run-2"]


def test_a_run_that_trains_and_is_read_is_not_disturbed(watched):
    run_logs.load_all(watched)
    before = watched.metadata.read_bytes()
    run_logs.load_all(watched)
    assert watched.metadata.read_bytes() == before
    assert sorted(path.name for path in Path(watched.metadata.parent).iterdir()) == ["metadata.sqlite"]
