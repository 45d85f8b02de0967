"""The gate in words, read from what TFX's Evaluator really wrote."""

import re

ROME = {"city": "Rome"}
THRESHOLDS = [
    ({"metric": "mae", "max": 5_000}, r"mae \d+\.\d{4} <= 5000 on all rows: holds"),
    # Two bounds of one metric on the same rows are one threshold to TFMA.
    ({"metric": "mae", "max": 5_000, "slice": ROME}, r"mae \d+\.\d{4} <= 5000 on city=Rome: holds"),
    ({"metric": "mse", "max": 1.5}, r"mse \d+\.\d{4} <= 1\.5 on all rows: FAILS"),
    ({"metric": "mae", "min": 10_000, "slice": ROME}, r"mae \d+\.\d{4} >= 10000 on city=Rome: FAILS"),
    ({"metric": "mae", "max": 5_000, "slice": {"visits": 3}}, r"mae \d+\.\d{4} <= 5000 on visits=3: holds"),
    ({"metric": "mae", "max": 1, "slice": {"city": "Paris"}}, "mae on city=Paris: no such rows .* so it fails"),
    ({"metric": "mse", "max_loss": 10}, r"mse \d+\.\d{4} on all rows: no baseline yet, nothing to compare with"),
]
AGAINST = r"mae (\d+\.\d{4}) against baseline \1, change \+0\.0000 <= "
CHANGES = [
    ({"metric": "mae", "max_loss": 10}, AGAINST + r"\+10 on all rows: holds"),
    ({"metric": "mae", "max_loss": -1, "slice": ROME}, AGAINST + r"-1 on city=Rome: FAILS"),
    ({"metric": "calibration", "max_loss": 0.5}, r"calibration .*, change \+0\.0000 >= -0\.5 on all rows: holds"),
]


def _verdict(evaluate, cases, **options):
    section = {"metrics": ["mae"], "thresholds": [threshold for threshold, _ in cases]}
    return evaluate("regression", section, **options)


def _matches(lines, patterns):
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


def test_every_threshold_is_a_line_with_value_bound_rows_and_outcome(evaluate):
    found = _verdict(evaluate, THRESHOLDS)
    _matches(found.lines, [*(pattern for _, pattern in THRESHOLDS), "not blessed: nothing is pushed, .*"])
    assert not found.blessed


def test_a_change_is_told_with_the_baseline_and_overall_values_are_the_candidates(evaluate):
    found = _verdict(evaluate, CHANGES, baseline=True)
    _matches(found.lines, [*(pattern for _, pattern in CHANGES), "not blessed: .*"])
    assert set(found.values) == {"mae", "calibration"}
    assert found.lines[0].startswith(f"mae {found.values['mae']:.4f} "), "and those of all rows"


def test_thresholds_that_all_hold_bless(evaluate):
    found = _verdict(evaluate, [THRESHOLDS[0], CHANGES[0]], baseline=True)
    assert found.blessed
    assert found.lines[-1] == "blessed: every threshold holds"
