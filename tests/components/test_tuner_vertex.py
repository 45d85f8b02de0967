"""A search on Vertex AI, up to Google's door: TFX makes the job, Google's own message takes it, and it is done here.

What Google does with a job is not here: machines, images, the mounted bucket.
"""

import importlib
import json
from pathlib import Path

import pytest
from google.cloud.aiplatform_v1.types import CustomJob, JobState
from tfx.extensions.google_cloud_ai_platform import training_clients
from tfx.scripts import run_executor

from components import _tuner_vertex

HERE = Path(__file__).parent
VERTEX = {
    "project": "mine",
    "region": "europe-west4",
    "image": "europe-docker.pkg.dev/mine/a/b:1",
    "machine": "n1-highcpu-8",
}
TUNER = {"objective": "val_loss", "direction": "min"}


class _Google:
    """Stands in for Google's client: a job is checked by its message type, and its first replica's command is run."""

    jobs: list[CustomJob] = []
    endpoint = ""

    def __init__(self, client_options):
        type(self).endpoint = client_options["api_endpoint"]

    def create_custom_job(self, parent, custom_job):
        job = CustomJob(custom_job, name=f"{parent}/customJobs/1")
        self.jobs.append(job)
        command = list(job.job_spec.worker_pool_specs[0].container_spec.command)
        assert command[:3] == ["python", "-m", "tfx.scripts.run_executor"]
        run_executor.main(run_executor.parse_flags(command[2:]))
        return job

    def get_custom_job(self, name, retry):
        return CustomJob(name=name, state=JobState.JOB_STATE_SUCCEEDED)


@pytest.fixture
def search(monkeypatch, tmp_path):
    """Return a function that runs the executor on a small search and gives the folder of its results."""
    monkeypatch.syspath_prepend(str(HERE))
    small_search = importlib.import_module("small_search")
    monkeypatch.setattr(training_clients.gapic, "JobServiceClient", _Google)
    monkeypatch.setattr(_Google, "jobs", [])

    def run(config, workers=1):
        job = _tuner_vertex.job(VERTEX)
        inputs, outputs, properties = small_search.arguments(tmp_path, {"tuner": TUNER, **config, **job})
        properties["tune_args"] = json.dumps({"num_parallel_trials": workers})
        _tuner_vertex.Executor().Do(inputs, outputs, properties)
        return Path(outputs["tuner_results"][0].uri)

    return run


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    monkeypatch.setattr(_tuner_vertex, "BUCKETS", str(tmp_path))


def test_a_job_is_made_and_its_trials_are_reported(search, bucket, tmp_path):
    results = search({"numbers": 3}, workers=3)
    (job,) = _Google.jobs
    pools = [
        (pool.machine_spec.machine_type, pool.container_spec.image_uri, pool.replica_count)
        for pool in job.job_spec.worker_pool_specs
    ]
    assert pools == [(VERTEX["machine"], VERTEX["image"], count) for count in (1, 2)]
    assert job.name == "projects/mine/locations/europe-west4/customJobs/1"
    assert _Google.endpoint.startswith("europe-west4-")
    report = json.loads((results / "trials.json").read_text(encoding="utf-8"))
    assert sorted(trial["hyperparameters"]["number"] for trial in report["trials"]) == [1, 2, 3]
    assert report["best"] == min(report["trials"], key=lambda trial: trial["objective"])["trial"]
    assert {trial["state"] for trial in report["trials"]} == {"completed"}
    assert not list((tmp_path / "Tuner/.system/search").iterdir()), "a finished search leaves nothing behind"


def test_a_job_without_a_finished_trial_is_a_failure(search, bucket):
    # TFX itself hands on the default hyperparameters as the best.
    with pytest.raises(RuntimeError, match="none of the trials finished"):
        search({"numbers": 2, "fails": "all"})


def test_artifacts_that_a_job_cannot_read_are_told_before_it_is_made(search, tmp_path):
    with pytest.raises(ValueError, match=f"reads below /gcs/ only, got {tmp_path}"):
        search({"numbers": 2})
    assert not _Google.jobs
