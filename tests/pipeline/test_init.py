"""`slipway init`: a config that is valid as it is, whatever the data look like; every mistake one line."""

import csv
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from pipeline import config_file, data_files, init, schema_words
from pipeline.cli import slipway

ROWS = 120
ODD = ['a "b": c', "# no comment", "two\nlines", "- dash", "{x}", "yes", "2020-01-01", "Größe …", "null", "'"]


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return a function that runs `slipway init` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        result = CliRunner().invoke(slipway, ["init", *arguments, "--home", str(tmp_path / "home")])
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit | None)
        return result.output.splitlines()

    return run


def _write(path, **columns):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


@pytest.fixture
def odd(tmp_path) -> Path:
    """A table with names and values that are hard to write down."""
    numbers, noise = np.random.default_rng(1).normal(size=(2, ROWS)).round(3)
    _write(
        tmp_path / "Odd data (1).csv",
        **{
            "the label?": [[" <=50K", " >50K"][int(number > 0.3)] for number in numbers + noise],
            "größe": numbers + 1,
            "a b": range(0, 2 * ROWS, 2),
            "a_b": [number % 7 for number in range(ROWS)],
            "a/b": [ODD[number % len(ODD)] for number in range(ROWS)],
            "x": [f"# {number}: '" for number in range(ROWS)],
            "seen": [f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}" for number in range(ROWS)],
            "c: #d": [number % 5 for number in range(ROWS)],
            "empty": [None] * ROWS,
            "rare": ["once", *[None] * (ROWS - 1)],
            "same": ["it's: #1\n"] * ROWS,
            "gaps": [None if number % 4 else number for number in range(ROWS)],
            "half": [number % 60 if number % 5 else None for number in range(ROWS)],
        },
    )
    return tmp_path / "Odd data (1).csv"


def test_odd_names_and_values_give_a_valid_config_with_every_column_in_it(command, odd, tmp_path):
    lines = command(odd.name, "--label", "the label?")
    path = tmp_path / "configs/odd_data_1.yaml"
    config = config_file.read(path).config
    assert config.name == "odd_data_1"
    assert config.label.name == "the_label"
    assert config.label.classes == (" <=50K", " >50K")
    assert config.data.rename == {
        "the label?": "the_label",
        "größe": "gr_e",
        "a b": "a_b_2",
        "a/b": "a_b_3",
        "c: #d": "c_d",
    }
    assert set(config.features.exclude) == {"a_b_2", "x", "empty", "rare", "same", "gaps"}
    assert set(config.features.columns) == {"gr_e", "a_b", "a_b_3", "seen", "c_d", "half"}
    assert [transform.kind for transform in config.features.columns["seen"]] == ["date"]
    schema = data_files.curated_schema(tmp_path / "configs/odd_data_1.schema.pbtxt")
    features = {feature.name: feature for feature in schema.feature}
    assert list(features)[:3] == ["the_label", "gr_e", "a_b_2"]
    assert features["a_b_3"].distribution_constraints.min_domain_mass == pytest.approx(0.98)
    assert not features["the_label"].HasField("distribution_constraints"), "no slack for the label"
    text = path.read_text(encoding="utf-8")
    assert "    - same # constant: it's: #1 in every row\n" in text
    assert "# Run: slipway run configs/odd_data_1.yaml\n" in text
    assert lines[-1].split() == ["next", "slipway", "run", "configs/odd_data_1.yaml"]
    assert any("x: unique in every row" in line for line in lines)
    assert any("5 columns that could not be served, such as 'the label?', now the_label" in line for line in lines)


def test_the_schema_fits_the_data_it_was_made_from(command, odd, tmp_path):
    command(odd.name, "--label", "the label?", "-o", "there/mine.yaml", "--name", "mine")
    result = CliRunner().invoke(slipway, ["schema", "diff", "there/mine.yaml", "--home", str(tmp_path / "home")])
    assert result.output == f"there/mine.schema.pbtxt: {ROWS} rows fit it\n"
    assert yaml.safe_load((tmp_path / "there/mine.yaml").read_text("utf-8"))["data"]["path"] == "../Odd data (1).csv"


