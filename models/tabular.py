"""Any table: numbers, strings and ids in; a binary, multi-class or regression answer out.

Everything comes from `custom_config`; nothing here knows a dataset. The network is wide and deep: a linear part over
every id and number, and a stack of dense layers over embedded ids and numbers, added before the last activation.

Source: Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016.
"""

import math
import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import _export, _inputs, _labels, _on_device, _progress, _raw, _search, _transforms
from models._distillation import Distiller
from models._transform_graph import TransformGraph

DEFAULTS = {
    "learning_rate": 1e-3,
    "hidden_layers": 2,
    "hidden_units": 64,
    "dropout": 0.1,
    "embedding_factor": 1.0,
}


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Turn raw features into numbers [n] (float32) and ids [n] (int64), and the label into [n].

    Args:
        inputs: raw features by name, SparseTensor or Tensor.
        custom_config: `label`, and `features` with `exclude` and the transforms by column.
    """
    label = custom_config["label"]
    raw_spec = {name: _raw.spec_of(feature) for name, feature in inputs.items()}
    names = _raw.feature_names(raw_spec, custom_config)
    columns = _raw.as_columns(inputs, [*names, label["name"]])
    outputs = {_labels.name(custom_config): _labels.ids(columns.pop(label["name"]), label)}
    wanted = _transforms.outputs(raw_spec, names, custom_config["features"]["columns"])
    return outputs | _transforms.transformed(columns, wanted)


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Return the tuner for the search space of the config, and what its `search` takes."""
    config = fn_args.custom_config
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    train, evaluation = _splits(fn_args, TransformGraph(transform))
    training, search = config["training"], config["tuner"]
    keras.utils.set_random_seed(training["seed"])

    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        return build_model(transform, config, {**DEFAULTS, **config["hyperparameters"], **hp.values}, train.labels())

    tuner = _search.random_search(build, search, fn_args.working_dir)
    fit = {
        "x": train.batches(training["batch_size"], weights=_weights(config, train), seed=training["seed"]),
        "validation_data": evaluation.batches(training["eval_batch_size"]),
        "epochs": search["epochs"],
        "callbacks": [_early_stopping(search["patience"])],
        "verbose": 0,
    }
    return TunerFnResult(tuner=tuner, fit_kwargs=fit)


def run_fn(fn_args: FnArgs) -> None:
    """Train with the best hyperparameters found, or the config's own, and export to `fn_args.serving_model_dir`."""
    config = fn_args.custom_config
    training = config["training"]
    keras.utils.set_random_seed(training["seed"])
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    graph = TransformGraph(transform)
    train, evaluation = _splits(fn_args, graph)
    found = (fn_args.hyperparameters or {}).get("values", {})
    hp = {**DEFAULTS, **config["hyperparameters"], **found}
    model = build_model(transform, config, hp, train.labels())
    _fit(model, train, evaluation, config, fn_args.model_run_dir)
    if distillation := training.get("distillation"):
        student = build_model(transform, config, {**hp, **distillation["student"]}, train.labels())
        rates = {key: distillation[key] for key in ("temperature", "weight")}
        distiller = Distiller(student, model, config["label"]["task"], **rates)
        _compile(distiller, config["label"]["task"], hp["learning_rate"])
        _fit(distiller, train, evaluation, config, os.path.join(fn_args.model_run_dir, "student"))
        model = student
    answer = _answer(model, config, transform)
    examples = _inputs.first_examples(fn_args.eval_files, _export.SAMPLE_ROWS)
    mobile = _mobile(graph, transform, config) if config["mobile"] else None
    _export.export(model, graph, answer, config, examples, fn_args.serving_model_dir, mobile)


def _fit(
    model: keras.Model, train: _inputs.Split, evaluation: _inputs.Split, config: Mapping[str, Any], log_dir: str
) -> None:
    training = config["training"]
    model.fit(
        train.batches(training["batch_size"], weights=_weights(config, train), seed=training["seed"]),
        validation_data=evaluation.batches(training["eval_batch_size"]),
        epochs=training["epochs"],
        callbacks=[
            _early_stopping(training["patience"]),
            keras.callbacks.TensorBoard(log_dir, write_graph=False),
            _progress.EpochProgress(),
        ],
        verbose=0,
    )


