"""The baseline is the latest blessed model, and never the candidate."""

import pytest
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from components._baseline import BaselineStrategy


def _model(number):
    model = standard_artifacts.Model()
    model.id = number
    return model


def _blessing(number, model, blessed=1):
    blessing = standard_artifacts.ModelBlessing()
    blessing.id = number
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
    return blessing


@pytest.mark.parametrize(
    ("blessings", "candidate", "baseline"),
    [
        ([], 1, []),
        ([(10, 1, 1)], 1, []),
        ([(10, 1, 1), (11, 2, 1)], 2, [1]),
        ([(10, 1, 1), (11, 2, 0)], 3, [1]),
        ([(10, 1, 1), (11, 2, 1), (12, 1, 1)], 3, [1]),
        ([(12, 1, 1), (11, 2, 1)], 1, [2]),
    ],
)
def test_the_latest_blessed_model_but_the_candidate_is_the_baseline(blessings, candidate, baseline):
    found = BaselineStrategy().resolve_artifacts(
        None,
        {
            "model": [_model(number) for number in (3, 1, 2)],
            "model_blessing": [_blessing(*blessing) for blessing in blessings],
            "candidate": [_model(candidate)],
        },
    )
    assert [model.id for model in found["model"]] == baseline
