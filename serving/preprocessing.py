"""What `preprocessing.json` means, in numpy: for apps whose model takes transformed features, and for their tests.

The file comes with every model for phones; the transforms are those of models/_transforms.py.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

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
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path}: no preprocessing file, got {type(error).__name__}: {error}") from error

    def __call__(self, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the transformed features [n]: numbers float32, ids int64.

        Args:
            columns: raw columns [n] by name; texts as bytes, a missing value as `serving/rows.py` has it.
        """
        return {name: self._feature(feature, columns[feature["column"]]) for name, feature in self._features.items()}

    def _feature(self, feature: Feature, column: Any) -> np.ndarray:
        if feature["kind"] == "vocabulary":
            return self._ids(feature, column)
        values = np.asarray(column)
        missing = np.isnan(values) if values.dtype.kind == "f" else values == MISSING["int"]
        if feature["kind"] == "missing":
            return missing.astype(np.float32)
        known = np.where(missing, 0, values.astype(np.float64))
        return KINDS[feature["kind"]](feature, known, missing)

    def _ids(self, feature: Feature, column: Any) -> np.ndarray:
        places = {word.encode(errors="surrogateescape"): place for place, word in enumerate(feature["words"])}
        missing = places.get(self._missing_word.encode(), len(feature["words"]))
        places |= {b"": missing, str(MISSING["int"]).encode(): missing}
        words = (value if isinstance(value, bytes) else str(int(value)).encode() for value in column)
        # The bucket for unknown words comes behind the vocabulary; more than one would need TensorFlow's hash.
        unknown = len(feature["words"])
        return np.array([places.get(word, unknown) for word in words], np.int64)


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
