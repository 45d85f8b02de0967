"""Pictures from files to answers: the digits config, quick."""

import base64
import json

import pytest

from tests.end_to_end.conftest import Slipway

pytestmark = pytest.mark.slow
QUICK = ("tuner=off", "training.epochs=15", "training.patience=15", "evaluation=off", "mobile=off")


def test_digits_are_read_and_a_file_that_is_none_is_refused_in_one_line(tmp_path):
    slipway = Slipway(tmp_path / "home")
    settings = [word for setting in QUICK for word in ("--set", setting)]
    assert "6 doors, 64 rows" in slipway("run", "configs/digits.yaml", *settings)
    files = sorted((tmp_path / "home/data/digits").glob("*/*.png"))[::60]
    rows = [{"image": {"b64": base64.b64encode(file.read_bytes()).decode()}} for file in files]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    title, *lines = slipway("predict", "digits", str(tmp_path / "rows.jsonl")).splitlines()
    answers = [json.loads(line.split("  for ")[0])["label"] for line in lines]
    right = [answer == file.parent.name for answer, file in zip(answers, files, strict=True)]
    assert title.startswith("digits version ")
    assert sum(right) >= len(right) - 2
    (tmp_path / "rows.jsonl").write_text('{"image": {"b64": "bm8gcGljdHVyZQ=="}}', encoding="utf-8")
    (line,) = slipway("predict", "digits", str(tmp_path / "rows.jsonl"), code=2).splitlines()
    assert "the model refuses, got INVALID_ARGUMENT" in line
    assert "Unknown image file format" in line
