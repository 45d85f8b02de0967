"""How a Beam step is run is no part of what it makes: its arguments go past TFX's cache to the executor.

TFX's cache knows an executor by its whole specification, arguments of Beam included, so that another runner, or one
more worker, would run every step anew. Here the cache sees the specification without them.
"""

from collections.abc import Sequence
from typing import Any

from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

SPEC = executable_spec_pb2.BeamExecutableSpec
ARGUMENTS = ("beam_pipeline_args", "beam_pipeline_args_placeholders")


def apart(spec: Any) -> tuple[Any, dict[Any, type]]:
    """Return an executor's specification as the cache is to see it, and the operators that know the rest."""
    if not isinstance(spec, SPEC):
        return spec, {}
    bare = SPEC()
    bare.CopyFrom(spec)
    for field in ARGUMENTS:
        bare.ClearField(field)

    class Operator(BeamExecutorOperator):
        def __init__(self, executor_spec: Any, platform_config: Any = None) -> None:
            super().__init__(spec, platform_config)

    return bare, {type(spec): Operator}


def of_beam(ir: pipeline_pb2.Pipeline, node_ids: Sequence[str]) -> list[str]:
    """Return those of some nodes that are Beam pipelines, components of the user's own included."""
    deployment = runner_utils.extract_local_deployment_config(ir)
    return [name for name in node_ids if isinstance(runner_utils.extract_executor_spec(deployment, name), SPEC)]
