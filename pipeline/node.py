"""One node of a pipeline, run by TFX's own launcher: cache, Resolvers and lineage included.

The local runner calls `launch` for every node in one process; `slipway node` calls it for one, in a process or
container of its own, against the same metadata store.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import data_types, launcher
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import artifact

from components import _local_copies
from pipeline import beam_operator, metadata_store, names
from pipeline.errors import SetupError

RESOLVER = "tfx.dsl.components.common.resolver.Resolver"
Outputs = dict[str, list[artifact.Artifact]]
# What is told when a node begins to execute, which one from the cache does not: inputs, outputs and their folders.
Begun = Callable[[data_types.ExecutionInfo], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a node.

    Attributes:
        state: "ran", "cached" (an earlier execution's outputs were taken) or "resolved" (a Resolver executes nothing).
        outputs: the output artifacts by key.
    """

    state: str
    outputs: Outputs


def node_ids(ir: pipeline_pb2.Pipeline) -> list[str]:
    """Return the ids of the nodes, every one after those it depends on."""
    return [node.pipeline_node.node_info.id for node in ir.nodes]


def find(ir: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.PipelineNode:
    """Return a node.

    Raises:
        SetupError: the pipeline has no such node.
    """
    try:
        names.require(node_id, node_ids(ir), what="step")
    except ValueError as error:
        raise SetupError(f"{ir.pipeline_info.id}: {error}") from error
    return next(node.pipeline_node for node in ir.nodes if node.pipeline_node.node_info.id == node_id)


def launch(ir: pipeline_pb2.Pipeline, node_id: str, begun: Begun = lambda _: None) -> Outcome:
    """Run one node, or take its outputs from the cache; a pushed folder that is gone is pushed again.

    Raises:
        Exception: whatever the executor raised.
    """
    outcome = _launch(ir, node_id, begun)
    pushed = [artifact for artifacts in outcome.outputs.values() for artifact in artifacts]
    places = [artifact.get_string_custom_property("pushed_destination") for artifact in pushed]
    gone = outcome.state == "cached" and any(place and not os.path.isdir(place) for place in places)
    return _launch(_without_cache(ir, node_id), node_id, begun) if gone else outcome


def _launch(ir: pipeline_pb2.Pipeline, node_id: str, begun: Begun) -> Outcome:
    node = find(ir, node_id)
    _local_copies.register_installed()  # before the driver looks whether what the cache has is still there
    deployment = runner_utils.extract_local_deployment_config(ir)
    connection = metadata_store.reach(connection_config(ir))
    executor_spec, operators = beam_operator.apart(runner_utils.extract_executor_spec(deployment, node_id))
    info = launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=connection,
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=executor_spec,
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
        custom_executor_operators={
            spec: _telling(operator, begun)
            for spec, operator in {**launcher.DEFAULT_EXECUTOR_OPERATORS, **operators}.items()
        },
    ).launch()
    if info is None or not info.execution_id:
        raise RuntimeError(f"{node_id} was skipped by its driver; see the log")
    with connection as handle:
        (execution,) = handle.store.get_executions_by_id([info.execution_id])
        outputs: Any = execution_lib.get_output_artifacts(handle, info.execution_id)
        outputs = {key: list(values) for key, values in outputs.items()}
    state = metadata_store_pb2.Execution
    if execution.last_known_state not in (state.COMPLETE, state.CACHED):
        name = state.State.Name(execution.last_known_state)
        raise RuntimeError(f"{node_id} could not resolve its inputs, its execution is {name}; see the log")
    if node.node_info.type.name == RESOLVER:
        return Outcome("resolved", outputs)
    return Outcome("cached" if execution.last_known_state == state.CACHED else "ran", outputs)


def _telling(operator: Any, begun: Begun) -> Any:
    """Return a kind of executor operator that tells before it executes."""

    class Telling(operator):
        def run_executor(self, execution_info: data_types.ExecutionInfo) -> Any:
            begun(execution_info)
            return super().run_executor(execution_info)

    return Telling


def _without_cache(ir: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.Pipeline:
    """Return an IR in which a node that ran already runs anew."""
    again = pipeline_pb2.Pipeline()
    again.CopyFrom(ir)
    run_id = again.runtime_spec.pipeline_run_id.field_value
    for context in find(again, node_id).contexts.contexts:
        # A node runs once in a run, so this is a run of its own.
        if context.type.name == "pipeline_run":
            context.name.field_value.string_value += "-again"
    run_id.string_value += "-again"
    find(again, node_id).execution_options.caching_options.enable_cache = False
    return again


def connection_config(ir: pipeline_pb2.Pipeline) -> metadata_store_pb2.ConnectionConfig:
    """Return how the metadata store of a pipeline is reached."""
    config = runner_utils.extract_local_deployment_config(ir).metadata_connection_config
    return getattr(config, config.WhichOneof("connection_config"))
