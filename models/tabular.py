"""Any table: numbers, strings and ids in; a binary, multi-class or regression answer out.

Everything comes from `custom_config`; nothing here knows a dataset. The network is wide and deep: a linear part over
every id, number and n-gram of a text, and a stack of dense layers over embedded ids, numbers and texts, added before
the last activation. `architecture`, a hyperparameter, can leave one of the two out.

Source: Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from models import _heads, _labels, _meanings, _on_device, _preprocessing, _training, _transforms, _words

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
    answers = _heads.answers(config, transform)
    bags = _words.bags(transform)
    numbers, sizes = _transformed_features(transform, _labels.name(config), bags)
    inputs = {name: keras.Input((), name=name, dtype="float32") for name in numbers}
    inputs |= {name: keras.Input((), name=name, dtype="int64") for name in sizes}
    inputs |= _words.bag_inputs(bags)
    seen = _Seen(
        {name: inputs[name] for name in numbers},
        {name: inputs[name] for name in sizes},
        sizes,
        partial(_meanings.ids, transform, config),
    )
    parts = []
    if "wide" in wanted:
        pooled = [_words.pooled_bags(inputs, transform, bags, answers, "wide", initializer="zeros")] if bags else []
        parts.append(_wide(seen, answers, pooled))
    if "deep" in wanted:
        widths = {key: _width(words, hp) for key, (words, _) in bags.items()}
        texts = {
            key: _words.pooled_bags(inputs, transform, {key: bag}, widths[key], "deep") for key, bag in bags.items()
        }
        parts.append(_deep(seen, hp, answers, texts, widths))
    logits = keras.layers.add(parts) if len(parts) > 1 else parts[0]
    return keras.Model(inputs, _heads.output(logits, task, labels))


def _parts(architecture: str) -> tuple[str, ...]:
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture: no such network, got {architecture!r}; there are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[architecture]


@dataclass(frozen=True)
class _Seen:
    """What a network sees beside texts.

    Attributes:
        numbers: by feature, [n].
        ids: by feature, [n].
        sizes: by feature, how many ids it can have.
        meanings: from some of the sizes to what the ids stand for.
    """

    numbers: Mapping[str, Any]
    ids: Mapping[str, Any]
    sizes: Mapping[str, int]
    meanings: Callable[[Mapping[str, int]], _meanings.Rows]

    def stacked(self) -> list[Any]:
        """Return all numbers as one tensor [n, numbers], or nothing."""
        return [keras.ops.stack(list(self.numbers.values()), axis=-1)] if self.numbers else []

    def embedded(
        self, features: Iterable[str], width: int, name: str, columns: list[str] | None = None, **options: Any
    ) -> Any:
        """Return the embeddings of several features [n, features, width], each from its own rows of one table.

        One table has one variable, one lookup and one optimizer slot, whatever the number of features.
        """
        sizes = {feature: self.sizes[feature] for feature in features}
        offsets = np.cumsum([0, *sizes.values()])
        pairs = zip(sizes, offsets.tolist(), strict=False)
        rows = keras.ops.stack([self.ids[feature] + offset for feature, offset in pairs], axis=-1)
        table = keras.layers.Embedding(int(offsets[-1]), width, name=name, **options)
        return _meanings.mark(table, partial(self.meanings, sizes), columns)(rows)


def _wide(seen: _Seen, answers: list[str], texts: list[Any]) -> Any:
    """Return the linear part [n, answers]: one weight per id, one per number and one per n-gram."""
    of_numbers = partial(_meanings.numbered, dict.fromkeys(seen.numbers, 1))
    parts = [_heads.dense(answers, "wide_numbers", of_numbers)(numbers) for numbers in seen.stacked()] + texts
    if seen.ids:
        table = seen.embedded(seen.ids, len(answers), "wide_ids", answers, embeddings_initializer="zeros")
        parts.append(keras.ops.sum(table, axis=1))
    return keras.layers.add(parts) if len(parts) > 1 else parts[0]


def _deep(
    seen: _Seen, hp: Mapping[str, Any], answers: list[str], texts: Mapping[str, Any], widths: Mapping[str, int]
) -> Any:
    """Return the deep part [n, answers].

    Args:
        seen: numbers and ids.
        hp: hyperparameters.
        answers: what the outputs stand for.
        texts: by feature, a pooled bag [n, width].
        widths: of these.
    """
    by_width: dict[int, list[str]] = defaultdict(list)
    for name in seen.ids:
        by_width[_width(seen.sizes[name], hp)].append(name)
    parts = [*seen.stacked(), *texts.values()]
    values = {**dict.fromkeys(seen.numbers, 1), **widths}
    for width, group in sorted(by_width.items()):
        parts.append(keras.layers.Flatten()(seen.embedded(group, width, f"deep_{width}")))
        values |= dict.fromkeys(group, width)
    x = keras.layers.concatenate(parts) if len(parts) > 1 else parts[0]
    rows = partial(_meanings.numbered, values)
    x = _heads.dense_layers(x, hp["hidden_layers"], hp["hidden_units"], hp["dropout"], rows)
    return _heads.dense(answers, "deep", None if hp["hidden_layers"] else rows)(x)


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
