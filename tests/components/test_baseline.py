"""The baseline is the latest blessed model, never the candidate, and one that can be compared with it."""

import shutil

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from components._baseline import BaselineStrategy


@pytest.fixture
def saved(tmp_path):
    """Returns a function that makes the artifact of a model: its id, the types of its raw features, its classes."""

    def make(number, inputs=(("fare", types_pb2.DT_FLOAT),), classes=3):
        signature = saved_model_pb2.SavedModel()
        door = signature.meta_graphs.add().signature_def["serving_default"]
        for name, dtype in inputs:
            door.inputs[name].dtype = dtype
        door.outputs["probabilities"].dtype = types_pb2.DT_FLOAT
        for size in (-1, classes):
            door.outputs["probabilities"].tensor_shape.dim.add(size=size)
        model = standard_artifacts.Model()
        model.id, model.uri = number, str(tmp_path / str(number))
        folder = tmp_path / str(number) / "Format-Serving"
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(signature.SerializeToString())
        return model

    return make


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
def test_the_latest_blessed_model_but_the_candidate_is_the_baseline(saved, blessings, candidate, baseline):
    models = {number: saved(number) for number in (3, 1, 2)}
    found = BaselineStrategy().resolve_artifacts(
        None,
        {
            "model": list(models.values()),
            "model_blessing": [_blessing(*blessing) for blessing in blessings],
            "candidate": [models[candidate]],
        },
    )
    assert [model.id for model in found["model"]] == baseline


@pytest.mark.parametrize(
    ("older", "baseline", "said"),
    [
        ({}, [1], ""),
        ({"inputs": [("fare", types_pb2.DT_FLOAT), ("gone", types_pb2.DT_INT64)]}, [1], ""),
        ({"inputs": [("fare", types_pb2.DT_INT64)]}, [], "of fare"),
        ({"classes": 4}, [], "of probabilities"),
        (None, [], "cannot be read"),
    ],
    ids=["alike", "a column less", "another type", "another class", "deleted"],
)
def test_a_model_that_cannot_be_compared_is_no_baseline(saved, caplog, older, baseline, said):
    model = saved(1, **older or {})
    if older is None:
        shutil.rmtree(model.uri)
    channels = {"model": [model], "model_blessing": [_blessing(10, 1)], "candidate": [saved(2)]}
    found = BaselineStrategy().resolve_artifacts(None, channels)
    assert [model.id for model in found["model"]] == baseline
    assert [blessing.id for blessing in found["model_blessing"]] == [10] * len(baseline)
    assert said in caplog.text
