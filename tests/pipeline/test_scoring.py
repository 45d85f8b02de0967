"""A file of rows to a file of answers: the answers of the SavedModel, in flat memory, whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from pipeline import scoring_output
from serving.predictor import Predictor

ROOT = Path(__file__).parents[2]
CSV = 'id,fare,company,zone\n007,2.5,"It\'s ünique, yes",7\n008,,A,\n009,0.1,,-3\n'


@pytest.fixture
def csv_file(tmp_path):
    """Three rows, some values missing."""
    path = tmp_path / "rows.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture(params=["csv", "parquet", "jsonl", "csv.gz"])
def rows_file(request, csv_file):
    """The same rows in several formats; only in CSV an id has leading zeros."""
    import gzip

    path = csv_file.with_name(f"rows.{request.param}")
    table = pa.table(
        {"id": ["007", "008", "009"], "fare": pa.array([2.5, None, 0.1], pa.float64()),
         "company": ["It's ünique, yes", "A", None], "zone": [7, None, -3]}
    )  # fmt: skip
    if request.param == "parquet":
        parquet.write_table(table, path)
    elif request.param == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()), encoding="utf-8")
    elif request.param == "csv.gz":
        path.write_bytes(gzip.compress(CSV.encode()))
    return path


def read(path):
    """The rows of a file that was written, by the format's own reader."""
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    if path.suffix == ".csv":
        return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types={"id": pa.string()})).to_pylist()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_every_row_gets_the_answer_that_the_saved_model_gives_it_alone(command, home, rows_file, ending):
    output = rows_file.with_name(f"scores.{ending}")
    result = command("predict", "small", rows_file, "-o", output)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"small version 3: 3 rows to {output} in ")
    assert result.output.rstrip().endswith(" rows/s")
    rows, model = read(output), Predictor(home.serving / "3")
    assert [row["id"] for row in rows] == ["007", "008", "009"], "what the model does not take stays as it is"
    assert [row["model_version"] for row in rows] == [3, 3, 3]
    for row in rows:
        filled = {"fare": float("nan"), "zone": -(2**63), "company": ""}
        given = {name: [row[name] if row[name] not in (None, "") else missing] for name, missing in filled.items()}
        assert row["score"] == pytest.approx(float(model.predict(given)["score"][0]), abs=1e-6)
    assert [name for name in rows[0] if name not in ("score", "model_version")] == ["id", "fare", "company", "zone"]
    assert rows[1]["fare"] is None


def test_only_the_columns_that_are_to_be_kept_are_written(command, csv_file, tmp_path):
    output = tmp_path / "new" / "folder" / "scores.csv"
    assert command("predict", "small", csv_file, "-o", output, "--keep", "id", "--version", 1).exit_code == 0
    assert output.read_text().splitlines()[:2] == ['"id","score","model_version"', '"007",29.5,1']


def test_names_and_options_of_the_config_can_be_given(command, tmp_path):
    path, output = tmp_path / "rows.txt", tmp_path / "scores.jsonl"
    path.write_text("trip fare;company;zone\n1.5;A;2\n")
    options = ("--format", "csv", "--option", "delimiter=;", "--rename", "trip fare=fare", "--keep", "fare")
    assert command("predict", "small", path, "-o", output, *options).exit_code == 0
    assert output.read_text() == '{"fare":1.5,"score":32.5,"model_version":3}\n'


def test_a_digit_that_a_float32_does_not_have_is_not_written(command, csv_file):
    for name in ("scores.jsonl", "scores.csv"):
        output = csv_file.with_name(name)
        assert command("predict", "small", csv_file, "-o", output, "--keep", "id").exit_code == 0
        assert "30.1" in output.read_text()
        assert "30.10" not in output.read_text()


def test_the_file_is_replaced_and_a_run_that_fails_leaves_the_old_one(command, csv_file):
    output = csv_file.with_name("scores.csv")
    for version in (1, 2):
        assert command("predict", "small", csv_file, "-o", output, "--version", version).exit_code == 0
        assert output.read_text().count(f",{version}\n") == 3
    before = output.read_text()
    with csv_file.open("a") as file:
        file.write("010,1,A,seven\n")
    result = command("predict", "small", csv_file, "-o", output)
    assert result.exit_code == 3
    assert "CSV conversion error to int64: invalid value 'seven'" in result.output
    assert len(result.output.splitlines()) == 1
    assert output.read_text() == before
    assert sorted(path.name for path in output.parent.iterdir() if path.is_file()) == ["rows.csv", "scores.csv"]


