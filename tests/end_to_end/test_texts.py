"""Texts from a CSV file to a pushed model that answers at every door."""

import json

import pytest

from tests.end_to_end.conftest import Slipway

pytestmark = pytest.mark.slow

CONFIG = """
name: reviews
data: {source: reviews}
label: {name: label, task: binary}
features: {columns: {text: {TRANSFORM}}}
model: {name: text, hyperparameters: {network: NETWORK}}
training: {epochs: 2, batch_size: 16}
evaluation:
  metrics: [auc, example_count]
  thresholds: [{metric: example_count, min: 10}]
"""


@pytest.mark.parametrize(("transform", "network"), [("text: {ngrams: 2}", "linear"), ("tokens: {length: 50}", "cnn")])
def test_reviews_are_learned_served_and_asked(tmp_path, transform, network):
    path, rows, slipway = tmp_path / "reviews.yaml", tmp_path / "rows.jsonl", Slipway(tmp_path / "home")
    path.write_text(CONFIG.replace("TRANSFORM", transform).replace("NETWORK", network), encoding="utf-8")
    rows.write_text('{"text": "A wonderful film."}\n{"text": ""}\n{}\n', encoding="utf-8")
    output = slipway("run", str(path))
    assert "6 doors" in output
    _, *lines = slipway("predict", "reviews", str(rows)).splitlines()
    answers = [json.loads(line.split("  for ")[0])["probability"] for line in lines]
    assert all(0 < answer < 1 for answer in answers)
    assert answers[1] == answers[2]
