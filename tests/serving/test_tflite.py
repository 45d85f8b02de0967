"""Files that cannot be run; what a good one answers is tested where it is made, in tests/components/test_tflite.py."""

import pytest

from serving.tflite import TfliteModel


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere\.tflite: no such file"):
        TfliteModel(tmp_path / "nowhere.tflite")


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "text.tflite").write_text("not a model")
    with pytest.raises(ValueError, match=r"text\.tflite"):
        TfliteModel(tmp_path / "text.tflite")


def test_an_unknown_engine_names_the_known_ones(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"")
    with pytest.raises(ValueError, match=r"no such engine, got .torch.; there are litert, tf\.lite"):
        TfliteModel(tmp_path / "model.tflite", "torch")
