"""Every mistake in a config ends as a precise line and exit code 2, all of them at once."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from data.sources import taxi
from pipeline import config_file
from pipeline.cli import slipway
from pipeline.errors import ConfigError

TAXI_ROWS = Path(taxi.SOURCE.locate(Path()))
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
    "unknown component": (
        ("evaluation:", "components: {mlflw: {}}\nevaluation:"),
        ": components.mlflw: no such component, got 'mlflw'; there are none",
    ),
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
    "no eval split": (
        ("split: {train: 2, eval: 1}", "split: {train: 2, evel: 1}"),
        ": needs the splits train and eval, got ['evel', 'train']; for instance {train: 2, eval: 1}",
    ),
    "an empty share": (
        ("{train: 2, eval: 1}", "{train: 2, eval: 0}"),
        "data.split.ratio.eval: input should be greater",
    ),
    "a split that cannot be a folder": (
        ("{train: 2, eval: 1}", "{train: 2, eval: 1, a/b: 1}"),
        "no name for a split, got 'a/b'",
    ),
    "a misspelt key of a split": (
        ("{train: 2, eval: 1}", "{by: random, ratios: {train: 2, eval: 1}}"),
        ": data.split.ratios: unknown key, got {'train': 2, 'eval': 1}; did you mean 'ratio'?",
    ),
    "an unknown way to split": (
        ("{train: 2, eval: 1}", "{by: times}"),
        ": data.split.by: input should be 'hash', 'random', ",
    ),
    "a way without its column": (
        ("{train: 2, eval: 1}", "{by: time}"),
        ": data.split.column: by: time needs a column, got none; add `column:`",
    ),
    "a column of a way that has none": (
        ("{train: 2, eval: 1}", "{by: random, column: fare}"),
        ": data.split.column: by: random looks at whole rows, got 'fare'; take it out, or write by: group",
    ),
    "a seed of a way that draws nothing": (
        ("{train: 2, eval: 1}", "{by: time, column: trip_start_timestamp, seed: 3}"),
        ": data.split.seed: by: time draws nothing, got 3; take it out, or write by: random",
    ),
    "a split by a column that is not there": (
        ("{train: 2, eval: 1}", "{by: group, column: compny}"),
        ": data.split.column: no such column of the data, got 'compny'; did you mean 'company'?",
    ),
    "a class in one split alone": (
        ("{train: 2, eval: 1}", "{by: group, column: big_tipper}"),
        ": data.split.by: no class may be in one split alone, got a group by the label; write by: stratified",
    ),
    "ready-made splits that are to be split": (
        ("source: taxi", "path: {train: a.csv, eval: b.csv}"),
        ": data: paths by split and split, got both; take split out, the files are split already",
    ),
    "a path that is none": (
        ("source: taxi", "path: [a.csv]"),
        ": data.path: neither a path nor paths by split, got ['a.csv']",
    ),
    "a version of no span": (
        ("source: taxi", "path: 'a-{VERSION}.csv'"),
        ": data.path: a version of no span, got 'a-{VERS",
    ),
    "a span of which there is no file": (("source: taxi", "path: 'a-{SPAN}.csv'"), ": data: no file matches, got "),
    "a name for a column that is not there": (
        ("source: taxi", "source: taxi\n  rename: {fares: price}"),
        ": data.rename.fares: no such column of the data, got 'fares'; did you mean 'fare'?",
    ),
    "two columns of one name": (
        ("source: taxi", "source: taxi\n  rename: {tips: fare}"),
        ": data.rename.tips: two columns would have one name, got 'fare' again; choose another",
    ),
    "an option that the format has not": (
        ("source: taxi", "source: taxi\n  options: {delimeter: ';'}"),
        ": data.options.delimeter: no such option of the format csv, got 'delimeter'; did you mean 'delimiter'?",
    ),
    "an option's value": (
        ("source: taxi", "source: taxi\n  options: {delimiter: tab}"),
        ": data.options.delimiter: must be one character, got 'tab'; for instance ';'",
    ),
    "two origins": (
        ("source: taxi", "source: taxi\n  query: SELECT 1"),
        ": data: needs one of source, path and query, got ['source', 'query']; give exactly one",
    ),
    "a query for a format of files": (
        ("source: taxi", "query: SELECT 1"),
        ": data: a query is for the format bigquery, got query and 'csv'; change one",
    ),
    "a query that is split by time": (
        ("source: taxi\n  split: {train: 2, eval: 1}", "query: SELECT 1\n  format: bigquery\n  split: {by: random}"),
        ": data: the rows of a query are split by hash alone, got 'random'; split in the query",
    ),
    "BigQuery without a query": (
        ("source: taxi", "path: rows.csv\n  format: bigquery"),
        ": data: a query is for the format bigquery, got path and 'bigquery'; change one",
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


def test_a_warm_start_needs_models_that_are_blessed(tmp_path):
    taxi = Path(__file__).parents[2] / "configs" / "taxi.yaml"
    assert config_file.read(taxi, ["training.warm_start=true"], tmp_path).config.training.warm_start
    with pytest.raises(ConfigError) as told:
        config_file.read(taxi, ["training.warm_start=true", "evaluation=off"], tmp_path)
    (line,) = told.value.lines
    assert line.endswith("got evaluation: off, which blesses none; drop one"), line


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


def test_a_weight_is_a_column_and_no_feature(write, tmp_path):
    for column, message in (
        ("big_tipper", ": a weight is neither label nor feature, got 'big_tipper'; name another column"),
        ("fare", ": a weight is neither label nor feature, got 'fare'; name another column"),
        ("fair", ": no such column of the data, got 'fair'; did you mean 'fare'?"),
    ):
        (line,) = _check(write(("epochs: 20", f"sample_weight: {column}")), tmp_path)
        assert line.endswith(f"training.sample_weight{message}")


def test_what_is_monitored_must_be_measured(write, tmp_path):
    (line,) = _check(write(("epochs: 20", "monitor: val_rmse")), tmp_path)
    assert ": training.monitor: no such metric of a binary label, got 'val_rmse'; did you mean 'val_loss'?" in line


def test_a_regression_has_no_classes_to_stratify_by(write, tmp_path):
    metrics = ("metrics: [auc, accuracy, log_loss, example_count]", "metrics: [mae]")
    path = write(metrics, ("task: binary", "task: regression"), ("{train: 2, eval: 1}", "{by: stratified}"))
    lines = _check(path, tmp_path, "--set", "evaluation.thresholds=[{metric: mae, max: 9}]")
    assert [line.partition(": ")[2] for line in lines] == [
        "data.split.by: a regression label has no classes, got 'stratified'; name a column, or write by: random"
    ]


@pytest.mark.parametrize(
    ("split", "arguments"),
    [
        ("{train: 2, eval: 1}", {"by": "hash"}),
        ("{ratio: {train: 2, eval: 1}}", {"by": "hash"}),
        ("{by: random}", {"by": "random", "seed": 1}),
        ("{by: random, seed: 0}", {"by": "random", "seed": 0}),
        ("{by: stratified}", {"by": "stratified", "column": "big_tipper", "seed": 1}),
        ("{by: stratified, column: company, seed: 7}", {"by": "stratified", "column": "company", "seed": 7}),
        ("{by: time, column: trip_start_timestamp}", {"by": "time", "column": "trip_start_timestamp"}),
    ],
)
def test_a_split_in_its_short_and_its_long_form(split, arguments):
    found = config_file.read(TAXI, (f"data.split={split}",)).config.data.split
    assert found.ratio == {"train": 2, "eval": 1}
    assert found.arguments("big_tipper") == arguments


def test_splits_that_are_ready_made_need_files_in_each(write, tmp_path):
    rows = TAXI_ROWS.read_text(encoding="utf-8")
    (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
    path = write(("source: taxi", "path: {train: a.csv, eval: b.csv}"), ("  split: {train: 2, eval: 1}\n", ""))
    (line,) = _check(path, tmp_path)
    assert ": data: no file matches, got " in line
    (tmp_path / "b.csv").write_text(rows, encoding="utf-8")
    patterns = {"train": [str(tmp_path / "a.csv")], "eval": [str(tmp_path / "b.csv")]}
    assert config_file.read(path).inputs.patterns == patterns


def test_a_span_that_is_not_there_is_told_beside_other_mistakes(write, tmp_path):
    for span in (1, 2):
        (tmp_path / f"rows-{span}.csv").write_bytes(TAXI_ROWS.read_bytes())
    path = write(("source: taxi", "path: 'rows-{SPAN}.csv'"), ("epochs: 20", "epoch: 20"))
    wrong_span, wrong_key = sorted(_check(path, tmp_path, "--span", "3"))
    assert wrong_span == "--span: no such span, got 3; there are 1-2"
    assert "training.epoch" in wrong_key
    assert _check(TAXI, tmp_path, "--span", "3") == [
        "--span: the data have no spans, got '3'; drop it, or put {SPAN} into data.path"
    ]


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


def test_the_config_uses_the_names_that_it_gives(write, tmp_path):
    renamed = ("source: taxi", "source: taxi\n  rename: {big_tipper: generous}")
    schema = ("schema: taxi.schema.pbtxt", "# no schema")
    assert config_file.read(write(renamed, schema, ("name: big_tipper", "name: generous"))).config.data.rename
    (line,) = _check(write(renamed, schema), tmp_path)
    assert "label.name: no such column of the data, got 'big_tipper'" in line
