"""What `preprocessing.json` means, in numpy: for apps whose model takes transformed features, and for their tests.

The file comes with every model for phones; the transforms are those of models/_transforms.py. Two things need
TensorFlow's own code, and it is imported for them only: the hash of words (FarmHash's Fingerprint64, modulo the number
of buckets), and how a decimal number is written as a word.
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serving import dates, text_preprocessing
from serving.pictures import pixels
from serving.rows import MISSING

Feature = Mapping[str, Any]


class Preprocessing:
    """The transforms of one model.

    Attributes:
        columns: the dtype of each raw column, by name.

    Args:
        path: of `preprocessing.json`.

    Raises:
        ValueError: the file is none.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            recipe = json.loads(Path(path).read_text(encoding="utf-8"))
            self.columns: dict[str, str] = recipe["columns"]
            self._features: dict[str, Feature] = recipe["features"]
            self._missing_word: str = recipe["missing_word"]
            self._tensors: dict[str, Mapping[str, str]] = recipe.get("tensors", {})
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path}: no preprocessing file, got {type(error).__name__}: {error}") from error

    def __call__(self, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the transformed features by name: numbers float32 [n], ids int64 [n], texts [n, length], pixels
        float32 [n, h, w, c].

        Args:
            columns: raw columns [n] by name; texts as bytes, a missing value as `serving/rows.py` has it.
        """
        found: dict[str, np.ndarray] = {}
        for name, feature in self._features.items():
            column = columns[feature["column"]]
            if feature["kind"] in ("text", "tokens"):
                found |= text_preprocessing.features(name, feature, column)
            else:
                found[name] = self._feature(feature, column)
        return found

    def for_file(self, columns: Mapping[str, Any], inputs: Collection[str]) -> Mapping[str, np.ndarray]:
        """Return what a .tflite file takes, which is one of three.

        Args:
            columns: raw columns [n] by name.
            inputs: names of the file's inputs: raw columns, tensors made of them (pictures), or transformed features.
        """
        if set(inputs) == set(self.columns) and not self._tensors:
            return columns
        features = self(columns)
        made: dict[str, np.ndarray] = {
            name: features[tensor["feature"]].astype(tensor["dtype"]) for name, tensor in self._tensors.items()
        }
        return made if set(inputs) == set(made) else features

    def _feature(self, feature: Feature, column: Any) -> np.ndarray:
        if feature["kind"] == "vocabulary":
            return self._ids(feature, column)
        if feature["kind"] == "hash":
            return _hashed(_words(column, b""), feature["buckets"])
        if feature["kind"] == "date":
            return dates.values(feature, dates.moments(feature, column))
        if feature["kind"] == "image":
            return pixels(column, feature["height"], feature["width"], feature["channels"])
        values = np.asarray(column)
        missing = np.isnan(values) if values.dtype.kind == "f" else values == MISSING["int"]
        if feature["kind"] == "missing":
            return missing.astype(np.float32)
        known = np.where(missing, 0, values.astype(np.float64))
        return KINDS[feature["kind"]](feature, known, missing)

    def _ids(self, feature: Feature, column: Any) -> np.ndarray:
        places = {word.encode(errors="surrogateescape"): place for place, word in enumerate(feature["words"])}
        words = _words(column, self._missing_word.encode())
        behind: np.ndarray = _buckets_of(words, feature["oov_buckets"]) + len(feature["words"])
        return np.array([places.get(word, unknown) for word, unknown in zip(words, behind, strict=True)], np.int64)


def _words(column: Any, missing: bytes) -> list[bytes]:
    """Return the words [n] that a vocabulary is asked for."""
    values = np.asarray(column)
    if values.dtype.kind == "f":
        import tensorflow as tf

        words = tf.strings.as_string(values, shortest=True).numpy().tolist()
        return [missing if np.isnan(value) else word for value, word in zip(values, words, strict=True)]
    if values.dtype.kind == "i":
        return [missing if value == MISSING["int"] else str(value).encode() for value in values.tolist()]
    return [value or missing for value in values.tolist()]


def _buckets_of(words: list[bytes], count: int) -> np.ndarray:
    """Return which of the buckets for unknown words each word falls into, [n]."""
    if count == 1:
        return np.zeros(len(words), np.int64)
    return _hash(words, count)


def _hash(words: list[bytes], count: int) -> np.ndarray:
    import tensorflow as tf

    return tf.strings.to_hash_bucket_fast(words, count).numpy()


def _hashed(words: list[bytes], count: int) -> np.ndarray:
    """Return the bucket int64 [n] of each word; a missing value, here an empty word, has the one behind them all."""
    return np.where([not word for word in words], count, _hash(words, count))


def _bucket(feature: Feature, known: np.ndarray, _: np.ndarray) -> np.ndarray:
    boundaries = np.array(feature["boundaries"], np.float32)
    return np.searchsorted(boundaries, known.astype(np.float32), side="right").astype(np.int64)


def _scaled(feature: Feature, known: np.ndarray, missing: np.ndarray) -> np.ndarray:
    if feature["kind"] == "log":
        known = np.sign(known) * np.log1p(np.abs(known))
    return np.where(missing, 0, (known - feature["mean"]) / feature["deviation"]).astype(np.float32)


KINDS: dict[str, Callable[[Feature, np.ndarray, np.ndarray], np.ndarray]] = {
    "bucketize": _bucket, "zscore": _scaled, "log": _scaled,
}  # fmt: skip