def build_model(
    transform: tft.TFTransformOutput, config: Mapping[str, Any], hp: Mapping[str, Any], labels: np.ndarray
) -> keras.Model:
    """Build and compile the network: a dict of transformed features, each [n], to [n] or, multi-class, [n, classes].

    Args:
        transform: its schema says which transformed features are ids, and how many values each has.
        config: `label` and `training` of custom_config.
        hp: a value for every key of `DEFAULTS`.
        labels: those of the train split, [rows]; a regression answers in their unit.
    """
    task = config["label"]["task"]
    units = len(_labels.classes(config, transform)) if task == "multiclass" else 1
    numbers, sizes = _transformed_features(transform, _labels.name(config))
    inputs = {name: keras.Input((), name=name, dtype="float32") for name in numbers}
    inputs |= {name: keras.Input((), name=name, dtype="int64") for name in sizes}
    dense = [keras.ops.stack([inputs[name] for name in numbers], axis=-1)] if numbers else []
    ids = {name: inputs[name] for name in sizes}
    output = _activation(task, labels)(
        keras.layers.add([_wide(dense, ids, sizes, units), _deep(dense, ids, sizes, hp, units)])
    )
    model = keras.Model(inputs, output if task == "multiclass" else keras.ops.squeeze(output, -1))
    _compile(model, task, hp["learning_rate"])
    return model


def _compile(model: keras.Model, task: str, learning_rate: float) -> None:
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=LOSSES[task],
        # Unweighted, so that a figure means the same with and without class weights.
        metrics=METRICS[task](),
        # XLA compiles for longer than these networks train on a CPU.
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )
    # A train step that makes no variables is traced once and not twice.
    model.optimizer.build(model.trainable_variables)


LOSSES = {"binary": "binary_crossentropy", "multiclass": "sparse_categorical_crossentropy", "regression": "mse"}
METRICS = {
    "binary": lambda: [keras.metrics.AUC(name="auc"), keras.metrics.BinaryAccuracy(name="accuracy")],
    "multiclass": lambda: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    "regression": lambda: [
        keras.metrics.RootMeanSquaredError(name="rmse"),
        keras.metrics.MeanAbsoluteError(name="mae"),
    ],
}


def _wide(dense: list[Any], ids: Mapping[str, Any], sizes: Mapping[str, int], units: int) -> Any:
    """Return the linear part [n, units]: one weight per id and one per number."""
    parts = [keras.layers.Dense(units, name="wide_numbers")(numbers) for numbers in dense]
    if ids:
        parts.append(keras.ops.sum(_embedded(ids, sizes, units, "wide_ids", initializer="zeros"), axis=1))
    return keras.layers.add(parts) if len(parts) > 1 else parts[0]


def _deep(dense: list[Any], ids: Mapping[str, Any], sizes: Mapping[str, int], hp: Mapping[str, Any], units: int) -> Any:
    """Return the deep part [n, units]."""
    by_width: dict[int, dict[str, Any]] = defaultdict(dict)
    for name, values in ids.items():
        by_width[_width(sizes[name], hp)][name] = values
    parts = list(dense)
    for width, group in sorted(by_width.items()):
        parts.append(keras.layers.Flatten()(_embedded(group, sizes, width, f"embedding_{width}")))
    x = keras.layers.concatenate(parts) if len(parts) > 1 else parts[0]
    for _ in range(hp["hidden_layers"]):
        x = keras.layers.Dense(hp["hidden_units"], activation="relu")(x)
        x = keras.layers.Dropout(hp["dropout"])(x)
    return keras.layers.Dense(units, name="deep")(x)


