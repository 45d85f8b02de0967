"""A training that begins with the weights of an earlier one, each where it means the same.

Beside every model lie its weights, by names that a network built again has too, with what their rows and columns stand
for (`_meanings.py`). A vocabulary that grew, or is in another order, keeps the rows of its words; what has another
shape or another meaning stays as it was drawn.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models import _arrays, _meanings

# Beside TFX's folder with the SavedModel.
FOLDER = "Warm-Start"
WEIGHTS, MEANINGS = "weights.npz", "meanings.json"
# In the folder of the logs: what was taken.
FILE = "warm_start.json"

# What the axes of a weight stand for, the first and the last one; of a vector the last only.
Axes = tuple[list[tuple[str, str]] | None, list[str] | None]


def save(network: keras.Model, serving_model_dir: str, name: str) -> None:
    """Write the weights of a trained network beside the model that is exported.

    Args:
        network: as `_training.Build` builds it.
        serving_model_dir: where the SavedModel is, or will be.
        name: of the network in its training, "" or student.
    """
    weights, meanings = {}, {}
    for key, variable, meaning in _named(network):
        weights[key] = keras.ops.convert_to_numpy(variable)
        meanings[key] = _as_json(meaning, weights[key].ndim)
    folder = _folder(serving_model_dir, name)
    tf.io.gfile.makedirs(folder)
    _arrays.save(os.path.join(folder, WEIGHTS), weights)
    with tf.io.gfile.GFile(os.path.join(folder, MEANINGS), "w") as file:
        json.dump(meanings, file)


def begin(network: keras.Model, base_model: str | None, name: str, log_dir: str) -> None:
    """Give a new network the weights of an earlier one where they fit, and write down which.

    Args:
        network: as `_training.Build` builds it.
        base_model: where the SavedModel of the earlier one is; None: there is none.
        name: of the network in its training, "" or student.
        log_dir: gets `warm_start.json`: `base_model`, the folder of its artifact or null, and `weights`: by name how
            many numbers were taken, and how many there are; null where that model has none of this network.
    """
    report: dict[str, Any] = {"base_model": None, "weights": None}
    if base_model:
        report["base_model"] = os.path.dirname(base_model)
        folder = _folder(base_model, name)
        if tf.io.gfile.exists(os.path.join(folder, MEANINGS)):
            report["weights"] = _take(network, folder)
    os.makedirs(log_dir, exist_ok=True)
    with open(os.path.join(log_dir, FILE), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)


def _take(network: keras.Model, folder: str) -> dict[str, list[int]]:
    with tf.io.gfile.GFile(os.path.join(folder, MEANINGS)) as file:
        meanings = json.load(file)
    found = {}
    with _arrays.loaded(os.path.join(folder, WEIGHTS)) as weights:
        for key, variable, meaning in _named(network):
            new, taken = keras.ops.convert_to_numpy(variable).copy(), 0
            if key in meanings:
                old = weights[key]
                places = _places(new, old, _axes(_as_json(meaning, new.ndim)), _axes(meanings[key]))
                if places is not None:
                    new[np.ix_(*(mine for mine, _ in places))] = old[np.ix_(*(its for _, its in places))]
                    taken = int(np.prod([len(mine) for mine, _ in places], dtype=np.int64))
                    variable.assign(new)
            found[key] = [taken, new.size]
    return found


def _places(new: np.ndarray, old: np.ndarray, mine: Axes, its: Axes) -> list[tuple[Any, Any]] | None:
    """Return, by axis, the places of the new weight and those in the old one with the same meaning; None: nowhere."""
    if new.ndim != old.ndim:
        return None
    if new.ndim == 0:
        return []
    places = []
    for axis, sizes in enumerate(zip(new.shape, old.shape, strict=True)):
        which = 1 if axis == new.ndim - 1 else 0 if axis == 0 else None
        here, there = (None, None) if which is None else (mine[which], its[which])
        if here is None and there is None and sizes[0] == sizes[1]:
            places.append((np.arange(sizes[0]), np.arange(sizes[0])))
        elif here is not None and there is not None:
            at = {what: place for place, what in enumerate(there)}
            pairs = [(place, at[what]) for place, what in enumerate(here) if what in at]
            places.append(tuple(np.array(pairs, np.int64).reshape(-1, 2).T))
        else:
            return None
    return places if all(len(place) for place, _ in places) else None


def _axes(meaning: Sequence[Any]) -> Axes:
    rows, columns = meaning
    flat = None if rows is None else [(feature, what) for feature, all_of_it in rows.items() for what in all_of_it]
    return flat, columns


def _as_json(meaning: _meanings.Meaning, rank: int) -> list[Any]:
    rows = meaning.rows() if meaning.rows and rank > 1 else None
    return [rows, meaning.columns if rank else None]


def _named(network: keras.Model) -> Iterator[tuple[str, Any, _meanings.Meaning]]:
    """Yield the name, variable and meaning of every weight; random generators have none.

    Keras numbers layers without a name on and on through a process, so these are numbered anew: by kind, and in the
    order in which the network has them.
    """
    numbers: Counter[str] = Counter()
    for layer in network.layers:
        kind = type(layer).__name__.lower()
        inner = isinstance(layer, keras.Model)
        name = layer.name
        # A network inside may have the size of its pictures in its name.
        if inner or re.sub(r"_\d+$", "", name).replace("_", "") == kind:
            name = f"{kind}:{numbers[kind]}"
            numbers[kind] += 1
        if inner:
            yield from ((f"{name}.{key}", variable, meaning) for key, variable, meaning in _named(layer))
            continue
        for number, variable in enumerate(layer.weights):
            yield f"{name}.{number}.{variable.name}", variable, _meanings.of(layer)


def _folder(serving_model_dir: str, name: str) -> str:
    return os.path.join(os.path.dirname(serving_model_dir), FOLDER, name)
