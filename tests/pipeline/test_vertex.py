"""What a config compiles to for Vertex AI Pipelines."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline import config_file
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home
from pipeline.runners import vertex

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"
SECTION = "vertex={image: registry/slipway:1, home: gs://bucket/slipway/}"


def test_the_job_is_a_pipeline_of_kfp_whose_paths_are_in_the_bucket(tmp_path):
    file, output = config_file.read(CONFIG, [SECTION], tmp_path), tmp_path / "taxi.json"
    first, *before = vertex.compile(file, Home(tmp_path, "taxi"), output)
    text = output.read_text()
    job = json_format.Parse(text, pipeline_spec_pb2.PipelineJob())
    content = json_format.MessageToDict(job.pipeline_spec)
    specification = json_format.ParseDict(content, pipeline_spec_pb2.PipelineSpec())
    tasks = specification.root.dag.tasks
    assert set(tasks) >= {"ExampleGen", "Tuner", "Trainer", "Evaluator", "Pusher", "MobilePusher"}
    assert set(tasks["Evaluator"].dependent_tasks) >= {"Baseline-model-resolver", "Trainer", "Doors"}
    images = {
        one["container"]["image"] for one in content["deploymentSpec"]["executors"].values() if "container" in one
    }
    assert images == {"registry/slipway:1"}
    assert job.runtime_config.gcs_output_directory == "gs://bucket/slipway/artifacts/taxi"
    assert "gs://bucket/slipway/serving/taxi" in text
    assert str(tmp_path) not in text
    assert first == f"{output}: for registry/slipway:1; before it runs:"
    schema = CONFIG.with_suffix(".schema.pbtxt")
    assert before[0].startswith(f"  copy {schema} to gs://bucket/slipway/artifacts/taxi/schemas/")
    assert before[0].rpartition(" ")[2] in text, "it is copied to where ImportSchemaGen looks"
    assert before[1].startswith("  have ")


@pytest.mark.parametrize(
    ("override", "output", "told"),
    [
        ("vertex=off", "x.json", r"taxi\.yaml: vertex: is missing"),
        (SECTION, "x.yaml", r"-o: Vertex AI reads JSON, got 'x\.yaml'; name it x\.json"),
    ],
)
def test_what_is_missing_is_told(override, output, told, tmp_path):
    file = config_file.read(CONFIG, [override], tmp_path)
    with pytest.raises((ConfigError, SetupError), match=told):
        vertex.compile(file, Home(tmp_path, "taxi"), Path(output))


def test_a_warm_start_is_told_before_anything_is_compiled(tmp_path):
    file = config_file.read(CONFIG, [SECTION, "training.warm_start=true"], tmp_path)
    with pytest.raises(ConfigError, match=r"training\.warm_start: Vertex AI resolves by itself, .*; write false"):
        vertex.compile(file, Home(tmp_path, "taxi"), tmp_path / "taxi.json")


def test_a_home_that_is_no_bucket_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"vertex\.home: string should match pattern"):
        config_file.read(CONFIG, ["vertex={image: x, home: /tmp/x}"], tmp_path)


def test_vertex_trains_in_a_job_and_deploys_to_an_endpoint_if_it_shall(tmp_path):
    machine = "{project: ours, region: europe-west4, accelerator_type: NVIDIA_TESLA_T4}"
    switched = [f"vertex.training={machine}", "vertex.endpoint={project: ours, region: europe-west4}"]
    file, output = config_file.read(CONFIG, [SECTION, *switched, "mobile=off"], tmp_path), tmp_path / "taxi.json"
    vertex.compile(file, Home(tmp_path, "taxi"), output)
    job = json.loads(output.read_text())["pipelineSpec"]
    executors = {
        name: one["container"]["args"][1]
        for name, one in job["deploymentSpec"]["executors"].items()
        if "container" in one
    }
    assert executors["Trainer_executor"].startswith("tfx.extensions.google_cloud_ai_platform.trainer.")
    assert executors["Pusher_executor"].startswith("tfx.extensions.google_cloud_ai_platform.pusher.")
    given = {
        name: json.loads(
            job["root"]["dag"]["tasks"][name]["inputs"]["parameters"]["custom_config"]["runtimeValue"]["constant"]
        )
        for name in ("Trainer", "Pusher")
    }
    (pool,) = given["Trainer"]["ai_platform_training_args"]["worker_pool_specs"]
    assert pool["container_spec"] == {"image_uri": "registry/slipway:1"}
    assert pool["machine_spec"]["accelerator_type"] == "NVIDIA_TESLA_T4"
    assert given["Trainer"]["training"]["epochs"] == 20, "what the model needs is still there"
    deployment = {"project": "ours", "endpoint_name": "taxi", "machine_type": "n1-standard-4"}
    assert given["Pusher"]["ai_platform_serving_args"] == deployment
    file = config_file.read(CONFIG, [SECTION, *switched], tmp_path)
    with pytest.raises(ConfigError, match=r"vertex\.endpoint: phones get what is in a folder"):
        vertex.compile(file, Home(tmp_path, "taxi"), output)
