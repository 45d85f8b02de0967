"""From a config to TFX's pipeline IR: a loop over steps that hand channels to each other over the bus."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from tfx.dsl.compiler import compiler
from tfx.dsl.components.base import executor_spec
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline import beam_args, beam_size, hooks, metadata_store, names, pipeline_root
from pipeline.bus import Bus
from pipeline.config_file import ConfigFile
from pipeline.errors import ConfigError
from pipeline.home import Home
from pipeline.steps import STEPS, Make, Plan, Step, switched_off


def build(file: ConfigFile, home: Home, run_id: str) -> pipeline_pb2.Pipeline:
    """Return the IR of one run.

    Raises:
        ConfigError: the steps do not fit together.
    """
    dag = tfx_pipeline.Pipeline(
        pipeline_name=file.config.name,
        pipeline_root=pipeline_root.of(file.config, home),
        components=nodes(file, home),
        enable_cache=True,
        metadata_connection_config=metadata_store.connection(file.config.metadata, home),
    )
    ir = compiler.Compiler().compile(dag)
    runtime_parameter_utils.substitute_runtime_parameter(ir, {"pipeline-run-id": run_id})
    return ir


def nodes(file: ConfigFile, home: Home, instead: Mapping[str, Make] | None = None) -> list[Any]:
    """Return the nodes of a pipeline in the order of its steps.

    Args:
        file: the checked config.
        home: the places to write to.
        instead: other makers, by step, for a service that has nodes of its own.

    Raises:
        ConfigError: a hook of the model is missing, the steps do not fit together, the config leaves to its model
            what that does not have, or Beam does not take the options.
    """
    if found := hooks.mistakes(file.config) + beam_args.mistakes(file.config.beam):
        raise ConfigError(*(f"{file.path}: {line}" for line in found))
    # A service has other machines than this one.
    fastest = (lambda: 1) if instead is not None else cache(partial(beam_size.workers, file))
    file = replace(file, config=hooks.completed(file.config))
    plan = Plan(file, home)
    bus = Bus({channel: step.name for step in STEPS for channel in step.publishes})
    made: list[Any] = []
    gates: list[Any] = []
    for step in steps(file):
        node = (instead or {}).get(step.name, step.make)(bus, plan)
        node.with_id(step.name)
        _with_beam(node, file, fastest)
        if gates:
            node.add_upstream_nodes(gates)
        for channel, key in (step.publishes or {key: key for key in node.outputs}).items():
            bus.publish(channel, node.outputs[key], step.name)
        made.append(node)
        gates += [node] * step.gate
    return made


def _with_beam(node: Any, file: ConfigFile, fastest: Callable[[], int]) -> None:
    """Tell a node that is a Beam pipeline how it is run; its own arguments go before the config's.

    Raises:
        ConfigError: the config says how a node is run that is none.
    """
    if isinstance(node.executor_spec, executor_spec.BeamExecutorSpec):
        arguments = beam_args.of(file.config.beam.engine(node.id), fastest)
        tfx_pipeline.add_beam_pipeline_args_to_component(node, arguments)
    elif node.id in file.config.beam.steps:
        raise ConfigError(f"{file.path}: beam.steps.{node.id}: is no Beam pipeline, got options for it; take them out")


def steps(file: ConfigFile) -> list[Step]:
    """Return the standard steps that are switched on, with the custom components where their needs are met."""
    off = switched_off(file.config)
    steps = [step for step in STEPS if step.name not in off]
    for name, options in file.config.components.items():
        steps.append(_custom(name, options))
    return steps


def _custom(name: str, options: dict[str, Any]) -> Step:
    module = names.load("components", name)

    def make(bus: Bus, plan: Plan) -> Any:
        return module.step(bus.read_all(module.NEEDS, name), **options)

    return Step(name, make)
