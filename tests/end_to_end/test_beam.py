"""The Beam steps of the taxi run in other ways make the same examples, statistics and metrics."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts

from pipeline import beam_args, build, config_file, verdict
from pipeline.beam_config import Beam
from pipeline.home import Home
from tests.end_to_end.conftest import ROOT

pytestmark = pytest.mark.slow
# Sums of floats, in whatever order the parts come.
FLOATS = ("mean", "std_dev")


@pytest.fixture(scope="module")
def job_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Beam's own job server in Python, which takes jobs as those of Flink and Spark do: its address."""
    port_file = tmp_path_factory.mktemp("job_server") / "port"
    command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main", "--port_file", port_file]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not port_file.exists():
            assert process.poll() is None
            time.sleep(0.1)
        yield f"localhost:{port_file.read_text()}"
        process.terminate()


@pytest.fixture(scope="module", params=["multi_processing", "job server"])
def arguments(request: pytest.FixtureRequest, job_server: str) -> list[str]:
    """Beam's arguments for another way to run a step."""
    section: dict[str, Any] = {"mode": "multi_processing", "workers": 2}
    if request.param == "job server":
        section = {"runner": "flink", "options": {"job_endpoint": job_server, "environment_type": "LOOPBACK"}}
    assert beam_args.mistakes(Beam.model_validate(section)) == []
    return beam_args.of(Beam.model_validate(section).engine("Transform"))


class Steps:
    """The executors of the taxi pipeline's Beam steps, on the artifacts of a run in one worker."""

    def __init__(self, home: Path, arguments: list[str]) -> None:
        self.file = config_file.read(ROOT / "configs/taxi.yaml", ["tuner=off", "mobile=off"], home)
        self.arguments = arguments
        self.artifacts = home / "artifacts" / "taxi"
        self.nodes = {node.id: node for node in build.nodes(self.file, Home(home, "taxi"))}

    def made(self, step: str, key: str) -> Path:
        """Return what a step of the run made."""
        (folder,) = (self.artifacts / step / key).iterdir()
        return folder

    def run(self, step: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        """Run a step."""
        node = self.nodes[step]
        properties = {key: value for key, value in node.exec_properties.items() if value is not None}
        executor = node.executor_spec.executor_class(BaseBeamExecutor.Context(beam_pipeline_args=self.arguments))
        executor.Do(
            {key: [one] for key, one in inputs.items()}, {key: [one] for key, one in outputs.items()}, properties
        )


@pytest.fixture(scope="module")
def steps(pushed, arguments) -> Steps:
    return Steps(pushed.home, arguments)


def artifact(kind: type, folder: Path, splits: str = "") -> Any:
    """Return an artifact in a folder."""
    made = kind()
    made.uri = str(folder)
    if splits:
        made.split_names = splits
    return made


def examples(steps: Steps) -> Any:
    return artifact(standard_artifacts.Examples, steps.made("ExampleGen", "examples"), '["train", "eval"]')


def test_the_examples_are_the_same(steps, tmp_path):
    steps.run("ExampleGen", {}, {"examples": artifact(standard_artifacts.Examples, tmp_path)})
    for split in ("Split-train", "Split-eval"):
        first, second = (
            [record.numpy() for record in tf.data.TFRecordDataset(tf.io.gfile.glob(f"{folder}/{split}/*"), "GZIP")]
            for folder in (steps.made("ExampleGen", "examples"), tmp_path)
        )
        assert first == second


def test_the_statistics_are_the_same(steps, tmp_path):
    made = artifact(standard_artifacts.ExampleStatistics, tmp_path)
    steps.run("StatisticsGen", {"examples": examples(steps)}, {"statistics": made})
    for split in ("Split-train", "Split-eval"):
        first, second = (
            tfdv.load_stats_binary(str(folder / split / "FeatureStats.pb")).datasets[0]
            for folder in (steps.made("StatisticsGen", "statistics"), tmp_path)
        )
        assert first.num_examples == second.num_examples > 4000
        for found in (first, second):
            found.features.sort(key=lambda feature: tuple(feature.path.step))
        for one, other in zip(first.features, second.features, strict=True):
            numbers = [[getattr(found.num_stats, name) for name in FLOATS] for found in (one, other)]
            assert numbers[0] == pytest.approx(numbers[1], rel=1e-6)
            for found in (one, other):
                for name in FLOATS:
                    found.num_stats.ClearField(name)
            assert one == other


def test_the_metrics_are_the_same(steps, tmp_path):
    evaluation = artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
    blessing = artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing")
    model = artifact(standard_artifacts.Model, steps.made("Trainer", "model"))
    inputs = {"examples": examples(steps), "model": model}
    steps.run("Evaluator", inputs, {"evaluation": evaluation, "blessing": blessing})
    found = verdict.read(steps.file.config, evaluation.uri, blessing.uri)
    before = verdict.read(
        steps.file.config, str(steps.made("Evaluator", "evaluation")), str(steps.made("Evaluator", "blessing"))
    )
    assert found.values["example_count"] > 4000
    assert found.values == pytest.approx(before.values, rel=1e-6)
    assert found.lines == before.lines
