"""The baseline of the gate: the latest blessed model that is not the candidate itself.

TFX's own LatestBlessedModelStrategy returns the candidate when it was blessed before, for instance in a run with
nothing changed. The candidate is then compared with itself, which proves nothing, and the Evaluator's inputs change
after every run, so that its cache never hits. Nor does it ask whether the model can still be compared: one that reads a
column as another type, or knows other classes, ends the Evaluator with an error of TensorFlow.
"""

import logging
from collections.abc import Mapping
from typing import Any

from ml_metadata import MetadataStore
from tensorflow.python.saved_model import loader_impl
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.types import artifact
from tfx.utils import path_utils

from components import _blessings

LOGGER = logging.getLogger(__name__)

Artifacts = dict[str, list[artifact.Artifact]]


class BaselineStrategy(ResolverStrategy):
    """Resolves the channels `model` and `model_blessing`, given the channel `candidate`."""

    def resolve_artifacts(self, store: MetadataStore, input_dict: Artifacts) -> Artifacts:
        """Return the baseline model and its blessing, or empty lists where there is none yet.

        Args:
            store: not used; the channels hold all there is.
            input_dict: all models and blessings of the pipeline, and the one candidate.
        """
        candidates = {candidate.id for candidate in input_dict["candidate"]}
        blessed = _blessings.blessed(input_dict["model"], input_dict["model_blessing"])
        others = [(model, blessing) for model, blessing in blessed if model.id not in candidates]
        candidate = input_dict["candidate"][0]
        latest = [(model, blessing) for model, blessing in others[-1:] if _comparable(model, candidate)]
        return {
            "model": [model for model, _ in latest],
            "model_blessing": [blessing for _, blessing in latest],
            "candidate": input_dict["candidate"],
        }


def _comparable(model: artifact.Artifact, candidate: artifact.Artifact) -> bool:
    """Return whether the candidate's rows can be given to the model too, and its answers compared."""
    try:
        inputs, outputs = _signature(model)
    except OSError as error:
        LOGGER.warning("no baseline: model %s cannot be read: %s", model.id, error)
        return False
    wanted, answers = _signature(candidate)
    changed = sorted(name for name in inputs.keys() & wanted.keys() if inputs[name].dtype != wanted[name].dtype)
    changed += sorted(name for name in answers if outputs.get(name) != answers[name])
    if changed:
        LOGGER.warning("no baseline: model %s has other types than the candidate, of %s", model.id, ", ".join(changed))
    return not changed


def _signature(model: artifact.Artifact) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the raw features of a model as TensorInfo protos, and type and shape of its answers, both by name."""
    saved = loader_impl.parse_saved_model(path_utils.serving_model_path(model.uri))
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    kinds = {name: (info.dtype, str(info.tensor_shape)) for name, info in signature.outputs.items()}
    return signature.inputs, kinds
