"""`slipway status`: runs, trials and curves."""

from pipeline import runs
from pipeline.home import Home
from pipeline.runs import StepRecord
from tests.pipeline import small_runs


def record(home, run_id, **more):
    steps = [StepRecord("Trainer", "ran", 3.0), StepRecord("Evaluator", "ran", 2.0, "auc 0.9")]
    runs.save(home, runs.Run(run_id, home.name, "small.yaml", [], steps, seconds=9.0, **more))


def test_a_pipeline_has_its_runs_its_last_search_and_the_curves_of_its_training(watched, command):
    record(watched, "1-0", exit_code=0)
    assert command("status", "small").output.splitlines() == [
        "small: the newest serves, 3 (3 versions pushed)",
        "  1-0  done            9.0 s  2 ran, 0 cached  auc 0.9",
        "  1-1  unfinished      9.0 s  2 ran, 0 cached",
        "  1-2  unfinished      9.0 s  0 ran, 2 cached",
        "  1-3  unfinished      9.0 s  0 ran, 1 cached, Trainer unfinished",
        "  search of 1-1: 1 trials, best val_loss 0.5000",
        "    trial  units  val_loss  epochs  seconds  state",
        "    0      8      0.5       2       1.0      completed",
        "    importance: too few trials, or all alike",
        "  trial 0, the best:",
        "              by epoch  first  last  lowest    highest",
        "    val_loss  █▁        0.9    0.5   0.5 in 2  0.9 in 1",
        "  training of 1-3:",
        "              by epoch  first  last  lowest    highest",
        "    loss      █▁        0.7    0.3   0.3 in 2  0.7 in 1",
        "    val_loss  █▁        0.7    0.3   0.3 in 2  0.7 in 1",
    ]


def test_a_search_at_work_has_the_trials_that_are_over(watched, command):
    small_runs.search_at_work(watched)
    lines = command("status", "small").output.splitlines()
    assert "  run-4  unfinished      3.0 s  0 ran, 0 cached, Tuner unfinished" in lines
    begin = lines.index("  search of run-4, unfinished: 1 trials, best val_loss 0.5000")
    assert lines[begin + 1 : begin + 4] == [
        "    trial  units  val_loss  epochs  seconds  state",
        "    0      8      0.5       2       1.0      completed",
        "  trial 0, the best:",
    ]


def test_of_records_of_an_earlier_version_it_is_said_what_is_not_shown(home, command):
    record(home, "1-1", exit_code=0)
    assert command("status", "small").output.splitlines()[2:] == [
        "  search, training: 1-1 was recorded by an earlier version, without its folders; the next run shows them"
    ]


def test_without_a_name_every_pipeline_has_its_last_run(watched, command):
    record(watched, "run-4", exit_code=4)
    record(Home(watched.root, "other"), "1-1", exit_code=1, error=["other: why"])
    assert command("status").output.splitlines() == [
        "other: nothing was pushed yet",
        "  1-1  failed          9.0 s  2 ran, 0 cached  auc 0.9",
        "    other: why",
        "small: the newest serves, 3 (3 versions pushed)",
        "  run-4  not blessed     9.0 s  2 ran, 0 cached  auc 0.9",
    ]


def test_an_unknown_pipeline_is_one_line(watched, command):
    result = command("status", "smal")
    assert result.exit_code == 2
    assert result.output == (
        f"slipway status: no runs of such a pipeline in {watched.root}, got 'smal'; did you mean 'small'?\n"
    )
