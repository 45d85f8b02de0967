"""The baseline of the gate: the latest blessed model that is not the candidate itself.

TFX's own LatestBlessedModelStrategy returns the candidate when it was blessed before, for instance in a run with
nothing changed. The candidate is then compared with itself, which proves nothing, and the Evaluator's inputs change
after every run, so that its cache never hits.
"""

from ml_metadata import MetadataStore
from tfx.components.evaluator import constants
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.types import artifact

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
        blessings = {
            blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): blessing
            for blessing in sorted(input_dict["model_blessing"], key=lambda blessing: blessing.id)
            if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == 1
        }
        models = [model for model in input_dict["model"] if model.id in blessings and model.id not in candidates]
        # By blessing, not by model: a model that came back from the cache and was blessed again is the latest.
        models.sort(key=lambda model: blessings[model.id].id)
        latest = models[-1:]
        return {
            "model": latest,
            "model_blessing": [blessings[model.id] for model in latest],
            "candidate": input_dict["candidate"],
        }
