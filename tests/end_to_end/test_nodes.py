"""The same DAG, node by node, each in a process of its own against one metadata store, as Kubeflow runs it."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.steps import STEPS
from serving.predictor import Predictor
from tests import lineage
from tests.kfp_local import Cluster

pytestmark = pytest.mark.slow
NODES = [step.name for step in STEPS if step.name not in ("SchemaGen", "WarmStart")]


def _answers(slipway, rows: dict[str, np.ndarray]) -> np.ndarray:
    newest = max((slipway.home / "serving" / "taxi").glob("[0-9]*"), key=lambda version: int(version.name))
    return Predictor(newest).predict(rows)["probability"]


def test_a_step_that_is_not_there_is_a_mistake_of_the_command_line(slipway_at):
    output = slipway_at("home")("node", "--config", "configs/taxi.yaml", "--node", "Trainr", "--run-id", "one", code=2)
    assert output.splitlines()[-1].startswith("taxi: no such step, got 'Trainr'; did you mean 'Trainer'?")


def _lineage(home: Path) -> dict[str, set[lineage.Edge]]:
    """What the last run read and wrote, without the baseline: only a home where models were pushed has one."""
    found = lineage.of_last_run("taxi", home)
    del found["Baseline"]
    return {node: {edge for edge in edges if edge[1] != "baseline_model"} for node, edges in found.items()}


def test_a_compiled_kubeflow_pipeline_pushes_the_model_of_the_local_runner(pushed, slipway_at, tmp_path, monkeypatch):
    """Its containers are processes here, so that this is every step in a process of its own, too."""
    nodes, compiled = slipway_at("nodes"), tmp_path / "taxi.yaml"
    phones = ("--set", "mobile={calibration_rows: 20, variants: {float32: {required: true}}}")
    pushed.run(*phones)
    cluster = Cluster(tmp_path / "kfp", nodes.root, monkeypatch)
    section = f"kubeflow={{image: localhost/slipway:1, home: {nodes.home}}}"
    overrides = (*nodes.QUICK, *phones, "--set", section)
    nodes("compile", "configs/taxi.yaml", "--runner", "kubeflow", "-o", str(compiled), *overrides)

    in_the_way = nodes.home / "artifacts" / "taxi" / "StatisticsGen"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    with pytest.raises(RuntimeError, match="statisticsgen"):
        cluster.run(compiled)
    assert "StatisticsGen: failed" in cluster.outputs["StatisticsGen"]
    *done, failed = cluster.started
    assert failed == "StatisticsGen"
    assert "ExampleGen" in done
    assert set(done) <= {"ExampleGen", "ImportSchemaGen"}, "what depends on it is not started"

    in_the_way.unlink()
    cluster.run(compiled)
    assert sorted(cluster.started) == sorted([*NODES, "Finish"])
    states = dict.fromkeys(NODES, "ran") | dict.fromkeys(done, "cached") | {"Baseline": "resolved"}
    assert nodes.states() == states
    assert nodes.last_run()["exit_code"] == 0
    assert _lineage(nodes.home) == _lineage(pushed.home)
    rows = {
        "fare": [5.0, 12.45, 40.0], "trip_miles": [1.0, 3.2, 17.0], "trip_seconds": [300, 900, 2400],
        "trip_start_month": [1, 6, 12], "trip_start_hour": [0, 12, 23], "trip_start_day": [1, 4, 7],
        "trip_start_timestamp": [1400269500, 1362683700, 1450869300], "pickup_community_area": [8, 32, 76],
        "dropoff_community_area": [8, 32, 76], "dropoff_census_tract": [17031839100] * 3,
        "pickup_latitude": [41.88] * 3, "pickup_longitude": [-87.63] * 3, "dropoff_latitude": [41.9] * 3,
        "dropoff_longitude": [-87.66] * 3, "payment_type": ["Cash", "Credit Card", "Credit Card"],
        "company": ["Blue Ribbon Taxi Association Inc.", "", "Top Cab Affiliation"],
    }  # fmt: skip
    np.testing.assert_allclose(_answers(pushed, rows), _answers(nodes, rows), atol=1e-5)
    versions = {
        folder: [path.name for path in (nodes.home / folder / "taxi").iterdir()] for folder in ("serving", "mobile")
    }
    assert versions["serving"] == versions["mobile"]
