"""A training in half precision or with a strategy ends in the same kind of export: float32, for servers and phones."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import _fitting, _runtime, tabular

FLOAT32 = {"precision": "float32", "strategy": "auto"}


@pytest.mark.parametrize(
    ("half", "strategy"),
    [
        ({"precision": "mixed_float16", "strategy": "auto"}, "one"),
        ({"precision": "mixed_bfloat16", "strategy": "mirrored"}, "mirrored"),
    ],
    ids=["float16", "bfloat16 mirrored"],
)
def test_what_was_trained_in_half_precision_is_exported_in_full(half, strategy, head, tmp_path, monkeypatch):
    fitted, fit, plain = [], _fitting.fit, head("binary").arguments
    arguments = copy.copy(plain)
    arguments.custom_config = copy.deepcopy(plain.custom_config) | {"mobile": True}
    arguments.custom_config["training"] |= half | {"epochs": 2}
    arguments.serving_model_dir, arguments.model_run_dir = str(tmp_path / "model"), str(tmp_path / "run")
    monkeypatch.setattr(
        _fitting, "fit", lambda model, *args, **kwargs: fitted.append(model) or fit(model, *args, **kwargs)
    )
    tabular.run_fn(arguments)
    (model,) = fitted
    dense = {layer.compute_dtype for layer in model.layers if isinstance(layer, keras.layers.Dense)}
    assert dense == {half["precision"].removeprefix("mixed_")}
    assert model.output.dtype == "float32"
    assert isinstance(model.distribute_strategy, tf.distribute.MirroredStrategy) == (strategy == "mirrored")
    assert keras.config.dtype_policy().name == "float32", "nothing is left behind"

    exported = tf.saved_model.load(arguments.serving_model_dir)
    for signature in exported.signatures.values():
        assert {output.dtype for output in signature.structured_outputs.values()} <= {tf.float32, tf.int64, tf.string}
    features, served = _answers(exported, arguments)
    close = model.predict(features, verbose=0)
    np.testing.assert_allclose(served, close, atol=0.02)
    converter = tf.lite.TFLiteConverter.from_saved_model(arguments.serving_model_dir, ["serving_transformed"])
    runner = tf.lite.Interpreter(model_content=converter.convert()).get_signature_runner()
    row = {name: values[:1] for name, values in features.items()}
    (answer,) = runner(**row).values()
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, served[:1], atol=1e-5)


def _answers(exported, arguments):
    """Return the features of rows of the eval split, and what the export's network answers."""
    (file,) = tf.io.gfile.glob(arguments.eval_files[0])
    records = list(tf.data.TFRecordDataset(file, "GZIP").take(50).as_numpy_iterator())
    features = dict(exported.signatures["transform_features"](tf.constant(records)))
    wanted = exported.signatures["serving_transformed"].structured_input_signature[1]
    features = {name: features[name].numpy() for name in wanted}
    (served,) = exported.signatures["serving_transformed"](**{k: tf.constant(v) for k, v in features.items()}).values()
    return features, served.numpy()


def test_one_device_is_left_as_it_is_and_its_networks_compute_as_anywhere():
    assert _runtime.strategy("auto") is _runtime.strategy("one") is tf.distribute.get_strategy()
    assert _runtime.is_plain(FLOAT32)
    assert not _runtime.is_plain({**FLOAT32, "precision": "mixed_bfloat16"})
    assert not _runtime.is_plain({**FLOAT32, "strategy": "mirrored"})
