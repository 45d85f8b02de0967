"""`slipway status`: runs, trials and curves."""

from pipeline import runs
from pipeline.home import Home


def record(home, run_id, **more):
    steps = [runs.StepRecord("Trainer", "ran", 3.0), runs.StepRecord("Evaluator", "ran", 2.0, "auc 0.9")]
    runs.save(home, runs.Run(run_id, home.name, "small.yaml", [], steps, seconds=9.0, **more))


def test_a_pipeline_has_its_runs_its_last_search_and_the_curves_of_its_training(watched, command):
    record(watched, "run-1", exit_code=0)
    record(watched, "run-3")
    assert command("status", "small").output.splitlines() == [
        "small: the newest serves, 3 (3 versions pushed)",
        "  run-1  done            9.0 s  2 ran, 0 cached  auc 0.9",
        "  run-3  unfinished      9.0 s  2 ran, 0 cached  auc 0.9",
        "  search of run-1: 1 trials, best val_loss 0.5000",
        "    trial  units  val_loss  epochs  seconds  state",
        "    0      8      0.5       2       1.0      completed",
        "    importance: too few trials, or all alike",
        "  trial 0, the best:",
        "              by epoch  first  last  lowest    highest",
        "    val_loss  █▁        0.9    0.5   0.5 in 2  0.9 in 1",
        "  training of run-3:",
        "              by epoch  first  last  lowest    highest",
        "    loss      █▁        0.7    0.3   0.3 in 2  0.7 in 1",
        "    val_loss  █▁        0.7    0.3   0.3 in 2  0.7 in 1",
    ]


def test_without_a_name_every_pipeline_has_its_last_run(watched, command):
    record(watched, "run-1", exit_code=0)
    record(watched, "run-2", exit_code=4)
    record(Home(watched.root, "other"), "run-1", exit_code=1, error=["other: why"])
    assert command("status").output.splitlines() == [
        "other: nothing was pushed yet",
        "  run-1  failed          9.0 s  2 ran, 0 cached  auc 0.9",
        "    other: why",
        "small: the newest serves, 3 (3 versions pushed)",
        "  run-2  not blessed     9.0 s  2 ran, 0 cached  auc 0.9",
    ]


def test_an_unknown_pipeline_is_one_line(watched, command):
    result = command("status", "smal")
    assert result.exit_code == 2
    assert result.output == (
        f"slipway status: no runs of such a pipeline in {watched.root}, got 'smal'; did you mean 'small'?\n"
    )
