"""Real tables of the other two tasks, from CSV to a pushed model that predicts."""

import json

import pytest
from sklearn import datasets

from tests.end_to_end.conftest import Slipway

pytestmark = pytest.mark.slow

CONFIG = """
name: {name}
data: {{path: rows.csv}}
label: {{name: {label}, task: {task}}}
model: {{name: {model}, hyperparameters: {{learning_rate: 0.01}}}}
training: {{epochs: 40, batch_size: 16}}
evaluation:
  metrics: [{metric}, example_count]
  thresholds: [{{metric: {metric}, {bound}}}]
"""
# The space is the model's own.
TUNER = """
tuner: {max_trials: 2, epochs: 2}
"""


def _run(folder, frame, **fields):
    """Run the pipeline of a table, and return what it printed, its versions and its answers with their rows."""
    frame.to_csv(folder / "rows.csv", index=False)
    path, tuner = folder / "config.yaml", fields.pop("tuner", "")
    path.write_text(CONFIG.format(**{"model": "tabular", **fields}) + tuner, encoding="utf-8")
    slipway = Slipway(folder / "home")
    output = slipway("run", str(path))
    title, *lines = slipway("predict", fields["name"]).splitlines()
    versions = [version.name for version in (folder / "home/serving" / fields["name"]).iterdir() if version.is_dir()]
    assert title == f"{fields['name']} version {versions[0]}"
    return output, versions, [[json.loads(part) for part in line.split("  for ")] for line in lines]


def test_cultivars_of_wine_are_told_apart(tmp_path):
    wine = datasets.load_wine(as_frame=True)
    frame = wine.data.rename(columns={"od280/od315_of_diluted_wines": "od280"})
    frame = frame.assign(cultivar=[wine.target_names[number] for number in wine.target])
    output, versions, answers = _run(
        tmp_path, frame, name="wine", label="cultivar", task="multiclass",
        metric="categorical_accuracy", bound="min: 0.9", tuner=TUNER, model="auto",
    )  # fmt: skip
    (title,) = (line for line in output.splitlines() if "2 trials, best" in line)
    assert title.split(" by ")[1] in ("linear", "wide_and_deep", "deep")
    assert "trial  architecture" in output
    assert "on all rows: holds" in output
    assert len(versions) == 1
    true = {round(row.alcohol + 100 * row.proline, 2): row.cultivar for row in frame.itertuples()}
    right = [answer["label"] == true[round(row["alcohol"] + 100 * row["proline"], 2)] for answer, row in answers]
    assert sum(right) >= len(right) - 1
    assert all(sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5) for answer, _ in answers)


def test_the_progress_of_diabetes_is_predicted_in_its_own_unit(tmp_path):
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    guess = (frame.target - frame.target.mean()).abs().mean()
    output, versions, answers = _run(
        tmp_path, frame, name="diabetes", label="target", task="regression", metric="mae", bound=f"max: {0.8 * guess}"
    )
    assert "on all rows: holds" in output
    assert len(versions) == 1
    low, high = frame.target.min(), frame.target.max()
    assert all(low - 50 < answer["prediction"] < high + 50 for answer, _ in answers)
    assert len({answer["prediction"] for answer, _ in answers}) == len(answers)
