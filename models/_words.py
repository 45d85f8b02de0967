"""What a network makes of words: pooled bags of n-grams and pooled tokens."""

from functools import partial
from typing import Any

import keras
import tensorflow_transform as tft

from models import _meanings, _transforms


class WeightedBag(keras.layers.Layer):
    """A dense layer on a sparse vector, without the vector: a weighted sum of one row of the kernel for each word.

    Ids int64 [n, length] and weights float32 [n, length] in, [n, units] out. The weights of a row are first brought to
    length 1; one without any weight, an empty text, gives the bias.

    Args:
        words: how many ids there are.
        units: of the output.
        initializer: of the kernel [words, units].
    """

    def __init__(self, words: int, units: int, initializer: str = "uniform", **options: Any) -> None:
        # In half precision, the length of an empty text would be 0 and nothing to divide by.
        super().__init__(**{"dtype": "float32", **options})
        self._shape, self._initializer = (words, units), initializer

    def build(self, *_: Any) -> None:
        self.kernel = self.add_weight(shape=self._shape, initializer=self._initializer, name="kernel")
        self.bias = self.add_weight(shape=self._shape[1:], initializer="zeros", name="bias")

    def call(self, ids: Any, weights: Any) -> Any:
        """Return the sum [n, units]."""
        length = keras.ops.sqrt(keras.ops.sum(weights * weights, axis=1, keepdims=True))
        scaled = weights / keras.ops.maximum(length, 1e-12)
        rows = keras.ops.take(self.kernel, ids, axis=0)
        return keras.ops.squeeze(keras.ops.matmul(scaled[:, None, :], rows), 1) + self.bias


def bags(transform: tft.TFTransformOutput) -> dict[str, tuple[int, int]]:
    """Return (words in the vocabulary, length of a row) of every bag of n-grams, by feature."""
    spec = transform.transformed_feature_spec()
    names = [name for name in spec if _transforms.weights_of(name) in spec]
    return {name: (transform.vocabulary_size_by_name(name), spec[name].shape[0]) for name in sorted(names)}


def tokens(transform: tft.TFTransformOutput) -> dict[str, tuple[int, int]]:
    """Return (how many ids there are, length of a row) of every feature of tokens."""
    spec = transform.transformed_feature_spec()
    rows = [name for name in spec if spec[name].shape and spec[name].dtype.is_integer]
    names = [name for name in rows if _transforms.weights_of(name) not in spec]
    # Two more ids than words: padding and the unknown.
    return {name: (transform.vocabulary_size_by_name(name) + 2, spec[name].shape[0]) for name in sorted(names)}


def bag_inputs(found: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Return the inputs of a network for bags: of each its ids, and its weights."""
    inputs = {}
    for name, (_, length) in found.items():
        inputs[name] = keras.Input((length,), name=name, dtype="int64")
        weights = _transforms.weights_of(name)
        inputs[weights] = keras.Input((length,), name=weights, dtype="float32")
    return inputs


def pooled_bags(
    inputs: dict[str, Any],
    transform: tft.TFTransformOutput,
    found: dict[str, tuple[int, int]],
    units: int | list[str],
    role: str,
    **options: Any,
) -> Any:
    """Return the sum [n, units] over all bags.

    Args:
        inputs: of the network, by feature.
        transform: whose vocabularies the bags have.
        found: what `bags` says.
        units: of the output: how many, or what they stand for.
        role: the end of the layers' names; a feature ends in its transform, so that none has such a name.
        options: of the layers.
    """
    parts = []
    count, columns = (units, None) if isinstance(units, int) else (len(units), units)
    for name, (words, _) in found.items():
        layer = WeightedBag(words, count, name=f"{name}_{role}", **options)
        _meanings.mark(layer, partial(_meanings.bag, transform, name), columns)
        parts.append(layer(inputs[name], inputs[_transforms.weights_of(name)]))
    return keras.layers.add(parts) if len(parts) > 1 else parts[0]
