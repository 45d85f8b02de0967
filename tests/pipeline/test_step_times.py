"""The line that says where the time of a training went."""

from pipeline import step_times

SLOW = {"epoch": 9.0, "input": 3.0, "step": 5.0, "validation": 1.0}
FAST = {"epoch": 0.5, "input": 0.02, "step": 0.4, "validation": 0.08}
LINE = "0.50 s an epoch: waiting for input 0.02 s, forward and backward 0.40 s, validation 0.08 s"


def test_the_first_epoch_does_not_count_unless_it_is_the_only_one():
    assert step_times.lines([SLOW, FAST, FAST]) == [LINE]
    assert step_times.lines([FAST]) == [LINE]
    assert step_times.lines([]) == []


def test_what_was_not_measured_is_not_told():
    known = {name: seconds for name, seconds in FAST.items() if name != "input"}
    assert step_times.lines([known]) == ["0.50 s an epoch: forward and backward 0.40 s, validation 0.08 s"]
