"""What `preprocessing.json` says of texts, in Python: the transforms `text` and `tokens` of models/_texts.py.

A program in another language needs the same three things: NFKC and small letters of each character by itself, tokens
that are runs of letters, marks and digits, and n-grams of tokens with a space between them.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

Feature = Mapping[str, Any]


def features(name: str, feature: Feature, texts: Iterable[bytes]) -> dict[str, np.ndarray]:
    """Return the transformed features [n, length] of one column.

    Args:
        name: of the feature.
        feature: its part of `preprocessing.json`.
        texts: raw texts [n]; a missing one is empty.
    """
    places = {word: place for place, word in enumerate(feature["words"])}
    rows = [tokens(text.decode(errors="replace")) for text in texts]
    if feature["kind"] == "tokens":
        return {name: np.stack([_ids(row, places, feature["length"]) for row in rows])}
    bags = [_bag(row, places, feature) for row in rows]
    return {name: np.stack([ids for ids, _ in bags]), f"{name}_weights": np.stack([weights for _, weights in bags])}


def tokens(text: str) -> list[str]:
    """Return the tokens of a text."""
    return "".join(_character(character) for character in text).split()


@cache
def _character(character: str) -> str:
    """Return what becomes of one character: a space where it is of no token."""
    small = unicodedata.normalize("NFKC", character).lower()
    return "".join(part if unicodedata.category(part)[0] in "LMN" else " " for part in small)


def _ids(row: list[str], places: Mapping[str, int], length: int) -> np.ndarray:
    ids: np.ndarray = np.zeros(length, np.int64)
    found = [1 + places.get(token, len(places)) for token in row[:length]]
    ids[: len(found)] = found
    return ids


def _bag(row: list[str], places: Mapping[str, int], feature: Feature) -> tuple[np.ndarray, np.ndarray]:
    """Return places and weights, both [length]: the heaviest, of equal ones those that come first in the text."""
    # By their first token and then by length, as tft.ngrams has them.
    runs = (" ".join(row[i : i + size]) for i in range(len(row)) for size in range(1, feature["ngrams"] + 1))
    ends = (i + size <= len(row) for i in range(len(row)) for size in range(1, feature["ngrams"] + 1))
    counts = Counter(places[run] for run, whole in zip(runs, ends, strict=True) if whole and run in places)
    total = np.float32(counts.total())
    weighed = [(place, _weight(place, np.float32(count), total, feature)) for place, count in counts.items()]
    heaviest = sorted(weighed, key=lambda found: -found[1])[: feature["length"]]
    ids: np.ndarray = np.zeros(feature["length"], np.int64)
    weights: np.ndarray = np.zeros(feature["length"], np.float32)
    for number, (place, weight) in enumerate(heaviest):
        ids[number], weights[number] = place, weight
    return ids, weights


def _weight(place: int, count: np.float32, total: np.float32, feature: Feature) -> np.float32:
    if feature["weights"] == "tfidf":
        return count / total * np.float32(feature["idf"][place])
    return count if feature["weights"] == "count" else np.float32(1)
