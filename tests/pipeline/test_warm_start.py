"""What a training began with is told in a line."""

import pytest

from pipeline import warm_start


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            {"base_model": None, "weights": None},
            "no model was blessed when this training was first done, all weights are new",
        ),
        (
            {"base_model": "model/8", "weights": None},
            "no weights of this network in model/8 (deleted, of an older Slipway, or trained without it), all are new",
        ),
        ({"base_model": "model/8", "weights": {"a": [4, 4], "b": [1, 1]}}, "2 of 2 weights taken"),
        (
            {"base_model": "model/8", "weights": {"a": [4, 4], "b": [3, 8], "c": [0, 2]}},
            "1 of 3 weights taken, 1 in part, 1 new",
        ),
    ],
)
def test_what_was_taken_is_counted_and_what_was_not_is_explained(report, line):
    assert warm_start.lines({"": report}) == [f"warm start: {line}"]
    assert warm_start.lines({"": report, "student": report})[1] == f"warm start of the student: {line}"


def test_without_a_warm_start_nothing_is_told():
    assert warm_start.lines({}) == []
