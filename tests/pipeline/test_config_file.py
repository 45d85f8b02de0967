"""Every mistake in a config ends as a precise line and exit code 2, all of them at once."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline import config_file
from pipeline.cli import slipway

TAXI = Path(__file__).parents[2] / "configs/taxi.yaml"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the taxi config with replacements, beside its schema."""
    (tmp_path / "taxi.schema.pbtxt").write_text(TAXI.with_name("taxi.schema.pbtxt").read_text(encoding="utf-8"))

    def written(*replacements: tuple[str, str]) -> Path:
        text = TAXI.read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "broken.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def _check(path: Path, tmp_path: Path, *arguments: str) -> list[str]:
    """Run `slipway check` on a broken config and return its lines."""
    result = CliRunner().invoke(slipway, ["check", str(path), "--home", str(tmp_path), *arguments])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit), "a mistake of the user is no traceback"
    return result.output.splitlines()


BROKEN = {
    "unknown key": (("epochs: 20", "epoch: 20"), ": training.epoch: unknown key, got 20; did you mean 'epochs'?"),
    "misspelt model": (("name: tabular", "name: tabulor"), ": model.name: no such model, got 'tabulor'; did you mean"),
    "missing label column": (
        ("name: big_tipper", "name: big_tiper"),
        ": label.name: no such column of the data, got 'big_tiper'; did you mean 'big_tipper'?",
    ),
    "threshold out of range": (("min: 0.9}", "min: 1.9}"), ": min is out of range, got 1.9; auc lies between 0 and 1"),
    "a list where a map belongs": (("source: taxi", "- taxi"), ": data: "),
    "nonexistent path": (("source: taxi", "path: nowhere/*.csv"), ": data: no file matches, got "),
    "duplicate feature": (
        ("    trip_start_day:", "    fare: zscore\n    trip_start_day:"),
        ": features.columns.fare: stands twice, got 'fare' again; keep one of the two",
    ),
    "label also a feature": (
        ("    trip_start_day:", "    big_tipper: zscore\n    trip_start_day:"),
        ": features.columns.big_tipper: is the label, got 'big_tipper' as a feature too; take it out",
    ),
    "one transform twice": (
        ("fare: [log, {bucketize: {buckets: 40}}]", "fare: [bucketize, {bucketize: {buckets: 40}}]"),
        ": features.columns.fare: one transform twice, got bucketize, bucketize; a column takes each once",
    ),
    "a misspelt option of a text": (
        ("    trip_start_day:", "    company: {text: {ngram: 2}}\n    trip_start_day:"),
        "unknown key, got 2; did you mean 'ngrams'?",
    ),
    "weights that there are not": (
        ("    trip_start_day:", "    company: {text: {weights: idf}}\n    trip_start_day:"),
        "input should be 'tfidf', 'count' or 'binary', got 'idf'; see docs/config.md",
    ),
    "a class that YAML takes for a boolean": (
        ("task: binary", "task: binary\n  classes: [no, 'yes']"),
        ": label.classes.0: a boolean to YAML, got False; write it in quotes, yes, no, on and off too",
    ),
    "three classes of a binary label": (
        ("task: binary", "task: binary\n  classes: [a, b, c]"),
        ": label: a binary label has two classes, got ['a', 'b', 'c']; is the task multiclass?",
    ),
    "a class twice": (
        ("task: binary", "task: binary\n  classes: [1, '1']"),
        ": label: a class stands twice, got [1, '1']; name each value once",
    ),
    "two bounds of a kind": (
        ("{metric: auc, min: 0.9}", "{metric: auc, min: 0.9}\n    - {metric: auc, min: 0.8}"),
        ": evaluation.thresholds: two bounds of a kind, got min of auc again; keep one",
    ),
    "a bound for a metric of another task": (
        ("{metric: auc, min: 0.9}", "{metric: mae, max: 0.9}"),
        ": evaluation.thresholds.0.metric: is not defined for a binary label, got 'mae'; there are auc, ",
    ),
    "unreadable YAML": (("data:\n", "data: [\n"), ": not YAML, got "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_gives_one_precise_line(name, write, tmp_path):
    replacement, expected = BROKEN[name]
    if name == "a list where a map belongs":
        path = write(replacement, ("  split: {train: 2, eval: 1}\n", ""))
    else:
        path = write(replacement)
    (line,) = _check(path, tmp_path)
    assert line.startswith(f"{path}:")
    assert expected in line


def test_class_weights_and_classes_are_not_for_a_regression(write, tmp_path):
    metrics = ("metrics: [auc, accuracy, log_loss, example_count]", "metrics: [mae]")
    bounds = [("{metric: auc, max_loss: 0.01}", "{metric: mae, max_loss: 9}")]
    bounds += [
        ("{metric: auc, min: 0.9}", "{metric: mae, max: 9}"),
        ("{metric: auc, min: 0.6,", "{metric: mae, max: 9,"),
    ]
    task, weight = ("task: binary", "task: regression"), ("epochs: 20", "class_weight: balanced")
    (line,) = _check(write(task, weight, metrics, *bounds), tmp_path)
    assert ": training.class_weight: a regression label has no classes, got 'balanced'; take it out" in line
    (line,) = _check(write(("task: binary", "task: regression\n  classes: [a]"), metrics, *bounds), tmp_path)
    assert ": label: a regression label has no classes, got ['a']; take them out" in line


def test_an_empty_file_gives_one_precise_line(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n", encoding="utf-8")
    (line,) = _check(path, tmp_path)
    assert line == f"{path}: an empty file; a config begins with `name:`, see configs/taxi.yaml"


def test_all_mistakes_are_told_at_once(write, tmp_path):
    path = write(("source: taxi", "source: taxy"), ("epochs: 20", "epoch: 20"), ("min: 0.9}", "min: 1.9}"))
    assert len(_check(path, tmp_path)) == 3


def test_the_line_number_is_that_of_the_mistake(write, tmp_path):
    path = write(("source: taxi", "source: taxy"))
    number = path.read_text(encoding="utf-8").splitlines().index("  source: taxy") + 1
    assert _check(path, tmp_path)[0].startswith(f"{path}:{number}: data.source:")


def test_an_override_replaces_a_value_deep_in_the_file():
    config = config_file.read(TAXI, ("tuner=off", "training.epochs=3", "features.columns.fare=zscore")).config
    assert config.tuner is None
    assert config.training.epochs == 3
    assert json.loads(config.model_dump_json())["features"]["columns"]["fare"] == [{"kind": "zscore"}]


@pytest.mark.parametrize("override", ["training", "training.epochs=[", "name.deeper=1", "training.epochs=many"])
def test_a_bad_override_is_told(override, tmp_path):
    assert override.partition("=")[0] in _check(TAXI, tmp_path, "--set", override)[0]
