"""The same features in TFLite's operations."""

import json

import numpy as np
import pytest
import tensorflow as tf

from models import _on_device, _transforms, _wanted
from serving.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def learned(analyzed):
    return _transforms.learned(analyzed.graph, analyzed.transform, analyzed.wanted)


def test_every_feature_is_that_of_the_transform_graph(analyzed, learned):
    spec = analyzed.graph.raw_feature_spec
    impossible = {sentence.split(":")[0] for sentence in _on_device.obstacles(analyzed.wanted, spec)}
    assert impossible == {"town", "size", "user", "device", "seen", "born"}
    wanted = [output for output in analyzed.wanted if output.column not in impossible]
    found = _on_device.OnDevice(wanted, learned, spec)(analyzed.columns)
    assert set(found) == {output.name for output in wanted}
    for name, values in found.items():
        assert values.dtype == analyzed.features[name].dtype
        np.testing.assert_allclose(values, analyzed.features[name], atol=2e-6, err_msg=name)


def test_the_recipe_means_the_same_in_numpy(analyzed, learned, tmp_path):
    recipe = _transforms.recipe(analyzed.wanted, learned, analyzed.graph.raw_feature_spec)
    (tmp_path / "preprocessing.json").write_text(json.dumps(recipe))
    columns = {name: values.numpy() for name, values in analyzed.columns.items()}
    found = Preprocessing(tmp_path / "preprocessing.json")(columns)
    for name, values in analyzed.features.items():
        np.testing.assert_allclose(found[name], values, atol=2e-6, err_msg=name)


def test_what_tflite_cannot_do_is_named():
    spec = {"city": tf.io.VarLenFeature(tf.string), "price": tf.io.VarLenFeature(tf.float32)}
    plan = {"city": [{"kind": "vocabulary", "oov_buckets": 3}], "price": [{"kind": "vocabulary"}]}
    found = _on_device.obstacles(_wanted.outputs(spec, ["city", "price"], plan), spec)
    assert [line.split(":")[0] for line in found] == ["city", "price"]
