"""What the runners of the Beam steps lack on this machine is told before a step begins."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

import components
from pipeline import beam_needs, build, config_file
from pipeline.cli import slipway
from pipeline.errors import SetupError
from pipeline.home import Home

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"
DATAFLOW = "{project: mine, region: europe-west4, temp_location: gs://mine/tmp, sdk_container_image: i:1}"
COUNTING = """
import apache_beam as beam
from tfx.dsl.component.experimental.annotations import BeamComponentParameter, InputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts

NEEDS = ("examples",)

@component(use_beam=True)
def Counting(
    examples: InputArtifact[standard_artifacts.Examples], pipeline: BeamComponentParameter[beam.Pipeline] = None
) -> None: ...

def step(channels):
    return Counting(**channels)
"""


@pytest.fixture
def missing(tmp_path):
    """Return a function from the `beam` section to the lines about it."""

    def found(section: str, root: str = "gs://mine/artifacts", overrides: Sequence[str] = (), **more) -> list[str]:
        file = config_file.read(CONFIG, [f"beam={section}", *overrides], tmp_path)
        return beam_needs.missing(file, root, **more)

    return found


@pytest.fixture
def port():
    """A port at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_job_server_that_does_not_answer_is_told(missing, port):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        other = closed.getsockname()[1]
    (line,) = missing(f"{{runner: flink, options: {{job_endpoint: '127.0.0.1:{other}'}}}}")
    assert line.startswith(f"beam.options.job_endpoint: no job server answers, got 127.0.0.1:{other}: Connection")
    assert missing(f"{{runner: flink, options: {{job_endpoint: '127.0.0.1:{port}'}}}}") == []
    (line,) = missing("{runner: spark, options: {job_endpoint: here}}")
    assert line == "beam.options.job_endpoint: no host:port, got here; write for instance localhost:8099"


def test_no_java_and_no_jar_are_told(missing, tmp_path):
    java, jar = tmp_path / "java", tmp_path / "server.jar"
    section = f"{{runner: spark, options: {{job_server_java_launcher: {java}, spark_job_server_jar: {jar}}}}}"
    first, second = missing(section)
    assert first.startswith(f"beam: the job server of spark is a Java program, got no {java} here; install Java 11")
    assert second.startswith(f"beam.options.spark_job_server_jar: no such file, got {jar}; Beam downloads one")
    java.touch(mode=0o755)
    jar.touch()
    assert missing(section) == []


def test_a_folder_that_dataflow_cannot_reach_is_told(missing):
    section = f"{{runner: dataflow, options: {DATAFLOW}}}"
    folder, file = missing(section, "/var/lib/slipway")
    assert folder.startswith("beam: the workers of Dataflow reach no folder of this machine, got artifacts in /var/lib")
    assert file.startswith("beam.steps.ExampleGen: the workers of Dataflow reach no file of this machine, got /")
    section = f"{{runner: dataflow, options: {DATAFLOW}, steps: {{ExampleGen: {{runner: direct}}}}}}"
    assert missing(section) == []


def test_only_the_steps_that_run_need_something(missing):
    section = f"{{steps: {{Transform: {{runner: dataflow, options: {DATAFLOW}}}}}}}"
    (line,) = missing(section, "/tmp")
    assert line.startswith("beam.steps.Transform: ")
    assert missing(section, "/tmp", steps=["Evaluator"]) == []


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """A component of one's own that is a Beam pipeline: what brings it into a config."""
    (tmp_path / "counting.py").write_text(COUNTING)
    monkeypatch.setattr(components, "__path__", [*components.__path__, str(tmp_path)])
    return "components={counting: {}}"


def test_a_component_of_ones_own_needs_what_the_standard_steps_need(counting, tmp_path):
    section = "{runner: spark, options: {job_endpoint: here, environment_type: LOOPBACK}}"
    file = config_file.read(CONFIG, [counting, f"beam={section}"], tmp_path)
    ir = build.build(file, Home(tmp_path, "taxi"), "1")
    with pytest.raises(SetupError, match=r"beam\.options\.job_endpoint: no host:port, got here"):
        beam_needs.require(file, ir, ["counting"])
    beam_needs.require(file, ir, ["Trainer", "Pusher"])


def test_check_asks_what_a_step_with_a_runner_of_its_own_needs(counting, missing):
    section = "{steps: {counting: {runner: spark, options: {job_endpoint: here}}}}"
    (line,) = missing(section, overrides=[counting])
    assert line.startswith("beam.steps.counting.options.job_endpoint: no host:port, got here")


def test_check_tells_mistakes_and_needs_at_once(tmp_path):
    section = "beam={runner: flink, options: {machin_type: x, job_endpoint: 'nowhere.invalid:1'}}"
    done = CliRunner().invoke(slipway, ["check", str(CONFIG), "--set", section, "--home", str(tmp_path)])
    assert done.exit_code == 2
    for part in ("options.machin_type: no such", "sdk_container_image: is missing", "job_endpoint: no job server answ"):
        assert part in done.output
