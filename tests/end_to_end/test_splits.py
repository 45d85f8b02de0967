"""Spans and splits in real runs: what is read, what comes from the cache, what is refused."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFIG = """
name: sales
data:
  path: day-{SPAN}/*.csv
  split: {by: time, column: at, ratio: {train: 6, eval: 2, test: 2}}
label: {name: sale, task: binary}
model: {name: tabular}
evaluation: off
"""
# Nothing is trained: it is the data that are tested.
READ = ("--to", "StatisticsGen")


def _write_day(root: Path, day: int) -> None:
    """Fifty rows of one day, a fifth of them with a sale, latest first."""
    rows = [f"2026-01-{day:02d}T12:{minute:02d}:00,{int(minute % 5 == 0)}" for minute in reversed(range(50))]
    (root / f"day-{day:02d}").mkdir()
    (root / f"day-{day:02d}" / "sales.csv").write_text("\n".join(["at,sale", *rows, ""]))


@pytest.fixture
def sales(tmp_path, slipway_at):
    """Return a function that runs a config of sales up to its statistics and gives the record of the run."""
    path = tmp_path / "sales.yaml"
    path.write_text(CONFIG)
    slipway = slipway_at("home")

    def run(*arguments, code=0):
        output = slipway("run", str(path), *READ, *arguments, code=code)
        records = sorted((slipway.home / "runs" / "sales").glob("*/run.json"))
        return output, json.loads(records[-1].read_text()) if records else {}

    run.slipway, run.path = slipway, path
    return run


def _steps(record):
    return {step["name"]: (step["state"], step["figure"]) for step in record["steps"]}


def _splits(record):
    return next(step["details"] for step in record["steps"] if step["name"] == "StatisticsGen")


def test_a_new_span_is_read_and_an_old_one_comes_from_the_cache(sales, tmp_path):
    for day in (8, 9):
        _write_day(tmp_path, day)
    _, record = sales()
    assert _steps(record)["ExampleGen"] == ("ran", "0.0 MB of examples of span 9")
    assert (
        _steps(record)["StatisticsGen"][1]
        == "train 30 rows (20.0 % 1), eval 10 (20.0 % 1), test 10 (20.0 % 1), 2 columns"
    )
    assert {name: split["rows"] for name, split in _splits(record).items()} == {"train": 30, "eval": 10, "test": 10}
    _write_day(tmp_path, 10)
    _, record = sales()
    assert _steps(record)["ExampleGen"] == ("ran", "0.0 MB of examples of span 10")
    _, record = sales("--span", "9")
    assert _steps(record)["ExampleGen"] == ("cached", "0.0 MB of examples of span 9")
    _, record = sales("--span", "8-10")
    assert _steps(record)["ExampleGen"] == ("ran", "0.0 MB of examples of spans 8 to 10")
    assert _splits(record)["train"]["rows"] == 90
    output, _ = sales("--span", "7-9", code=2)
    assert output == "--span: no such span, got 7; there are 8-10\n"
    node = ("node", "--config", str(sales.path), "--node", "ExampleGen", "--run-id", "one", "--span", "8")
    assert sales.slipway(*node).splitlines()[-1].endswith("of span 8")


def test_splits_that_share_rows_and_splits_without_rows_are_refused(sales, tmp_path):
    for day in (1, 2):
        _write_day(tmp_path, day)
    ready = ("--set", "data={path: {train: day-01/*.csv, eval: day-02/*.csv}}")
    _, record = sales(*ready)
    assert {name: split["rows"] for name, split in _splits(record).items()} == {"train": 50, "eval": 50}
    lines = (tmp_path / "day-01" / "sales.csv").read_text().splitlines()
    with open(tmp_path / "day-02" / "sales.csv", "a") as file:
        file.write("\n".join([*lines[3:5], ""]))
    output, _ = sales(*ready, code=3)
    sentence = "ExampleGen: the data are refused: the splits train and eval have rows in common, got 2, the first "
    assert f"{sentence}at=2026-01-01T12:47:00, sale=0;" in output
    output, _ = sales("--set", "data={path: day-01/*.csv, split: {train: 9999, eval: 1}}", code=3)
    assert "ExampleGen: the data are refused: no rows in the split eval, got train 50, eval 0 of 50 rows" in output
