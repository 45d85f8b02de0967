"""The Tuner's node, compiled: on this machine, and as a job on Vertex AI from the same config."""

import json
from pathlib import Path

import pytest
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline import build, config_file
from pipeline.home import Home

CONFIG = Path(__file__).parents[2] / "configs/digits-tuned.yaml"
VERTEX = "tuner.vertex={project: mine, region: europe-west4, image: europe-docker.pkg.dev/mine/a/b:1}"


@pytest.fixture
def compiled(tmp_path):
    """Return a function from --set arguments to the Tuner's executor class, custom_config and tune_args."""

    def tuner(*overrides):
        file = config_file.read(CONFIG, overrides, tmp_path)
        ir = build.build(file, Home(tmp_path, "digits-tuned"), "run")
        spec = executable_spec_pb2.PythonClassExecutableSpec()
        deployment = pipeline_pb2.IntermediateDeploymentConfig()
        ir.deployment_config.Unpack(deployment)
        deployment.executor_specs["Tuner"].Unpack(spec)
        (node,) = (one.pipeline_node for one in ir.nodes if one.pipeline_node.node_info.id == "Tuner")
        values = {key: value.field_value.string_value for key, value in node.parameters.parameters.items()}
        config = json.loads(values["custom_config"])
        return spec.class_path, config, json.loads(values.get("tune_args") or "{}")

    return tuner


def test_a_warm_start_is_a_step_before_the_trainer_and_starts_no_new_search(compiled, tmp_path):
    assert compiled("training.warm_start=true") == compiled()
    file = config_file.read(CONFIG, ["training.warm_start=true"], tmp_path)
    ir = build.build(file, Home(tmp_path, "digits-tuned"), "run")
    upstream = {one.pipeline_node.node_info.id: set(one.pipeline_node.upstream_nodes) for one in ir.nodes}
    assert "WarmStart" in upstream["Trainer"]
    assert upstream["WarmStart"] == {"ExampleGen", "Transform", "Tuner", "DataGate"}


def test_the_same_config_searches_here_or_on_vertex_ai(compiled):
    here, config, tune_args = compiled("tuner.workers=4")
    assert (here, tune_args) == ("components._tuner.Executor", {})
    there, job_config, tune_args = compiled("tuner.workers=4", VERTEX)
    assert (there, tune_args) == ("components._tuner_vertex.Executor", {"num_parallel_trials": 4})
    added = {key: job_config[key] for key in set(job_config) - set(config)}
    assert {key: job_config[key] for key in config} == config, "what the hook gets is the same"
    (pool,) = added["ai_platform_tuning_args"]["job_spec"]["worker_pool_specs"]
    assert pool["replica_count"] == 1, "TFX adds the others"
    assert pool["machine_spec"]["machine_type"] == "n1-standard-8"
    assert added["ai_platform_tuning_args"]["project"] == "mine"
    assert (added["ai_platform_enable_vertex"], added["ai_platform_vertex_region"]) == (True, "europe-west4")
