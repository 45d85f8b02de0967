"""Pictures on phones: decoded pixels in, compared with the server's answer to the encoded file."""

import base64
import json

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components._tflite import Executor, MobileModel
from pipeline import asking
from pipeline.mobile_config import Mobile
from serving.pictures import pixels
from serving.tflite import TfliteModel
from tests.pictures import CLASSES, SIZE, split


@pytest.fixture(scope="module")
def folder(picture_head, picture_examples, tmp_path_factory):
    """What the TfLite step makes of the small network."""
    model, examples, made = standard_artifacts.Model(), standard_artifacts.Examples(), MobileModel()
    model.uri, examples.uri = str(picture_head.model.parent), str(picture_examples)
    made.uri = str(tmp_path_factory.mktemp("mobile"))
    variants = {"float32": {"required": True, "max_difference": 1e-5}, "dynamic": {}, "int8": {"max_loss": 0.05}}
    options = Mobile(variants=variants, calibration_rows=50).model_dump(mode="json")
    options |= {"label": picture_head.config.label.model_dump(mode="json"), "name": "red-stripes"}
    Executor().Do(
        {"model": [model], "examples": [examples]}, {"mobile_model": [made]}, {"options": json.dumps(options)}
    )
    return picture_head.model.parent / made.uri


def test_every_variant_takes_pixels_and_answers_as_the_server_does(folder, picture_examples):
    report = json.loads((folder / "report.json").read_text())
    assert report["blessed"]
    for name, variant in report["variants"].items():
        assert variant["problems"] == []
        assert variant["signature"] == "serving_mobile"
        assert variant["rows"] == len(split(picture_examples, "eval"))
        assert not variant["flex"]
        model = TfliteModel(folder / f"{name}.tflite")
        assert {key: str(dtype) for key, dtype in model.inputs.items()} == {"image": "uint8"}
    assert report["variants"]["float32"]["max_difference"] < 1e-5
    assert "QUANTIZE" in report["variants"]["int8"]["operations"]
    assert report["variants"]["int8"]["bytes"] < report["variants"]["float32"]["bytes"]


def test_the_sheet_says_what_the_tensor_holds(folder):
    sheet = json.loads((folder / "model.json").read_text())
    (given,) = sheet["inputs"]
    assert (given["name"], given["dtype"], given["shape"]) == ("image", "uint8", [-1, *SIZE])
    assert "12 rows (from the top) of 10 pixels" in given["holds"]
    assert "missing" not in given
    assert sheet["labels"] == CLASSES
    assert {file["takes"] for file in sheet["files"]} == {"pixels"}


def test_the_snippets_hand_over_a_buffer_and_take_all_classes(folder):
    kotlin, swift = ((folder / f"RedStripesModel.{end}").read_text() for end in ("kt", "swift"))
    assert "image: java.nio.ByteBuffer" in kotlin
    assert '"image" to image,' in kotlin
    assert '"probabilities" to Array(1) { FloatArray(3) },' in kotlin
    assert '"label" to Array(1) { "" },' in kotlin
    assert "image: Data" in swift
    assert 'runner.copy(image, toInputNamed: "image")' in swift


def test_the_example_rows_replay_from_their_files(folder):
    examples = json.loads((folder / "examples.json").read_text())
    model = TfliteModel(folder / "float32.tflite", delegates=True)
    for row in examples["rows"]:
        decoded = pixels([base64.b64decode(row["inputs"]["image"]["b64"])], *SIZE).astype(np.uint8)
        answer = model.predict({"image": decoded})
        # Decoded without TensorFlow: a level or two of difference in a resized picture.
        np.testing.assert_allclose(answer["probabilities"][0], row["expected"]["probabilities"], atol=0.05)
    assert len(examples["rows"]) > 1


def test_slipway_predict_asks_a_file_with_pictures(folder, picture_examples):
    rows = split(picture_examples, "eval")
    model = asking.in_tflite(folder, "tflite:int8")
    assert model.kinds == {"image": "string"}
    answer = model.predict({"image": [row["image"] for row in rows]})
    right = [got.decode() == row["label"] for got, row in zip(answer["label"], rows, strict=True)]
    assert np.mean(right) > 0.9
