"""The `beam` section: which engine a step gets, Beam's arguments for it, and what is said to wrong options."""

from pathlib import Path

import pytest
from apache_beam.options import pipeline_options as options
from pydantic import ValidationError

from pipeline import beam_args, config_file
from pipeline.beam_config import Beam
from pipeline.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"
DATAFLOW = {"project": "mine", "region": "europe-west4", "temp_location": "gs://mine/tmp", "sdk_container_image": "i:1"}


def parsed(section: dict, step: str, workers: int = 1) -> dict:
    """Return what Beam reads from the arguments of a step, without its own defaults."""
    arguments = beam_args.of(Beam.model_validate(section).engine(step), lambda: workers)
    return options.PipelineOptions(arguments).get_all_options(drop_default=True)


def test_without_a_section_a_step_runs_in_this_process():
    found = options.PipelineOptions(beam_args.of(Beam().engine("Transform"))).get_all_options()
    assert found["runner"] == "pipeline.beam_direct.DirectRunner"
    assert (found["direct_running_mode"], found["direct_num_workers"]) == ("in_memory", 1)


@pytest.mark.parametrize(
    ("section", "workers", "mode", "count"),
    [
        ({}, 8, "multi_processing", 8),
        ({"mode": "in_memory"}, 8, "in_memory", 1),
        ({"mode": "multi_processing"}, 1, "multi_processing", 0),
        ({"mode": "multi_processing", "workers": 1}, 8, "multi_processing", 1),
        ({"mode": "multi_processing", "workers": 3}, 1, "multi_processing", 3),
        ({"workers": 3}, 8, "multi_processing", 3),
        ({"workers": 3}, 1, "in_memory", 1),
    ],
)
def test_auto_leaves_the_mode_to_the_size_of_the_data(section, workers, mode, count):
    arguments = beam_args.of(Beam.model_validate(section).engine("Transform"), lambda: workers)
    found = options.PipelineOptions(arguments).get_all_options()
    assert (found["direct_running_mode"], found["direct_num_workers"]) == (mode, count)


@pytest.mark.parametrize("section", [{"mode": "in_memory"}, {"mode": "multi_processing"}, {"runner": "flink"}])
def test_the_size_of_the_data_is_not_asked_for_where_it_decides_nothing(section):
    beam_args.of(Beam.model_validate(section).engine("Transform"), lambda: pytest.fail("nobody needs it"))


def test_a_step_adds_to_the_options_of_its_runner_and_inherits_none_of_another():
    section = {
        "runner": "dataflow", "options": DATAFLOW,
        "steps": {"Transform": {"options": {"machine_type": "n1-highmem-8"}}, "ExampleGen": {"runner": "direct"}},
    }  # fmt: skip
    assert parsed(section, "StatisticsGen") == {"runner": "DataflowRunner", **DATAFLOW}
    assert parsed(section, "Transform") == {"runner": "DataflowRunner", **DATAFLOW, "machine_type": "n1-highmem-8"}
    assert "project" not in parsed(section, "ExampleGen")


def test_a_running_job_server_gets_the_job_and_the_image():
    section = {"runner": "flink", "options": {"job_endpoint": "jobs:8099", "sdk_container_image": "slipway:1"}}
    found = parsed(section, "Transform")
    assert (found["runner"], found["job_endpoint"]) == ("PortableRunner", "jobs:8099")
    assert found["environment_config"] == "slipway:1"


def test_without_one_beam_starts_its_own():
    section = {"runner": "spark", "options": {"spark_master_url": "spark://m:7077", "sdk_container_image": "slipway:1"}}
    assert parsed(section, "Transform")["runner"] == "SparkRunner"


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"options": {"machin_type": "x"}}, "beam.options.machin_type: no such option of Beam, got 'machin_type'; did"),
        ({"options": {"disk_size_gb": "big"}}, "disk_size_gb: Beam does not take this, got 'big'; invalid int value"),
        ({"runner": "dataflow"}, "beam.options.region: is missing, got runner dataflow without it; add it"),
        ({"runner": "dataflow"}, "beam.options.sdk_container_image: is missing, got runner dataflow without it; name"),
        (
            {"runner": "dataflow", "options": DATAFLOW | {"temp_location": "/tmp"}},
            "beam.options.temp_location: no folder of Cloud Storage, got '/tmp'; write gs://bucket/folder",
        ),
        ({"steps": {"Transform": {"runner": "flink"}}}, "beam.steps.Transform.options.sdk_container_image: is missing"),
        (
            {"runner": "flink", "options": {"environment_type": "PROCESS"}},
            "beam.options: option process_command is required for environment type PROCESS, got {'environment_type'",
        ),
    ],
)
def test_what_beam_does_not_take_is_told(section, told):
    found = beam_args.mistakes(Beam.model_validate(section))
    assert any(told in line for line in found), found


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"runner": "dataflow", "options": DATAFLOW},
        {"runner": "flink", "options": {"flink_master": "[local]"}},
        {"runner": "spark", "options": {"job_endpoint": "jobs:1", "environment_type": "LOOPBACK"}},
        {
            "runner": "flink",
            "options": {"environment_type": "DOCKER", "environment_options": ["docker_container_image=slipway:1"]},
        },
    ],
)
def test_what_beam_takes_is_no_mistake(section):
    assert beam_args.mistakes(Beam.model_validate(section)) == []


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"options": {"direct_num_workers": 4}}, "direct_num_workers has a key of its own, got 4; write workers:"),
        ({"runner": "flink", "workers": 4}, "workers is of the direct runner, got 4 for flink; take it out"),
        ({"mode": "in_memory", "workers": 2}, "in_memory is one worker, got 2 workers; take them out"),
    ],
)
def test_keys_that_contradict_each_other_are_told(section, told):
    with pytest.raises(ValidationError) as refused:
        Beam.model_validate(section)
    assert told in str(refused.value)


def test_a_step_that_is_no_beam_pipeline_is_told():
    with pytest.raises(ConfigError, match=r"beam\.steps\.Trainer: no such step that is a Beam pipeline"):
        config_file.read(CONFIG, ["beam={steps: {Trainer: {runner: direct}}}"])
