"""TFX's cache does not see how a Beam step is run; the executor does, and so does Vertex AI."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tfx.orchestration.local import runner_utils

from pipeline import beam_config, beam_operator, build, config_file
from pipeline.errors import ConfigError
from pipeline.home import Home
from pipeline.runners import vertex

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"
PROCESSES = "beam={mode: multi_processing, workers: 3, steps: {Evaluator: {mode: in_memory}}}"


def specifications(home: Path, *overrides: str) -> dict:
    """Return what TFX runs, by node."""
    ir = build.build(config_file.read(CONFIG, overrides, home), Home(home, "taxi"), "1")
    deployment = runner_utils.extract_local_deployment_config(ir)
    names = [node.pipeline_node.node_info.id for node in ir.nodes]
    return {name: runner_utils.extract_executor_spec(deployment, name) for name in names}


def test_the_cache_sees_the_same_step_and_the_executor_the_arguments(tmp_path):
    usual, processes = specifications(tmp_path), specifications(tmp_path, PROCESSES)
    assert [name for name in usual if usual[name] != processes[name]] == ["ExampleGen", "StatisticsGen", "Transform"]
    for name, spec in processes.items():
        seen, operators = beam_operator.apart(spec)
        assert seen == beam_operator.apart(usual[name])[0], name
        if name in beam_config.STEPS:
            arguments = operators[type(spec)](executor_spec=seen, platform_config=None).beam_pipeline_args
            mode = "in_memory" if name == "Evaluator" else "multi_processing"
            assert f"--direct_running_mode={mode}" in str(arguments)


def test_the_steps_that_take_options_are_those_that_are_beam_pipelines(tmp_path):
    found = [name for name, spec in specifications(tmp_path).items() if beam_operator.apart(spec)[1]]
    assert found == list(beam_config.STEPS)


def test_a_component_that_is_no_beam_pipeline_is_told(tmp_path):
    file = config_file.read(CONFIG, [], tmp_path)
    beam = beam_config.Beam.model_validate({"steps": {"Trainer": {"mode": "in_memory"}}})
    file = replace(file, config=file.config.model_copy(update={"beam": beam}))
    with pytest.raises(ConfigError, match=r"beam\.steps\.Trainer: is no Beam pipeline, got options for it"):
        build.nodes(file, Home(tmp_path, "taxi"))


def test_what_beam_does_not_take_is_no_pipeline(tmp_path):
    file = config_file.read(CONFIG, ["beam.options={machin_type: x}"], tmp_path)
    with pytest.raises(ConfigError, match=r"taxi\.yaml: beam\.options\.machin_type: no such option of Beam"):
        build.nodes(file, Home(tmp_path, "taxi"))


def test_vertex_gets_the_same_arguments(tmp_path):
    section = (
        "beam={runner: dataflow, options: {project: mine, region: europe-west4, temp_location: gs://mine/tmp, "
        "sdk_container_image: 'slipway:1'}, steps: {ExampleGen: {runner: direct}}}"
    )
    file = config_file.read(CONFIG, ["vertex={image: 'slipway:1', home: gs://mine}", section], tmp_path)
    vertex.compile(file, Home(tmp_path, "taxi"), tmp_path / "taxi.json")
    executors = json.loads((tmp_path / "taxi.json").read_text())["pipelineSpec"]["deploymentSpec"]["executors"]
    arguments = {name: one["container"]["args"] for name, one in executors.items() if "container" in one}
    assert "--runner=DataflowRunner" in arguments["Transform_executor"]
    assert "--temp_location=gs://mine/tmp" in arguments["Transform_executor"]
    assert "--direct_running_mode=in_memory" in arguments["ExampleGen_executor"]
