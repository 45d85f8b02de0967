"""The lines about a search: best first, failures with their reason, what mattered, the best curve."""

from pipeline import trials


def _trial(number, objective, **changes):
    curve = [{"execution": 0, "epoch": epoch, "val_auc": (objective or 0) - 0.1 + epoch / 30} for epoch in (1, 2, 3)]
    return {
        "trial": f"{number:02}", "state": "completed", "objective": objective, "epochs": 3, "seconds": 1.25,
        "hyperparameters": {"units": 8 * number, "rate": 0.001 * number, "tuner/epochs": 3},
        "curve": curve, "error": None, **changes,
    }  # fmt: skip


FAILED = {"state": "failed", "error": "ValueError: planted", "curve": [], "epochs": 0, "hyperparameters": {"units": 9}}
REPORT = {
    "objective": "val_auc",
    "direction": "max",
    "best": "02",
    "trials": [_trial(1, 0.8), _trial(2, 0.9), _trial(3, None, **FAILED)],
    "importance": {"shares": {"rate": 0.7, "units": 0.2}, "interactions": 0.1, "trials": 2, "weak": True, "r2": -0.3},
}


def test_a_search_is_a_table_with_the_best_first_and_the_failures_last():
    assert trials.lines(REPORT) == [
        "trial  units  rate   val_auc  epochs  seconds  state",
        "02     16     0.002  0.9      3       1.2      completed",
        "01     8      0.001  0.8      3       1.2      completed",
        "03     9      -      -        0       1.2      FAILS: ValueError: planted",
        "importance: rate 70%, units 20%, interactions 10%; a hint only: 2 trials, r2 -0.30",
        "best curve: val_auc 0.8333 0.8667 0.9000",
    ]


def test_the_key_figure_is_the_best_and_how_many_failed():
    assert trials.summary(REPORT) == "3 trials, best val_auc 0.9000, 1 FAILED"
    assert trials.summary({**REPORT, "trials": REPORT["trials"][:2]}) == "2 trials, best val_auc 0.9000"


def test_the_key_figure_and_the_table_say_which_network_won():
    drawn = [{"architecture": name, "rate": 0.1} for name in ("linear", "deep")]
    both = [_trial(number, number / 10, hyperparameters=drawn[number - 1]) for number in (1, 2)]
    report = {**REPORT, "trials": both}
    assert trials.summary(report) == "2 trials, best val_auc 0.2000 by deep"
    assert [line.split()[1] for line in trials.lines(report)[:3]] == ["architecture", "deep", "linear"]


def test_of_a_long_search_the_best_are_shown():
    many = [_trial(number, number / 100) for number in range(1, 31)]
    lines = trials.lines({**REPORT, "direction": "min", "trials": many})
    assert [line[:2] for line in lines[1:16]] == [f"{number:02}" for number in range(1, 16)]
    assert lines[16] == "and 15 more in trials.json"


def test_a_long_curve_is_shown_in_even_steps_with_its_end():
    curve = [{"execution": 0, "epoch": epoch, "val_auc": epoch / 100} for epoch in range(1, 31)]
    report = {**REPORT, "trials": [_trial(2, 0.3, curve=curve)]}
    assert trials.lines(report)[-1] == "best curve: val_auc " + " ".join(f"{n / 100:.4f}" for n in range(3, 31, 3))


def test_too_few_trials_have_no_importance():
    assert "importance: too few trials, or all alike" in trials.lines({**REPORT, "importance": None})
