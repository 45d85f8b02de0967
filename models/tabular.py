"""Any table: numbers, strings and ids in; a binary, multi-class or regression answer out.

Everything comes from `custom_config`; nothing here knows a dataset. The network is wide and deep: a linear part over
every id, number and n-gram of a text, and a stack of dense layers over embedded ids, numbers and texts, added before
the last activation. `architecture`, a hyperparameter, can leave one of the two out.

Source: Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import _heads, _labels, _on_device, _preprocessing, _training, _transforms, _words

# By name, the parts that are added.
ARCHITECTURES = {"linear": ("wide",), "wide_and_deep": ("wide", "deep"), "deep": ("deep",)}
DEFAULTS = {
    "architecture": "wide_and_deep",
    "learning_rate": 1e-3,
    "hidden_layers": 2,
    "hidden_units": 64,
    "dropout": 0.1,
    "embedding_factor": 1.0,
}
# What a search without a `tuner.space` searches, in its form.
SPACE: dict[str, dict[str, Any]] = {
    "learning_rate": {"float": {"min": 0.001, "max": 0.03, "sampling": "log"}},
    "batch_size": {"choice": [16, 32, 64, 128]},
    "hidden_layers": {"int": {"min": 1, "max": 3}},
    "hidden_units": {"choice": [16, 32, 64, 128]},
    "dropout": {"choice": [0.0, 0.1, 0.3, 0.5]},
    "embedding_factor": {"choice": [0.5, 1.0, 2.0]},
}


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Turn raw features into numbers [n] (float32), ids [n] (int64) and bags [n, length], and the label into [n].

    Takes what `_preprocessing.preprocess` takes, and raises ValueError for what it refuses and for tokens.
    """
    for name, transforms in custom_config["features"]["columns"].items():
        if any(transform["kind"] == "tokens" for transform in transforms):
            raise ValueError(
                f"features.columns.{name}: the model tabular reads a text as a bag, got tokens; write text instead, or "
                "take the model text"
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
    """Build the network: a dict of transformed features, each [n], to [n] or, multi-class, [n, classes].

    A text is two of them, each [n, length]: n-grams and their weights. The arguments are those of `_training.Build`,
    with a value in `hp` for every key of `DEFAULTS`.

    Raises:
        ValueError: there is no such architecture.
    """
    wanted = _parts(hp["architecture"])
    task = config["label"]["task"]
    units = _heads.units(config, transform)
    bags = _words.bags(transform)
    numbers, sizes = _transformed_features(transform, _labels.name(config), bags)
    inputs = {name: keras.Input((), name=name, dtype="float32") for name in numbers}
    inputs |= {name: keras.Input((), name=name, dtype="int64") for name in sizes}
    inputs |= _words.bag_inputs(bags)
    dense = [keras.ops.stack([inputs[name] for name in numbers], axis=-1)] if numbers else []
    ids = {name: inputs[name] for name in sizes}
    parts = []
    if "wide" in wanted:
        texts = [_words.pooled_bags(inputs, bags, units, "wide_text", initializer="zeros")] if bags else []
        parts.append(_wide(dense, ids, sizes, units, texts))
    if "deep" in wanted:
        texts = [
            _words.pooled_bags(inputs, {key: bag}, _width(bag[0], hp), f"embedding_{key}") for key, bag in bags.items()
        ]
        parts.append(_deep(dense, ids, sizes, hp, units, texts))
    logits = keras.layers.add(parts) if len(parts) > 1 else parts[0]
    return keras.Model(inputs, _heads.output(logits, task, labels))


def _parts(architecture: str) -> tuple[str, ...]:
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture: no such network, got {architecture!r}; there are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[architecture]


def _wide(dense: list[Any], ids: Mapping[str, Any], sizes: Mapping[str, int], units: int, texts: list[Any]) -> Any:
    """Return the linear part [n, units]: one weight per id, one per number and one per n-gram."""
    parts = [keras.layers.Dense(units, name="wide_numbers")(numbers) for numbers in dense] + texts
    if ids:
        parts.append(keras.ops.sum(_embedded(ids, sizes, units, "wide_ids", initializer="zeros"), axis=1))
    return keras.layers.add(parts) if len(parts) > 1 else parts[0]


def _deep(
    dense: list[Any],
    ids: Mapping[str, Any],
    sizes: Mapping[str, int],
    hp: Mapping[str, Any],
    units: int,
    texts: list[Any],
) -> Any:
    """Return the deep part [n, units]."""
    by_width: dict[int, dict[str, Any]] = defaultdict(dict)
    for name, values in ids.items():
        by_width[_width(sizes[name], hp)][name] = values
    parts = [*dense, *texts]
    for width, group in sorted(by_width.items()):
        parts.append(keras.layers.Flatten()(_embedded(group, sizes, width, f"embedding_{width}")))
    x = keras.layers.concatenate(parts) if len(parts) > 1 else parts[0]
    x = _heads.dense_layers(x, hp["hidden_layers"], hp["hidden_units"], hp["dropout"])
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


def _transformed_features(
    transform: tft.TFTransformOutput, label: str, bags: Iterable[str]
) -> tuple[list[str], dict[str, int]]:
    """Return the names of the numbers, and of the ids with how many values each can take."""
    numbers, sizes = [], {}
    texts = {name for bag in bags for name in (bag, _transforms.weights_of(bag))}
    for feature in transform.transformed_metadata.schema.feature:
        if feature.name == label or feature.name in texts:
            continue
        if feature.int_domain.is_categorical:
            sizes[feature.name] = feature.int_domain.max + 1
        else:
            numbers.append(feature.name)
    return sorted(numbers), dict(sorted(sizes.items()))
