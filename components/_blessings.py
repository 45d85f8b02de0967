"""Which models were blessed, and when: what the baseline and a warm start are chosen from."""

from collections.abc import Sequence

from tfx.components.evaluator import constants
from tfx.types import artifact


def blessed(
    models: Sequence[artifact.Artifact], blessings: Sequence[artifact.Artifact]
) -> list[tuple[artifact.Artifact, artifact.Artifact]]:
    """Return the models that were blessed, each with its last blessing, in the order of these.

    By blessing, not by model: a model that came back from the cache and was blessed again is the latest.

    Args:
        models: all there are.
        blessings: all there are, the refused ones too.
    """
    last = {
        blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): blessing
        for blessing in sorted(blessings, key=lambda blessing: blessing.id)
        if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == 1
    }
    found = [(model, last[model.id]) for model in models if model.id in last]
    return sorted(found, key=lambda pair: pair[1].id)
