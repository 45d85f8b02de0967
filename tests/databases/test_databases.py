"""Lineage and cache in a database that node processes share, one after the other and two at once."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import lineage

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / "configs/taxi.yaml")
QUICK = {
    "tuner": "off", "mobile": "off", "training.epochs": "1",
    "evaluation.metrics": "[auc]", "evaluation.slices": "[]", "evaluation.thresholds": "[{metric: auc, min: 0.5}]",
}  # fmt: skip
STEPS = (
    "ExampleGen", "ImportSchemaGen", "StatisticsGen", "ExampleValidator", "DataGate", "Transform", "Trainer", "Doors",
    "Evaluator", "Pusher",
)  # fmt: skip


class Nodes:
    """`slipway node` for each step of one run, in processes of their own."""

    def __init__(self, home: Path, server: Any) -> None:
        self.home, self.server = home, server
        settings = {**QUICK, "metadata.url": server.url}
        self.settings = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]

    def start(self, node: str, password: str = "") -> "subprocess.Popen[str]":
        """Start one node."""
        command = [sys.executable, "-m", "pipeline", "node", "--config", CONFIG, "--node", node, "--run-id", "one"]
        secret = {"SLIPWAY_METADATA_PASSWORD": password or self.server.password}
        return subprocess.Popen(
            [*command, *self.settings, "--home", str(self.home)], cwd=ROOT, text=True, env={**os.environ, **secret},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def end(self, process: "subprocess.Popen[str]", code: int = 0) -> list[str]:
        """Wait for a node, and return its lines."""
        output, _ = process.communicate(timeout=300)
        assert process.returncode == code, output
        assert self.server.password not in output
        return output.splitlines()

    def run(self, *nodes: str) -> list[str]:
        """Run nodes, all of them at once, and return what became of each."""
        started = {node: self.start(node) for node in nodes}
        lines = {node: self.end(process) for node, process in started.items()}
        return [next(line.split()[1] for line in lines[node] if line.startswith(f"{node} ")) for node in nodes]

    def pushed(self) -> int:
        """Return how many versions there are."""
        return len(list((self.home / "serving" / "taxi").glob("[0-9]*")))


def _lineage(server: Any, home: Path) -> dict[str, set[lineage.Edge]]:
    """Return what the run read and wrote, as the database has it."""
    from pipeline import metadata_store
    from pipeline.home import Home
    from pipeline.metadata_config import Metadata

    os.environ["SLIPWAY_METADATA_PASSWORD"] = server.password
    with metadata_store.reach(metadata_store.connection(Metadata(url=server.url), Home(home, "taxi"))) as handle:
        evaluator = next(e for e in handle.store.get_executions() if "eval_config" in e.custom_properties)
        assert "\\" in evaluator.custom_properties["eval_config"].string_value  # as it was written
        return lineage.of_store("taxi", handle.store)


@pytest.mark.timeout(900)
def test_nodes_share_a_database_and_go_on_when_it_was_gone(server: Any, tmp_path: Path) -> None:
    nodes = Nodes(tmp_path, server)
    refused = nodes.end(nodes.start("ExampleGen", password="wrong"), code=2)[-1]
    assert refused.startswith(f"metadata.url: the database does not take the user, got {server.url}; perhaps SLIPWAY_")
    # The first two make the tables at once.
    assert nodes.run("ExampleGen", "ImportSchemaGen") == ["ran", "ran"]
    for node in ("StatisticsGen", "ExampleValidator", "DataGate", "Transform"):
        nodes.run(node)

    training = nodes.start("Trainer")
    assert training.stdout is not None
    for line in training.stdout:
        if "Running executor" in line or "Going to run a new execution" in line:
            break
    time.sleep(1)
    server.stop()
    lost = nodes.end(training, code=1)[-1]
    silent = f"the database does not answer, got {server.url}: Connection refused; start it"
    assert lost.startswith(f"Trainer: {silent}")
    gone = nodes.end(nodes.start("Trainer"), code=2)[-1]
    assert gone.startswith(f"metadata.url: {silent}")
    assert nodes.pushed() == 0

    server.start()
    assert nodes.run("Trainer") == ["ran"]
    nodes.run("Doors", "Baseline")
    nodes.run("Evaluator")
    nodes.run("Pusher")
    assert nodes.pushed() == 1
    edges = _lineage(server, tmp_path)
    assert set(edges) == {*STEPS, "Baseline"}
    made = {node: sorted(kind for way, _, kind in found if way == "OUTPUT") for node, found in edges.items()}
    assert {node: made[node] for node in ("ExampleGen", "Trainer", "Evaluator", "Pusher")} == {
        "ExampleGen": ["Examples"], "Trainer": ["Model", "ModelRun"], "Evaluator": ["ModelBlessing", "ModelEvaluation"],
        "Pusher": ["PushedModel"],
    }  # fmt: skip
    assert [node for node in STEPS if not made[node]] == ["DataGate"], "it only lets pass"
