"""The steps that are other nodes on Vertex AI. Importing this module imports TFX's components, which takes seconds."""

from functools import partial
from typing import Any

from tfx import types
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.extensions.google_cloud_ai_platform import constants
from tfx.extensions.google_cloud_ai_platform.pusher.component import Pusher
from tfx.extensions.google_cloud_ai_platform.trainer.component import Trainer
from tfx.extensions.google_cloud_ai_platform.trainer.executor import TRAINING_ARGS_KEY
from tfx.types import standard_artifacts

from pipeline.bus import Bus
from pipeline.steps import Make, Plan, pusher_arguments, trainer_arguments
from pipeline.vertex_config import Endpoint, Machine, Vertex


def instead(section: Vertex) -> dict[str, Make]:
    """Return what makes the steps that are other nodes there."""
    made: dict[str, Make] = {"Baseline": _baseline}
    if (machine := section.training) is not None:
        made["Trainer"] = partial(_trainer, machine=machine, image=section.image)
    if (endpoint := section.endpoint) is not None:
        made["Pusher"] = partial(_pusher, endpoint=endpoint)
    return made


def _baseline(_: Bus, plan: Plan) -> Any:
    # Vertex AI resolves by itself, and knows TFX's own strategies only.
    return Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    )


def _trainer(bus: Bus, plan: Plan, *, machine: Machine, image: str) -> Any:
    arguments = trainer_arguments(bus, plan)
    pool = {"machine_spec": _machine(machine), "replica_count": 1, "container_spec": {"image_uri": image}}
    job = {TRAINING_ARGS_KEY: {"project": machine.project, "worker_pool_specs": [pool]}}
    custom_config = {**arguments.pop("custom_config"), **_vertex(machine), **job}
    return Trainer(**arguments, custom_config=custom_config)


def _pusher(bus: Bus, plan: Plan, *, endpoint: Endpoint) -> Any:
    deployment = {"project": endpoint.project, "endpoint_name": plan.config.name, **_machine(endpoint)}
    custom_config = {
        **_vertex(endpoint),
        constants.VERTEX_CONTAINER_IMAGE_URI_KEY: endpoint.image,
        constants.SERVING_ARGS_KEY: deployment,
    }
    return Pusher(**pusher_arguments(bus), custom_config=custom_config)


def _vertex(machine: Machine) -> dict[str, Any]:
    return {constants.ENABLE_VERTEX_KEY: True, constants.VERTEX_REGION_KEY: machine.region}


def _machine(machine: Machine) -> dict[str, Any]:
    accelerator = {"accelerator_type": machine.accelerator_type, "accelerator_count": machine.accelerator_count}
    return {"machine_type": machine.machine_type, **(accelerator if machine.accelerator_type else {})}
