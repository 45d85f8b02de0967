"""How a Beam step is run is no part of what it makes: its arguments go past TFX's cache to the executor.

TFX's cache knows an executor by its whole specification, arguments of Beam included, so that another runner, or one
more worker, would run every step anew. Here the cache sees the specification without them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from google.protobuf import message
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2

ARGUMENTS = ("beam_pipeline_args", "beam_pipeline_args_placeholders")


class Operator(BeamExecutorOperator):
    """TFX's operator, with arguments that the specification does not have.

    Args:
        executor_spec: without arguments.
        platform_config: not used by TFX either.
        complete: the specification with them.
    """

    def __init__(self, executor_spec: message.Message, platform_config: Any = None, *, complete: message.Message):
        super().__init__(complete, platform_config)


def apart(spec: Any) -> tuple[Any, dict[Any, Callable[..., Any]]]:
    """Return an executor's specification as the cache is to see it, and the operators that know the rest."""
    if not isinstance(spec, executable_spec_pb2.BeamExecutableSpec):
        return spec, {}
    bare = executable_spec_pb2.BeamExecutableSpec()
    bare.CopyFrom(spec)
    for field in ARGUMENTS:
        bare.ClearField(field)
    return bare, {type(spec): partial(Operator, complete=spec)}
