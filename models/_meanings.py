"""What the rows and columns of a layer's weights stand for, so that the weights of an earlier run can be found again.

A row of an embedding is that of a word, one of the dense layer behind the features that of a feature, and a column of
the last layer that of a class; all of these are numbered anew in every run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow_transform as tft

from models import _raw, _transforms, _wanted

# By feature, in the order of the rows, what each of its rows stands for.
Rows = Mapping[str, list[str]]


@dataclass(frozen=True)
class Meaning:
    """What an axis stands for; None: it has the same meaning wherever it has the same size.

    Attributes:
        rows: of a matrix' first axis. A function, since a vocabulary is read for the final training only.
        columns: of the last axis, and of a vector.
    """

    rows: Callable[[], Rows] | None = None
    columns: list[str] | None = None


def mark(layer: Any, rows: Callable[[], Rows] | None = None, columns: list[str] | None = None) -> Any:
    """Say what the weights of a layer stand for, and return it."""
    layer.meaning = Meaning(rows, columns)
    return layer


def of(layer: keras.layers.Layer) -> Meaning:
    """Return what the weights of a layer stand for."""
    return getattr(layer, "meaning", None) or Meaning()


def numbered(counts: Mapping[str, int]) -> Rows:
    """Return the rows of features of which each has so many, and no name for any.

    The names of transformed features tell their transforms; of another count, no number means what it meant.
    """
    return {feature: [_number(number, count) for number in range(count)] for feature, count in counts.items()}


def ids(transform: tft.TFTransformOutput, config: Mapping[str, Any], sizes: Mapping[str, int]) -> Rows:
    """Return what the ids of several features stand for: words, or numbers.

    Args:
        transform: its output.
        config: custom_config.
        sizes: by feature, how many ids there are.
    """
    raw_spec = transform.raw_feature_spec()
    names, plan = _raw.feature_names(raw_spec, config), config["features"]["columns"]
    files = {
        output.name: _transforms.vocabulary(output)
        for output in _wanted.outputs(raw_spec, names, plan)
        if output.kind == "vocabulary"
    }
    found: dict[str, list[str]] = {}
    for feature, size in sizes.items():
        words = _words(transform, files[feature]) if feature in files else []
        found[feature] = words + numbered({feature: size - len(words)})[feature]
    return found


def bag(transform: tft.TFTransformOutput, feature: str) -> Rows:
    """Return the n-grams of a bag."""
    return {feature: _words(transform, feature)}


def tokens(transform: tft.TFTransformOutput, feature: str) -> Rows:
    """Return the tokens of a feature, with the two ids that are none: see `_texts.token_ids`."""
    return {feature: [_number(0, 2), *_words(transform, feature), _number(1, 2)]}


def _words(transform: tft.TFTransformOutput, name: str) -> list[str]:
    return [word.decode(errors="surrogateescape") for word in transform.vocabulary_by_name(name)]


def _number(number: int, count: int) -> str:
    # No word has a line break.
    return f"\n{number} of {count}"
