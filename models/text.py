"""Texts: a linear network or an MLP on bags of n-grams, an average or a CNN over tokens; a class or a number out.

Which of them is `network`, a hyperparameter. A bag is pooled by an embedding with the weights of its n-grams, brought
to length 1: the first layer of a network on the sparse vector, without the vector.

Sources: Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016 (average); Kim, "Convolutional Neural
Networks for Sentence Classification", 2014 (cnn).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import _heads, _meanings, _on_device, _preprocessing, _training, _wanted, _words

DEFAULTS = {
    "network": "linear",
    "learning_rate": 0.01,
    "hidden_layers": 1,
    "hidden_units": 64,
    "dropout": 0.2,
    "embedding_units": 64,
    "filters": 64,
    "kernel_size": 4,
}
# What a search without a `tuner.space` searches, in its form: the networks for bags. Of another `network`, which the
# config fixes, the learning rate and the batch size are searched.
SPACE: dict[str, dict[str, Any]] = {
    "network": {"choice": ["linear", "mlp"]},
    "learning_rate": {"float": {"min": 0.001, "max": 0.03, "sampling": "log"}},
    "batch_size": {"choice": [32, 64, 128]},
    "hidden_layers": {"int": {"min": 1, "max": 2}, "when": {"network": "mlp"}},
    "hidden_units": {"choice": [32, 64, 128], "when": {"network": "mlp"}},
    "dropout": {"choice": [0.0, 0.2, 0.5], "when": {"network": "mlp"}},
}


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Turn raw texts into bags or ids of tokens [n, length], and the label into [n].

    Takes what `_preprocessing.preprocess` takes, and raises ValueError for what it refuses and for a column that is
    neither a text nor excluded.
    """
    plan, exclude = custom_config["features"]["columns"], custom_config["features"]["exclude"]
    for name in sorted(inputs.keys() - {custom_config["label"]["name"], *exclude}):
        kinds = [transform["kind"] for transform in plan.get(name, ())]
        if not kinds or set(kinds) - set(_wanted.WORDS_OF_TEXTS):
            raise ValueError(
                f"features.columns.{name}: the model text reads texts only, got {', '.join(kinds) or 'no transform'}; "
                "give the column the transform text or tokens, or list it under features.exclude"
            )
    return _preprocessing.preprocess(inputs, custom_config)


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Return the tuner for the search space of the config, and what its `search` takes."""
    return _training.search(fn_args, build_model, DEFAULTS)


def run_fn(fn_args: FnArgs) -> None:
    """Train with the best hyperparameters found, or the config's own, and export to `fn_args.serving_model_dir`."""
    _training.train(fn_args, build_model, DEFAULTS, _on_device.for_phones)


def build_model(
    transform: tft.TFTransformOutput, config: Mapping[str, Any], hp: Mapping[str, Any], labels: np.ndarray
) -> keras.Model:
    """Build the network: a dict of transformed features, each [n, length], to [n] or [n, classes].

    The arguments are those of `_training.Build`, with a value in `hp` for every key of `DEFAULTS`.

    Raises:
        ValueError: there is no such network, or the columns are not what it reads.
    """
    task, answers = config["label"]["task"], _heads.answers(config, transform)
    bags, tokens = _words.bags(transform), _words.tokens(transform)
    _require_readable(hp["network"], bags, tokens)
    if hp["network"] == "linear":
        inputs = _words.bag_inputs(bags)
        logits = _words.pooled_bags(inputs, transform, bags, answers, "linear", initializer="zeros")
    elif hp["network"] == "mlp":
        inputs = _words.bag_inputs(bags)
        first = keras.layers.Activation("relu")(
            _words.pooled_bags(inputs, transform, bags, hp["hidden_units"], "first")
        )
        logits = _hidden(keras.layers.Dropout(hp["dropout"])(first), hp, hp["hidden_layers"] - 1, answers)
    else:
        inputs = {name: keras.Input((length,), name=name, dtype="int64") for name, (_, length) in tokens.items()}
        parts = [
            SEQUENCES[hp["network"]](inputs[name], _embedded(inputs[name], transform, words, hp), hp)
            for name, (words, _) in tokens.items()
        ]
        rows = partial(_meanings.numbered, {name: part.shape[-1] for name, part in zip(tokens, parts, strict=True)})
        pooled = keras.layers.concatenate(parts) if len(parts) > 1 else parts[0]
        logits = _hidden(pooled, hp, hp["hidden_layers"], answers, rows)
    return keras.Model(inputs, _heads.output(logits, task, labels))


def _hidden(
    x: Any,
    hp: Mapping[str, Any],
    layers: int,
    answers: list[str],
    rows: Callable[[], _meanings.Rows] | None = None,
) -> Any:
    x = _heads.dense_layers(x, layers, hp["hidden_units"], hp["dropout"], rows)
    return _heads.dense(answers, "logits", None if layers else rows)(x)


def _embedded(ids: Any, transform: tft.TFTransformOutput, words: int, hp: Mapping[str, Any]) -> Any:
    """Return the embeddings [n, length, embedding_units] of the tokens of one feature, ids [n, length]."""
    table = keras.layers.Embedding(words, hp["embedding_units"], name=f"{ids.name}_table")
    return _meanings.mark(table, partial(_meanings.tokens, transform, ids.name))(ids)


def _average(ids: Any, embedded: Any, hp: Mapping[str, Any]) -> Any:
    """Return the mean [n, embedding_units] over the tokens of each row [n, length]; 0 for a row that has none."""
    there = keras.ops.cast(keras.ops.not_equal(ids, 0), "float32")[..., None]
    total = keras.ops.sum(embedded * there, axis=1)
    return total / keras.ops.maximum(keras.ops.sum(there, axis=1), 1.0)


def _cnn(ids: Any, embedded: Any, hp: Mapping[str, Any]) -> Any:
    """Return how much of each filter's pattern is anywhere in a row, [n, filters]."""
    x = keras.layers.Dropout(hp["dropout"])(embedded)
    size = (hp["filters"], hp["kernel_size"])
    x = keras.layers.Conv1D(*size, padding="same", activation="relu", name=f"{ids.name}_filters")(x)
    return keras.layers.Dropout(hp["dropout"])(keras.layers.GlobalMaxPooling1D()(x))


SEQUENCES = {"average": _average, "cnn": _cnn}
READS = {"linear": "text", "mlp": "text", **dict.fromkeys(SEQUENCES, "tokens")}


def _require_readable(network: str, bags: Mapping[str, Any], tokens: Mapping[str, Any]) -> None:
    if network not in READS:
        raise ValueError(f"network: no such network, got {network!r}; there are {', '.join(READS)}")
    unread = list(tokens if READS[network] == "text" else bags)
    if unread:
        raise ValueError(
            f"network: {network} reads what the transform {READS[network]} makes, got {', '.join(unread)}; "
            f"give every column the transform {READS[network]} alone, or take another network"
        )
