"""From a pile of wrapped errors to the line a person needs."""

from pathlib import Path

import pytest

from pipeline import causes


def _raised(function):
    try:
        function()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


def _from_json():
    import json

    json.loads("{")


def _wrapped():
    try:
        _from_json()
    except ValueError as error:
        raise RuntimeError("the step broke [while running 'Write/Map(<lambda>)']") from error


def _wrapped_without_a_cause():
    try:
        _from_json()
    except ValueError:
        raise RuntimeError("the step broke") from None


def test_the_innermost_error_began_it_all():
    assert type(causes.innermost(_raised(_wrapped))).__name__ == "JSONDecodeError"


def test_a_suppressed_cause_is_not_looked_for():
    assert isinstance(causes.innermost(_raised(_wrapped_without_a_cause)), RuntimeError)


def test_a_circle_of_causes_ends():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert causes.innermost(first) is second


def test_a_failure_is_one_line_with_the_place_in_our_own_code():
    (line,) = causes.lines("Trainer", _raised(_wrapped))
    assert line.startswith(f"Trainer: failed, got RuntimeError: the step broke ({__file__}:")
    number = int(line.rstrip(")").rpartition(":")[2])
    assert "json.loads" in Path(__file__).read_text(encoding="utf-8").splitlines()[number - 1]


def test_a_long_message_is_cut_and_an_empty_one_has_a_line():
    assert len(causes.lines("Trainer", RuntimeError("\n".join("abcdefghijklmnop")))) == 9
    assert causes.lines("Trainer", KeyboardInterrupt()) == ["Trainer: failed, got KeyboardInterrupt: "]


@pytest.mark.parametrize(
    ("step", "error", "lines"),
    [
        ("DataGate", ValueError("one\ntwo"), [f"DataGate: the data are refused: {word}" for word in ("one", "two")]),
        ("ExampleGen", ValueError("no rows"), ["ExampleGen: the data are refused: no rows"]),
        ("Doors", ValueError("differ"), ["Doors: the model is refused: differ"]),
        ("DataGate", OSError("disk full"), ["DataGate: failed, got OSError: disk full"]),
        ("Trainer", ValueError("shape"), ["Trainer: failed, got ValueError: shape"]),
    ],
)  # fmt: skip
def test_only_a_judge_refuses_and_only_with_a_value_error(step, error, lines):
    assert causes.lines(step, error) == lines
    assert causes.refuses_data(step, error) == ("the data are refused" in lines[0])
