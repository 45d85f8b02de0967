"""Phones: the files of a real run, what they answer, and what stops them."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from serving import server
from serving.predictor import Predictor
from serving.preprocessing import Preprocessing
from serving.rows import MISSING, from_examples
from serving.tflite import TfliteModel

pytestmark = pytest.mark.slow
BOUNDS = "float32: {required: true, max_difference: 1.0e-5}, float16: {max_difference: 1.0e-3}"
MOBILE = f"mobile={{calibration_rows: 50, variants: {{{BOUNDS}}}}}"


@pytest.fixture(scope="module")
def mobile(pushed):
    """The home in which the quick taxi pipeline has also made files for phones, and the folder that was pushed."""
    output = pushed.run("--set", MOBILE)
    assert "for phones: may be pushed" in output
    (version,) = (pushed.home / "mobile" / "taxi").iterdir()
    assert (pushed.home / "serving" / "taxi" / version.name).is_dir()
    return pushed, version


def test_the_folder_has_what_an_app_needs(mobile):
    _, version = mobile
    names = {path.name for path in version.iterdir()}
    assert {"float32.tflite", "model.json", "labels.txt", "examples.json", "preprocessing.json", "report.json"} <= names
    assert {"TaxiModel.kt", "TaxiModel.swift"} <= names
    sheet = json.loads((version / "model.json").read_text())
    assert {one["name"] for one in sheet["inputs"]} >= {"fare", "company", "trip_start_hour"}
    assert sheet["obstacles"] == []


def test_the_example_rows_replay(mobile):
    _, version = mobile
    examples = json.loads((version / "examples.json").read_text())
    model = TfliteModel(version / "float32.tflite", delegates=True)
    kinds = {name: {"S": "string", "f": "float", "i": "int"}[kind.kind] for name, kind in model.inputs.items()}
    assert model.signature == "serving_mobile"
    for row in examples["rows"]:
        values = {name: row["inputs"].get(name, MISSING[kind]) for name, kind in kinds.items()}
        columns = {name: [value.encode() if kinds[name] == "string" else value] for name, value in values.items()}
        expected = row["expected"]["probability"]
        np.testing.assert_allclose(model.predict(columns)["probability"][0], expected, atol=1e-5)


def test_parity_on_the_whole_eval_split_and_no_flex(mobile):
    _, version = mobile
    variants = json.loads((version / "report.json").read_text())["variants"]
    assert variants["float32"]["rows"] == 4994
    assert variants["float32"]["max_difference"] <= 1e-5
    assert variants["float16"]["max_difference"] <= 1e-3
    assert not variants["float32"]["flex"]
    assert "HASHTABLE_FIND" in variants["float32"]["operations"]


def test_a_required_variant_over_its_budget_is_refused_and_the_model_is_served_all_the_same(mobile):
    pushed, version = mobile
    before = {path.name: path.read_bytes() for path in version.iterdir()}
    output = pushed.run("--set", "mobile={variants: {float32: {required: true, max_bytes: 1000}}}", code=4)
    assert "> 1,000: FAILS" in output
    assert "nothing was pushed to" in output
    assert {path.name: path.read_bytes() for path in version.iterdir()} == before


def test_a_variant_over_its_budget_that_is_not_required_is_a_warning(mobile):
    pushed, _ = mobile
    output = pushed.run("--set", "mobile={variants: {float32: {max_bytes: 1000}}}")
    assert "> 1,000: warning, not required" in output


def test_the_reference_in_numpy_is_the_graph(mobile):
    pushed, version = mobile
    predictor = Predictor(pushed.home / "serving" / "taxi" / version.name)
    files = (pushed.home / "artifacts/taxi/ExampleGen/examples").glob("*/Split-eval/*")
    rows = list(tf.data.TFRecordDataset([str(path) for path in files], "GZIP").as_numpy_iterator())
    expected = predictor.predict({"examples": rows}, "transform_features")
    got = Preprocessing(version / "preprocessing.json")(
        from_examples(rows, predictor.signature("serving_default").inputs)
    )
    assert set(got) == set(expected) - {"big_tipper_label"}
    for name, values in got.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6, err_msg=name)
    predictor.close()


def _doomed(root):
    """Have the mobile signature parse tf.Examples: TensorFlow 2.16's converter dies of it, later ones ask for Flex."""
    path = root / "models" / "_on_device.py"
    source = path.read_text(encoding="utf-8")
    kept = "        moments = _transforms.read_dates(self._wanted, columns)\n"
    assert kept in source
    parsed = '{"x": tf.io.FixedLenFeature([], tf.int64, 0)}'
    doom = (
        f'        columns["company"] = tf.strings.as_string(tf.io.parse_example(columns["company"], {parsed})["x"])\n'
    )
    path.write_text(source.replace(kept, f"        columns = dict(columns)\n{doom}{kept}"), encoding="utf-8")


@pytest.mark.parametrize(("required", "code", "word"), [("true", 1, "FAILS"), ("false", 0, "warning, not required")])
def test_a_converter_that_dies_is_one_line_and_the_model_is_served(in_copy, required, code, word):
    copy = in_copy(_doomed)
    variants = f"{{float32: {{required: {required}}}, int8: {{}}}}"
    output = copy.run("--set", f"mobile={{calibration_rows: 20, variants: {variants}}}", code=code)
    (line,) = [line for line in output.splitlines() if line.strip().startswith("float32")]
    assert line.endswith(word)
    assert "int8 " in output
    assert f"serves {copy.home / 'serving' / 'taxi'}" in output


def test_raw_rows_get_the_same_answers_from_the_file_and_over_rest(mobile):
    pushed, version = mobile
    with server.running(server.for_model("taxi", pushed.home / "serving" / "taxi")) as running:
        rest = pushed("predict", "taxi", "--url", f"http://127.0.0.1:{running.rest_port}")
    file = pushed("predict", "taxi", "--engine", "tflite", "--version", version.name)
    answers = [[json.loads(line.split("  for ")[0]) for line in output.splitlines()[1:]] for output in (rest, file)]
    assert len(answers[0]) == 8
    for over_rest, on_device in zip(*answers, strict=True):
        assert on_device["probability"] == pytest.approx(over_rest["probability"], abs=1e-6)


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        ("tflite:int4", "got 'int4'; "),
        ("onnx", "no such engine, got 'onnx'; write tflite or tflite:VARIANT"),
    ],
)
def test_an_engine_that_is_not_there_is_named(mobile, engine, line):
    pushed, _ = mobile
    assert line in pushed("predict", "taxi", "--engine", engine, code=2)


def test_a_deleted_folder_is_pushed_again(mobile):
    pushed, _ = mobile
    # Other tests push to the same home; after this run, the next one has nothing to do.
    pushed.run("--set", MOBILE)
    shutil.rmtree(pushed.home / "mobile")
    output = pushed.run("--set", MOBILE)
    assert [name for name, state in pushed.states().items() if state == "ran"] == ["MobilePusher"], output
    assert list((pushed.home / "mobile" / "taxi").glob("*/model.json"))
