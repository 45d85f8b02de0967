"""The same DAG, node by node, each in a process of its own against one metadata store."""

import numpy as np
import pytest

from pipeline.steps import STEPS
from serving.predictor import Predictor

pytestmark = pytest.mark.slow
NODES = [step.name for step in STEPS if step.name != "SchemaGen"]


def _answers(slipway, rows: dict[str, np.ndarray]) -> np.ndarray:
    newest = max((slipway.home / "serving" / "taxi").glob("[0-9]*"), key=lambda version: int(version.name))
    return Predictor(newest).predict(rows)["probability"]


def test_a_step_that_is_not_there_is_a_mistake_of_the_command_line(slipway_at):
    output = slipway_at("home")("node", "--config", "configs/taxi.yaml", "--node", "Trainr", "--run-id", "one", code=2)
    assert output.splitlines()[-1].startswith("taxi: no such step, got 'Trainr'; did you mean 'Trainer'?")


def test_nodes_in_separate_processes_push_the_model_of_the_local_runner(pushed, slipway_at):
    nodes = slipway_at("nodes")
    phones = ("--set", "mobile={calibration_rows: 20, variants: {float32: {required: true}}}")
    pushed.run(*phones)
    for name in NODES:
        nodes("node", "--config", "configs/taxi.yaml", "--node", name, "--run-id", "one", *nodes.QUICK, *phones)
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
