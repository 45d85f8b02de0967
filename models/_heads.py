"""The end of a network: dense layers, and for each task the last one, loss, metrics and the names of its outputs."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from models import _export, _labels, _meanings

LOSSES = {"binary": "binary_crossentropy", "multiclass": "sparse_categorical_crossentropy", "regression": "mse"}
METRICS = {
    "binary": lambda: [keras.metrics.AUC(name="auc"), keras.metrics.BinaryAccuracy(name="accuracy")],
    "multiclass": lambda: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    "regression": lambda: [
        keras.metrics.RootMeanSquaredError(name="rmse"),
        keras.metrics.MeanAbsoluteError(name="mae"),
    ],
}


def dense_layers(
    x: Any, count: int, units: int, dropout: float, rows: Callable[[], _meanings.Rows] | None = None
) -> Any:
    """Return x [n, values] behind `count` dense layers with dropout, [n, units]; without any as it was.

    Args:
        x: what the first one sees.
        count: of layers.
        units: of each.
        dropout: behind each.
        rows: what the values of x stand for.
    """
    for number in range(count):
        layer = keras.layers.Dense(units, activation="relu")
        x = (layer if number else _meanings.mark(layer, rows))(x)
        x = keras.layers.Dropout(dropout)(x)
    return x


def answers(config: Mapping[str, Any], transform: tft.TFTransformOutput) -> list[str]:
    """Return what the numbers of the last layer stand for: one a class, one for a binary label and for a regression."""
    label, classes = config["label"], _labels.classes(config, transform)
    if label["task"] == "multiclass":
        return [f"{label['name']}: {name}" for name in classes]
    return [f"{label['name']}: {' or '.join(classes)}" if classes else label["name"]]


def dense(answers: list[str], name: str, rows: Callable[[], _meanings.Rows] | None = None) -> keras.layers.Dense:
    """Return a last dense layer.

    Args:
        answers: what its numbers stand for.
        name: of the layer.
        rows: what the values that it sees stand for.
    """
    return _meanings.mark(keras.layers.Dense(len(answers), name=name), rows, answers)


def output(logits: Any, task: str, labels: np.ndarray) -> Any:
    """Turn the last layer [n, units] into the answer: [n], for several classes probabilities [n, classes].

    Args:
        logits: before any activation.
        task: of the label.
        labels: those of the train split, [rows]; a regression answers in their unit.
    """
    # float32 whatever the precision of the layers before it: a probability in half precision is none.
    if task == "multiclass":
        return keras.layers.Activation("softmax", dtype="float32")(logits)
    if task == "regression":
        # The network works around 0 with deviation 1 whatever the label's unit is.
        unit = keras.layers.Rescaling(float(labels.std()) or 1.0, float(labels.mean()), dtype="float32")
        return keras.ops.squeeze(unit(logits), -1)
    return keras.ops.squeeze(keras.layers.Activation("sigmoid", dtype="float32")(logits), -1)


def compiled(model: keras.Model, task: str, optimizer: keras.optimizers.Optimizer) -> keras.Model:
    """Compile a model for its task, and return it."""
    model.compile(
        optimizer=optimizer,
        loss=LOSSES[task],
        # Unweighted, so that a figure means the same with and without class weights.
        metrics=METRICS[task](),
        # XLA compiles for longer than these networks train on a CPU.
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )
    # A train step that makes no variables is traced once and not twice.
    model.optimizer.build(model.trainable_variables)
    return model


def answer(model: keras.Model, config: Mapping[str, Any], transform: tft.TFTransformOutput) -> _export.Answer:
    """Return the function from transformed features to the named outputs that the signatures share."""
    label, task = _labels.name(config), config["label"]["task"]

    def network(features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        # Said, not left out: Keras's layers that move pictures take a call for training unless they are told.
        return model({name: value for name, value in features.items() if name != label}, training=False)

    if task == "multiclass":
        names = tf.constant(_labels.classes(config, transform))

        def named(features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            probabilities = network(features)
            return {"probabilities": probabilities, "label": tf.gather(names, tf.argmax(probabilities, axis=-1))}

        return named
    name = "probability" if task == "binary" else "prediction"
    return lambda features: {name: network(features)}