def test_the_command_to_run_next_can_be_pasted_whatever_the_path(command, tmp_path):
    _write(tmp_path / "rows.csv", y=[0, 1] * 20, x=[number % 7 for number in range(40)])
    lines = command("rows.csv", "--label", "y", "-o", "my configs/it's.yaml")
    assert shlex.split(lines[-1]) == ["next", "slipway", "run", "my configs/it's.yaml"]
    (run,) = (line for line in (tmp_path / "my configs/it's.yaml").read_text().splitlines() if line.startswith("# Run"))
    assert shlex.split(run)[2:] == ["slipway", "run", "my configs/it's.yaml"]


@pytest.mark.parametrize(("label", "guess"), [("flag", "guessing (0.5)"), ("amount", "the median for every row (")])
def test_where_every_column_is_worse_than_guessing_the_bound_is_the_guess(label, guess, command, tmp_path):
    random = np.random.default_rng(1)
    values = {"flag": random.permutation([0, 1] * 60), "amount": random.normal(size=120).round(3)}[label]
    _write(tmp_path / "rows.csv", **{label: values, "noise": np.random.default_rng(2).normal(size=120).round(3)})
    lines = command("rows.csv", "--label", label)
    (threshold,) = (line for line in lines if line.startswith("threshold"))
    assert f": {guess}" in threshold
    assert threshold.endswith("), which no column alone can beat")
    assert any(line.startswith("features") and line.endswith(", no better than guessing") for line in lines)
    assert "halfway" not in (tmp_path / "configs/rows.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("label", "task", "metric"),
    [("kind", "multiclass", "categorical_accuracy"), ("amount", "regression", "mae"), ("flag", "binary", "auc")],
)
def test_every_task_has_its_metrics_and_a_bound_between_guessing_and_the_best_column(
    label, task, metric, command, tmp_path
):
    signal = np.random.default_rng(2).normal(size=600)
    noise = np.random.default_rng(3).normal(size=600)
    _write(
        tmp_path / "rows.csv",
        kind=np.digitize(signal, [-0.5, 0.5]),
        amount=(10 * signal).round(2),
        flag=(signal > 1).astype(int),
        clue=signal + noise,
        place=["in", "out"] * 300,
    )
    command("rows.csv", "--label", label, "--name", label)
    text = (tmp_path / f"configs/{label}.yaml").read_text(encoding="utf-8")
    others = {"kind", "amount", "flag"} - {label}
    command("rows.csv", "--label", label, "--name", label, "--force")
    config = config_file.read(tmp_path / f"configs/{label}.yaml").config
    assert (tmp_path / f"configs/{label}.yaml").read_text(encoding="utf-8") == text, "the same every time"
    assert config.label.task == task
    assert task == "regression" or others & set(config.features.exclude), "one of them gives the label away"
    assert "clue" in config.features.columns
    assert ("place",) in config.evaluation.slices
    first, second = config.evaluation.thresholds
    assert first.metric == second.metric == metric
    guess = {"kind": 0.4, "amount": 8, "flag": 0.5}[label]
    assert (first.max < guess) if task == "regression" else (guess < first.min < 1)
    assert second.max_loss > 0


