"""Runs a compiled pipeline by kfp's local orchestrator: `.ci/kubeflow.py COMPILED FOLDER [KEY=VALUE]...`."""

import sys

from google.protobuf import json_format
from kfp import components, local

compiled, folder, *more = sys.argv[1:]
# The folder is mounted into every container, at the same place.
local.init(runner=local.DockerRunner(), pipeline_root=folder)
pipeline = components.load_component_from_file(compiled)
default = pipeline.pipeline_spec.root.input_definitions.parameters["overrides"].default_value
pipeline(overrides=[*json_format.MessageToDict(default), *more])
