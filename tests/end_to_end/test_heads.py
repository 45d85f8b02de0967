"""The other two tasks on real tables that come with scikit-learn, from a CSV file and a config of a few lines."""

import json

import pytest
from sklearn import datasets

pytestmark = pytest.mark.slow
CONFIG = """
name: {name}
data: {{path: rows.csv}}
label: {{name: target, task: {task}}}
model: {{name: tabular}}
training: {{epochs: 40, batch_size: 16, patience: 10}}
evaluation:
  metrics: [{metric}]
  thresholds: [{{metric: {metric}, {bound}}}]
mobile:
  variants: {{float32: {{required: true, max_difference: {difference}}}}}
"""


def _run(slipway, folder, frame, **config):
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG.format(**config), encoding="utf-8")
    slipway("run", str(folder / "config.yaml"))
    lines = slipway("predict", config["name"]).splitlines()[1:]
    return [json.loads(line.split("  for ")[0]) for line in lines]


def test_a_label_of_three_words(slipway_at, tmp_path):
    wine = datasets.load_wine(as_frame=True)
    frame = wine.frame.rename(columns=lambda name: name.replace("/", "_"))
    frame["target"] = [wine.target_names[number] for number in frame["target"]]
    answers = _run(
        slipway_at("home"), tmp_path, frame, name="wine", task="multiclass", metric="categorical_accuracy",
        bound="min: 0.85", difference=1e-5,
    )  # fmt: skip
    assert {answer["label"] for answer in answers} <= set(wine.target_names)
    assert all(sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5) for answer in answers)


def test_a_label_that_is_a_number(slipway_at, tmp_path):
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    # The mean as the answer has a mean absolute error of 66.
    answers = _run(
        slipway_at("home"), tmp_path, frame, name="diabetes", task="regression", metric="mae", bound="max: 50",
        difference=1e-3,
    )  # fmt: skip
    assert all(25 <= answer["prediction"] <= 346 for answer in answers)
