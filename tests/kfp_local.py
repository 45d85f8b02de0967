"""Runs a compiled Kubeflow pipeline by kfp's own local orchestrator, each container as a process."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2


class Cluster:
    """Takes the place of a container engine: everything else, arrows, arguments and placeholders, is kfp's.

    Attributes:
        started: the steps whose containers were started, in order.
        outputs: what they printed, by step.
    """

    def __init__(self, folder: Path, root: Path, monkeypatch: Any) -> None:
        from kfp.local import docker_task_handler, status

        self.started: list[str] = []
        self.outputs: dict[str, str] = {}
        self._folder = folder

        def run(handler: Any) -> Any:
            slipway, *arguments = handler.full_command
            assert (slipway, handler.image) == ("slipway", "localhost/slipway:1")
            named = [arguments[i + 1] for i, word in enumerate(arguments) if word == "--node"]
            self.started += named or ["Finish"]
            done = subprocess.run(
                [sys.executable, "-m", "pipeline", *arguments], cwd=root, text=True, timeout=600,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self.outputs[self.started[-1]] = done.stdout
            return status.Status.SUCCESS if done.returncode == 0 else status.Status.FAILURE

        monkeypatch.setattr(docker_task_handler.DockerTaskHandler, "run", run)

    def run(self, compiled: Path, **parameters: Any) -> None:
        """Run a compiled pipeline to its end; RuntimeError when a task fails."""
        from kfp import local
        from kfp.local import pipeline_orchestrator

        self.started.clear()
        local.init(runner=local.DockerRunner(), pipeline_root=str(self._folder))
        pipeline_orchestrator.run_local_pipeline(specification(compiled), parameters)


def documents(compiled: Path) -> list[dict[str, Any]]:
    """Return the YAML documents of a compiled pipeline: what runs, and what Kubernetes is told."""
    return list(yaml.safe_load_all(compiled.read_text(encoding="utf-8")))


def specification(compiled: Path) -> pipeline_spec_pb2.PipelineSpec:
    """Return a compiled pipeline as the message that a server reads; an unknown field is an error."""
    return json_format.ParseDict(documents(compiled)[0], pipeline_spec_pb2.PipelineSpec())
