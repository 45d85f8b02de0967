"""The model whose weights a training begins with: see docs/decisions/0011-warm-start.md."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.types import artifact, standard_component_specs

from components import _blessings

Artifacts = dict[str, list[artifact.Artifact]]
BLESSED = ("model", "model_blessing")
OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


class WarmStartStrategy(ResolverStrategy):
    """Resolves the channels `model` and `model_blessing`, given the other inputs of the Trainer.

    A training that was done before gets what it got then, so that TFX's cache knows it again. Any other gets the last
    blessed model.

    Args:
        training: the properties of the Trainer, as JSON.
    """

    def __init__(self, training: str) -> None:
        self._training = json.loads(training)

    def resolve_artifacts(self, store: MetadataStore, input_dict: Artifacts) -> Artifacts:
        """Return the model and its blessing, or empty lists where there is none, with the other inputs as they are.

        Args:
            store: says from what the models were trained.
            input_dict: all models and blessings of the pipeline, and what the Trainer is given.
        """
        inputs = {key: {one.id for one in given} for key, given in input_dict.items() if key not in BLESSED}
        blessed = _blessings.blessed(input_dict["model"], input_dict["model_blessing"])
        before = self._done_before(store, input_dict["model"], inputs)
        pairs = blessed[-1:] if before is None else [pair for pair in blessed if pair[0].id in before]
        models, blessings = [model for model, _ in pairs], [blessing for _, blessing in pairs]
        return {**input_dict, "model": models, "model_blessing": blessings}

    def _done_before(
        self, store: MetadataStore, models: Iterable[artifact.Artifact], inputs: Mapping[str, set[int]]
    ) -> set[int] | None:
        """Return the base model of the last training like this one, by id; None if there was none."""
        events = store.get_events_by_artifact_ids([model.id for model in models])
        executions = {event.execution_id for event in events if event.type in OUTPUTS}
        read: dict[int, dict[str, set[int]]] = {number: {} for number in executions}
        for event in store.get_events_by_execution_ids(sorted(executions)) if executions else ():
            if event.type not in OUTPUTS:
                read[event.execution_id].setdefault(event.path.steps[0].key, set()).add(event.artifact_id)
        for execution in sorted(store.get_executions_by_id(sorted(executions)), key=lambda one: -one.id):
            given = read[execution.id]
            base = given.pop(standard_component_specs.BASE_MODEL_KEY, set())
            if given == inputs and self._like(execution):
                return base
        return None

    def _like(self, execution: metadata_store_pb2.Execution) -> bool:
        kept = {key: execution.custom_properties[key].string_value for key in self._training}
        return {**kept, "custom_config": json.loads(kept["custom_config"] or "null")} == self._training


def training(run_fn: str, custom_config: Mapping[str, Any]) -> str:
    """Return what the strategy takes of a Trainer's properties."""
    return json.dumps({"run_fn": run_fn, "custom_config": custom_config}, sort_keys=True)