def _embedded(
    ids: Mapping[str, Any], sizes: Mapping[str, int], width: int, name: str, initializer: str = "uniform"
) -> Any:
    """Return the embeddings of several features [n, features, width], each from its own rows of one table.

    One table has one variable, one lookup and one optimizer slot, whatever the number of features.
    """
    offsets = np.cumsum([0, *(sizes[feature] for feature in ids)])
    pairs = zip(ids.values(), offsets.tolist(), strict=False)
    rows = keras.ops.stack([values + offset for values, offset in pairs], axis=-1)
    return keras.layers.Embedding(int(offsets[-1]), width, embeddings_initializer=initializer, name=name)(rows)


def _width(size: int, hp: Mapping[str, Any]) -> int:
    """Return the width of an embedding: the fourth root of the number of ids, scaled; at least 2."""
    return max(2, math.ceil(hp["embedding_factor"] * size**0.25))


def _activation(task: str, labels: np.ndarray) -> keras.layers.Layer:
    if task == "regression":
        # The network works around 0 with deviation 1 whatever the label's unit is.
        return keras.layers.Rescaling(float(labels.std()) or 1.0, float(labels.mean()))
    return keras.layers.Activation("softmax" if task == "multiclass" else "sigmoid")


def _transformed_features(transform: tft.TFTransformOutput, label: str) -> tuple[list[str], dict[str, int]]:
    """Return the names of the numbers, and of the ids with how many values each can take."""
    numbers, sizes = [], {}
    for feature in transform.transformed_metadata.schema.feature:
        if feature.name == label:
            continue
        if feature.int_domain.is_categorical:
            sizes[feature.name] = feature.int_domain.max + 1
        else:
            numbers.append(feature.name)
    return sorted(numbers), dict(sorted(sizes.items()))


def _answer(model: keras.Model, config: Mapping[str, Any], transform: tft.TFTransformOutput) -> _export.Answer:
    """Return the function from transformed features to the named outputs that the signatures share."""
    task = config["label"]["task"]
    if task == "multiclass":
        names = tf.constant(_labels.classes(config, transform))

        def named(features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            probabilities = model(_without_label(features, config))
            return {"probabilities": probabilities, "label": tf.gather(names, tf.argmax(probabilities, axis=-1))}

        return named
    output = "probability" if task == "binary" else "prediction"
    return lambda features: {output: model(_without_label(features, config))}


def _mobile(graph: TransformGraph, transform: tft.TFTransformOutput, config: Mapping[str, Any]) -> _export.Mobile:
    raw_spec = graph.raw_feature_spec
    names = _raw.feature_names(raw_spec, config)
    wanted = _transforms.outputs(raw_spec, names, config["features"]["columns"])
    learned = _transforms.learned(graph, transform, wanted)
    numbers, sizes = _transformed_features(transform, _labels.name(config))
    spec = {name: tf.TensorSpec([None], tf.float32, name=name) for name in numbers}
    spec |= {name: tf.TensorSpec([None], tf.int64, name=name) for name in sizes}
    obstacles = _on_device.obstacles(wanted, raw_spec)
    on_device = None if obstacles else _on_device.OnDevice(wanted, learned, raw_spec)
    classes = [] if config["label"]["task"] == "regression" else _labels.classes(config, transform)
    recipe = _transforms.recipe(wanted, learned, raw_spec) | {"obstacles": obstacles, "classes": classes}
    return _export.Mobile(spec, on_device, recipe)


def _without_label(features: Mapping[str, tf.Tensor], config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    return {name: value for name, value in features.items() if name != _labels.name(config)}


def _splits(fn_args: FnArgs, graph: TransformGraph) -> tuple[_inputs.Split, _inputs.Split]:
    label = _labels.name(fn_args.custom_config)
    train = _inputs.read_split(fn_args.train_files, graph, label)
    return train, _inputs.read_split(fn_args.eval_files, graph, label)


def _weights(config: Mapping[str, Any], train: _inputs.Split) -> np.ndarray | None:
    if config["training"]["class_weight"] != "balanced":
        return None
    labels = train.labels()
    return _inputs.balanced_weights(labels, int(labels.max()) + 1)


def _early_stopping(patience: int) -> keras.callbacks.Callback:
    return keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
