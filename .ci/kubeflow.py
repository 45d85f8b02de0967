"""Runs a compiled pipeline by kfp's local orchestrator: `.ci/kubeflow.py COMPILED FOLDER`."""

import sys

from kfp import components, local

# The folder is mounted into every container, at the same place.
local.init(runner=local.DockerRunner(), pipeline_root=sys.argv[2])
components.load_component_from_file(sys.argv[1])()
