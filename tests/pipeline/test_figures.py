"""The key figure of each step, read from what the step wrote."""

import json

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tfx.types import standard_artifacts

from pipeline import figures
from pipeline.steps import STEPS

FARES = pd.DataFrame({"fare": [1.0, 2.0, 3.0], "company": ["a", "b", "c"]})


@pytest.fixture
def artifact(tmp_path):
    """Return a function that writes files into a folder and gives an artifact of it."""

    def made(kind, files, **properties):
        artifact = kind()
        artifact.uri = str(tmp_path)
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for name, value in properties.items():
            artifact.set_string_custom_property(name, value)
        return artifact

    return made


def test_the_size_of_examples_is_that_of_all_files_below_and_of_a_model_that_of_what_is_served(artifact):
    examples = artifact(
        standard_artifacts.Examples, {"Split-train/a.gz": b"x" * 900_000, "Split-eval/b.gz": b"x" * 300_000}
    )
    assert figures.figure("ExampleGen", {"examples": [examples]}) == "1.2 MB of examples"
    examples.set_int_custom_property("skipped", 1_200)
    assert figures.figure("ExampleGen", {"examples": [examples]}) == "1.2 MB of examples, 1,200 bad files skipped"
    model = artifact(
        standard_artifacts.Model, {"Format-Serving/a": b"x" * 1_200_000, "Warm-Start/weights.npz": b"x" * 900_000}
    )
    assert figures.figure("Trainer", {"model": [model]}) == "1.2 MB model"


@pytest.mark.parametrize(
    ("properties", "figure"),
    [
        ({"span": 0}, "0.0 MB of examples"),
        ({"span": 7}, "0.0 MB of examples of span 7"),
        ({"span": 7, "version": 2}, "0.0 MB of examples of span 7, version 2"),
        ({"span": 7, "first_span": 0}, "0.0 MB of examples of spans 0 to 7"),
    ],
)
def test_examples_say_their_spans(artifact, properties, figure):
    examples = artifact(standard_artifacts.Examples, {"Split-train/a.gz": b"x"})
    for name, value in properties.items():
        examples.set_int_custom_property(name, value)
    assert figures.figure("ExampleGen", {"examples": [examples]}) == figure


def test_a_schema_says_its_columns(artifact):
    schema = tfdv.infer_schema(tfdv.generate_statistics_from_dataframe(FARES))
    schema = artifact(standard_artifacts.Schema, {"schema.pbtxt": text_format.MessageToString(schema)})
    for step in ("SchemaGen", "ImportSchemaGen"):
        assert figures.figure(step, {"schema": [schema]}) == "2 columns"


def test_a_search_says_its_trials_and_the_best(artifact):
    trials = [{"trial": str(n), "objective": value, "hyperparameters": {}} for n, value in enumerate((0.2, 0.123456))]
    report = {"objective": "val_loss", "best": "1", "trials": trials}
    results = artifact(standard_artifacts.TunerResults, {"trials.json": json.dumps(report)})
    assert figures.figure("Tuner", {"tuner_results": [results]}) == "2 trials, best val_loss 0.1235"


def test_a_baseline_is_named_or_not_there(artifact):
    model = artifact(standard_artifacts.Model, {})
    model.id = 7
    for step in ("Baseline", "WarmStart"):
        assert figures.figure(step, {"model": [model]}) == "model 7"
        assert figures.figure(step, {}) == "none"


def test_a_pusher_says_its_version(artifact):
    outputs = {"pushed_model": [artifact(standard_artifacts.PushedModel, {}, pushed_version="12")]}
    assert figures.figure("Pusher", outputs) == "version 12"


def test_a_pusher_that_pushed_nothing_says_so(artifact):
    outputs = {"pushed_model": [artifact(standard_artifacts.PushedModel, {})]}
    assert figures.figure("Pusher", outputs) == "not pushed"


@pytest.mark.parametrize(
    ("report", "figure"),
    [
        ({"doors": 6, "rows": 64, "worst": 1.234e-7}, "6 doors, 64 rows, largest difference 1.2e-07"),
        ({"skipped": "no rows in the eval split"}, "not compared: no rows in the eval split"),
    ],
)
def test_doors_say_what_was_compared(artifact, report, figure):
    blessing = artifact(standard_artifacts.InfraBlessing, {"doors.json": json.dumps(report)})
    assert figures.figure("Doors", {"blessing": [blessing]}) == figure


def test_what_an_earlier_version_or_another_hook_did_not_write_is_none_and_a_report_must_be_there(artifact):
    run = {"model_run": [artifact(standard_artifacts.ModelRun, {"student/warm_start.json": '{"kept": 3}'})]}
    assert figures.step_times(run) == []
    assert figures.warm_starts(run) == {"student": {"kept": 3}}
    with pytest.raises(FileNotFoundError, match=r"report\.json"):
        figures.mobile_report({"mobile_model": run["model_run"]})


def test_a_step_without_a_figure_has_none_and_every_figure_has_a_step():
    assert figures.figure("Transform", {}) == ""
    assert set(figures.FIGURES) <= {step.name for step in STEPS}