@pytest.mark.parametrize(
    ("text", "arguments", "code", "line"),
    [
        ("company,zone\nA,1\n", "", 3, "lacks columns that the model takes, got no fare; there are company, zone"),
        ("Fare,company,zone\n1,A,1\n", "", 3, "got no fare; did you mean 'Fare'?"),
        ("fare,company,zone\n", "", 3, "no rows"),
        ("", "", 3, "no header line"),
        ("fare,company,zone\n1,A\n", "", 3, "Expected 3 columns, got 2"),
        ("fare,company,zone,score\n1,A,1,1\n", "", 2, "columns of the answer's names, got score; name the columns"),
        ("fare,company,zone\n1,A,1\n", "--keep ware", 2, "--keep: no such column of"),
        ("fare,company,zone\n1,A,1\n", "--rename fare", 2, "--rename: no OLD=NEW, got 'fare'"),
        ("fare,company,zone\n1,A,1\n", "--option quote=1", 2, "--option quote: no such option of the format csv"),
        ("fare,company,zone\n1,A,1\n", "--format xls", 2, "--format: no such format, got 'xls'"),
        ("fare,company,zone\n1,A,1\n", "--url http://127.0.0.1:9", 2, "asked in this process, got --url http://127"),
        ("fare,company,zone\n1,A,1\n", "--version 9", 2, "no such version, got 9"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_nothing_is_written(command, csv_file, text, arguments, code, line):
    csv_file.write_text(text)
    output = csv_file.with_name("scores.parquet")
    result = command("predict", "small", csv_file, "-o", output, *arguments.split())
    assert (result.exit_code, len(result.output.splitlines())) == (code, 1), result.output
    assert line in result.output
    assert [path.name for path in output.parent.iterdir() if path.is_file()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("rows", "output", "line"),
    [
        ("rows.csv", "scores.xlsx", "-o: no format goes by this suffix, got "),
        ("rows.csv", "rows.csv", "-o: is the file of the rows, got "),
        ("rows.csv", "sub/../rows.csv", "-o: is the file of the rows, got "),
        ("rows.csv", "linked/rows.csv", "-o: is the file of the rows, got "),
        ("nowhere.csv", "scores.csv", "slipway predict: no file matches, got '"),
        ("rows", "scores.csv", "rows'; say which with --format: avro, csv"),
        (None, "scores.csv", "no rows for -o, got no ROWS"),
        ("rows.csv", "rows.csv/scores.csv", "-o: cannot be written, got "),
    ],
)
def test_a_wrong_path_is_one_line(command, csv_file, rows, output, line):
    paths = [csv_file.with_name(rows)] if rows else []
    (csv_file.parent / "sub").mkdir()
    (csv_file.parent / "linked").symlink_to(csv_file.parent, target_is_directory=True)
    result = command("predict", "small", *paths, "-o", f"{csv_file.parent}/{output}")
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1), result.output
    assert line in result.output
    assert csv_file.read_text(encoding="utf-8") == CSV


@pytest.mark.parametrize(
    ("option", "value"),
    [("--keep", "id"), ("--format", "csv"), ("--option", "delimiter=;"), ("--rename", "a=b")],
)
def test_an_option_of_a_file_without_the_file_is_told(command, csv_file, option, value):
    result = command("predict", "small", csv_file, option, value)
    assert result.exit_code == 2
    assert f"belongs to -o, got {option} alone; add -o FILE" in result.output


@pytest.fixture
def classifier(home):
    """Version 4, which answers with a class and two probabilities."""
    import tensorflow as tf

    def answer(x):
        return {"probabilities": tf.stack([x, 1 - x], 1), "label": tf.where(x > 0.5, "yes", "no")}

    module = tf.Module()
    module.door = tf.function(answer, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    tf.saved_model.save(module, str(home.serving / "4"), signatures={"serving_default": module.door})


def test_classes_and_their_probabilities_are_columns(command, classifier, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n0.25\n0.75\n")
    for ending, expected in {
        "parquet": {"label": "no", "probabilities": [0.25, 0.75]},
        "jsonl": {"label": "no", "probabilities": [0.25, 0.75]},
        "csv": {"label": "no", "probabilities_0": 0.25, "probabilities_1": 0.75},
    }.items():
        output = tmp_path / f"scores.{ending}"
        assert command("predict", "small", rows, "-o", output).exit_code == 0
        assert read(output)[0] == {"x": 0.25, **expected, "model_version": 4}


def test_no_column_of_the_rows_gives_way_to_one_of_the_answers(command, classifier, tmp_path):
    rows, output = tmp_path / "rows.csv", tmp_path / "scores.csv"
    rows.write_text("x,probabilities_0\n0.25,mine\n")
    output.write_text("old")
    result = command("predict", "small", rows, "-o", output)
    assert result.exit_code == 2
    assert "the rows have columns of the answer's names, got probabilities_0; name the columns" in result.output
    assert output.read_text() == "old"
    lists = tmp_path / "scores.jsonl"
    assert command("predict", "small", rows, "-o", lists).exit_code == 0, "there the answer is one column"
    assert read(lists)[0]["probabilities_0"] == "mine"


def test_texts_in_lists_are_written_as_texts(command, tmp_path):
    rows = tmp_path / "rows.jsonl"
    given = [{"fare": 1.5, "company": "A", "zone": 2, "tags": tags} for tags in (["x", "ü"], [], None)]
    rows.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    for ending in ("parquet", "jsonl"):
        output = tmp_path / f"scores.{ending}"
        result = command("predict", "small", rows, "-o", output)
        assert result.exit_code == 0, result.output
        assert [row["tags"] for row in read(output)] == [["x", "ü"], [], None]
    result = command("predict", "small", rows, "-o", tmp_path / "scores.csv")
    assert result.exit_code == 2
    assert "-o: this format holds no lists, got column 'tags'; write .parquet" in result.output


PICTURE = b"\xff\xd8"


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [("company", PICTURE, pa.binary()), ("pages", [PICTURE, b"A"], pa.list_(pa.binary()))],
)
def test_bytes_that_are_no_text_are_for_parquet_only(command, tmp_path, column, value, kind):
    rows = tmp_path / "rows.parquet"
    columns = {"fare": [1.0], "company": ["A"], "zone": [1], column: pa.array([value], kind)}
    parquet.write_table(pa.table(columns), rows)
    for ending in ("csv", "jsonl"):
        result = command("predict", "small", rows, "-o", tmp_path / f"scores.{ending}")
        assert result.exit_code == 2
        assert f"-o: this format holds no bytes, got column {column!r}; write .parquet, or name" in result.output
    assert command("predict", "small", rows, "-o", tmp_path / "scores.parquet").exit_code == 0
    assert read(tmp_path / "scores.parquet")[0][column] == value


MEASURED = """
import resource, sys
from pathlib import Path
from pipeline import prediction, scoring, scoring_input
from pipeline.home import Home

home, *pairs = sys.argv[1:]
for rows, output in zip(pairs[::2], pairs[1::2]):
    scoring.run(Home(Path(home), "small"), scoring_input.Wish(Path(rows)), Path(output), prediction.Whom())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_file(home, tmp_path):
    """Peak of one process after 1 part and after 20 more of them;"""
    part = "".join(f"{i},{i % 90}.5,Company number {i % 1000} of this town,{i % 77}\n" for i in range(100_000))
    arguments = []
    for parts in (1, 20):
        rows = tmp_path / f"{parts}.csv"
        rows.write_text("id,fare,company,zone\n" + part * parts)
        arguments += [str(rows), str(tmp_path / f"scores-{parts}.parquet")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(home.root), *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = map(int, done.stdout.split())
    assert second - first < 60, f"{first} MB, then {second} MB"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_ended_half_way_leaves_no_file(tmp_path, error):
    def half(path):
        with scoring_output.replacing(path) as file:
            file.write(pa.RecordBatch.from_pydict({"score": [1.0]}))
            assert len(list(tmp_path.iterdir())) == 1
            raise error

    for ending in scoring_output.ENDINGS:
        with pytest.raises(error):
            half(tmp_path / f"scores{ending}")
        assert not list(tmp_path.iterdir())