MISTAKES = {
    "a text of its own in every row": (
        ["rows.csv", "--label", "who"],
        "who,x\n" + "".join(f"person {number},{number % 3}\n" for number in range(40)),
        3,
        "--label who: text with 40 different values in 40 rows, got person 0, person 1, person 10, …; at most 100 ",
    ),
    # arguments, content of rows.csv, exit code, the line
    "no such label": (
        ["rows.csv", "--label", "colour"],
        "color,x\n" + "a,1\nb,2\n" * 20,
        2,
        "--label: no such column of the data, got 'colour'; did you mean 'color'?",
    ),
    "no such file": (["gone.csv", "--label", "y"], "", 2, "slipway init: no file matches, got "),
    "a suffix that says nothing": (
        ["rows.xyz", "--label", "y"],
        "",
        2,
        "rows.xyz: no format goes by this suffix, got 'xyz'; say which with --format: ",
    ),
    "no suffix": (["rows", "--label", "y"], "", 2, "rows: no suffix to go by, got 'rows'; say which with --format: "),
    "an empty file": (["rows.csv", "--label", "y"], "", 3, "the data are refused: "),
    "ragged rows": (["rows.csv", "--label", "y"], "y,x\n1,2\n1\n", 3, "Expected 2 columns, got 1"),
    "no label in some rows": (
        ["rows.csv", "--label", "y"],
        "y,x\n" + "a,1\nb,2\n,3\n" * 10,
        3,
        "--label y: 10 of 30 rows have none",
    ),
    "a label of lists": (
        ["rows.csv", "--label", "y", "--format", "jsonl"],
        '{"y": [0, 1], "x": 1}\n' * 30,
        3,
        "--label y: several values in a row, got lists; a label is one value",
    ),
    "nothing to learn from": (
        ["rows.csv", "--label", "y"],
        "y,x\n" + "a,1\nb,1\n" * 20,
        3,
        "no column is left to learn from, got x: constant: 1 in every row; give other columns",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(name, command, tmp_path):
    arguments, content, code, expected = MISTAKES[name]
    (tmp_path / "rows.csv").write_text(content, encoding="utf-8")
    (line,) = command(*arguments, code=code)
    assert expected in line
    assert not (tmp_path / "configs").exists()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--format=cvs", "--format: no such format, got 'cvs'; did you mean 'csv'?"),
        ("--option=delimter=;", "--option delimter: no such option of the format csv, got 'delimter'; did you mean"),
        ("--option=delimiter=ab", "--option delimiter: must be one character, got 'ab'; "),
        ("--option=delimiter={a", "--option delimiter: not a YAML value, got '{a'; quote it"),
        ("--name=A b", "--name: no name, got 'A b'; "),
    ],
)
def test_a_wrong_option_is_told_before_the_data_are_looked_for(option, expected, command):
    (line,) = command("gone.csv", "--label", "y", option, code=2)
    assert line.startswith(expected)


def test_options_of_the_format_are_used_and_written_down(command, tmp_path):
    (tmp_path / "rows.csv").write_text("y;x\n" + "a;1\nb;2\na;2\nb;1\n" * 9, encoding="utf-8")
    command("rows.csv", "--label", "y", "--option", "delimiter=;")
    assert config_file.read(tmp_path / "configs/rows.yaml").config.data.options == {"delimiter": ";"}


def test_a_name_that_is_a_word_of_yaml_is_a_name(command, tmp_path):
    _write(tmp_path / "no.csv", y=[0, 1] * 30, x=list(range(30)) * 2)
    command("no.csv", "--label", "y")
    assert config_file.read(tmp_path / "configs/no.yaml").config.name == "no"


def test_nothing_is_written_over_without_force(command, tmp_path):
    _write(tmp_path / "rows.csv", y=[0, 1] * 30, x=list(range(30)) * 2)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/rows.schema.pbtxt").write_text("mine", encoding="utf-8")
    (line,) = command("rows.csv", "--label", "y", code=2)
    assert line == "slipway init: already there, got configs/rows.schema.pbtxt; --force writes over it"
    assert (tmp_path / "configs/rows.schema.pbtxt").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "configs/rows.yaml").exists()
    command("rows.csv", "--label", "y", "--force")
    assert (tmp_path / "configs/rows.yaml").exists()


@pytest.mark.parametrize(
    ("header", "rename"),
    [
        (["fine", "A.b-c", "1st"], {}),
        (["mean radius", "mean_radius"], {"mean radius": "mean_radius_2"}),
        (["mean radius", "mean-radius", "mean/radius"], {"mean radius": "mean_radius", "mean/radius": "mean_radius_2"}),
        (["größe (cm)", "日本"], {"größe (cm)": "gr_e_cm", "日本": "column_2"}),
        (["_private", "-dash"], {"_private": "private", "-dash": "dash"}),
    ],
)
def test_names_are_made_servable_and_stay_different(header, rename):
    found = init.servable(header)
    assert found == rename
    assert len({found.get(name, name) for name in header}) == len(header)


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.0001, "under 0.1 %"), (0.933, "93.3 %"), (0.9999, "over 99.9 %"), (1, "100 %")]
)
def test_a_share_is_all_or_none_only_where_it_is(share, text):
    assert schema_words.percent(share) == text
