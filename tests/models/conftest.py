"""A small table with every kind of column and missing values in each, analyzed by the real tf.Transform."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import metadata_io
from tfx.components.trainer.fn_args_utils import FnArgs

from models import _raw, _wanted, tabular, text
from models._transform_graph import TransformGraph
from pipeline.feature_config import Date
from pipeline.training_config import Training
from tests.conftest import serialized

ROWS = 400
PARTS = ["hour", "weekday", "month", "day", "year"]


def _date(text: str, parts: list[str], *, cyclic: bool) -> dict[str, Any]:
    """The transform as the config hands it over."""
    date = Date(kind="date", format=text, parts=tuple(parts), cyclic=cyclic)
    return date.model_dump(mode="json", exclude_none=True)


SPEC = {
    "city": tf.io.VarLenFeature(tf.string),
    "visits": tf.io.VarLenFeature(tf.int64),
    "height": tf.io.VarLenFeature(tf.float32),
    "price": tf.io.VarLenFeature(tf.float32),
    "when": tf.io.VarLenFeature(tf.int64),
    "town": tf.io.VarLenFeature(tf.string),
    "size": tf.io.VarLenFeature(tf.float32),
    "user": tf.io.VarLenFeature(tf.string),
    "device": tf.io.VarLenFeature(tf.int64),
    "start": tf.io.VarLenFeature(tf.int64),
    "end": tf.io.VarLenFeature(tf.int64),
    "seen": tf.io.VarLenFeature(tf.string),
    "born": tf.io.VarLenFeature(tf.int64),
    "kind": tf.io.FixedLenFeature([], tf.string),
}
FOR_PHONES = {"city", "visits", "height", "price", "when", "start", "end", "kind"}
CONFIG = {
    "label": {"name": "kind", "task": "multiclass", "classes": []},
    "features": {
        "exclude": [],
        "columns": {
            "city": [{"kind": "vocabulary", "top_k": 2}],
            "visits": [{"kind": "vocabulary", "min_count": 12}],
            "price": [{"kind": "log"}, {"kind": "bucketize", "buckets": 4}],
            "town": [{"kind": "vocabulary", "top_k": 2, "oov_buckets": 3}],
            "size": [{"kind": "vocabulary", "top_k": 5, "oov_buckets": 2}],
            "user": [{"kind": "hash", "buckets": 7}],
            "device": [{"kind": "hash", "buckets": 5}],
            "start": [{"kind": "date", "format": "unix", "parts": PARTS, "cyclic": False}],
            "end": [{"kind": "date", "format": "unix_ms", "parts": PARTS, "cyclic": True}],
            "seen": [_date("%d.%m.%Y %H:%M", PARTS, cyclic=True)],
            "born": [_date("%Y%m%d", ["weekday", "day"], cyclic=False)],
        },
    },
}


@dataclass(frozen=True)
class Analyzed:
    """What tf.Transform made of the table.

    Attributes:
        rows: the raw rows, a missing value left out.
        columns: the same as vectors with markers, as `serving_default` takes them.
        graph: the transform graph.
        transform: the same as TFT's wrapper.
        features: the graph's outputs for `columns`, by name.
        wanted: the transformed features.
    """

    rows: list[dict[str, Any]]
    columns: dict[str, tf.Tensor]
    graph: TransformGraph
    transform: tft.TFTransformOutput
    features: dict[str, np.ndarray]
    wanted: list[_wanted.Output]


def _rows() -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    rows = []
    for number in range(ROWS):
        row = {
            "city": str(random.choice(["Rome", "Oslo", "Lima", "Bonn"], p=[0.5, 0.3, 0.15, 0.05])),
            "visits": int(random.integers(0, 30)),
            "height": float(random.normal(41.9, 0.03)),
            "price": float(random.gamma(2.0, 30.0)),
            "when": 1_400_000_000 + int(random.integers(0, 60_000_000)),
            "town": f"town {random.integers(0, 12)}",
            "size": float(np.float32(random.integers(0, 12) / 10)),
            "user": f"user {random.integers(0, 300)}",
            "device": int(random.integers(0, 300)),
            "start": int(random.integers(-2_000_000_000, 2_000_000_000)),
            "end": int(random.integers(-2_000_000_000_000, 2_000_000_000_000)),
            "seen": f"{random.integers(25, 32)}.{random.integers(1, 13)}.{random.integers(1890, 2030)} 7:45",
            "born": int(random.integers(1890, 2030) * 10_000 + random.integers(1, 14) * 100 + random.integers(25, 32)),
        }
        kept = {name: value for name, value in row.items() if random.random() > 0.1}
        rows.append({**kept, "kind": "good" if number % 3 else "bad"})
    rows[0]["city"] = "two\nlines"
    return rows


def _columns(rows: list[dict[str, Any]], names: set[str]) -> dict[str, tf.Tensor]:
    columns = {}
    for name in sorted(names - {"kind"}):
        dtype = SPEC[name].dtype
        columns[name] = tf.constant([row.get(name, _raw.missing_value(dtype)) for row in rows], dtype)
    return columns


def _analyzed(names: set[str], folder: Path) -> Analyzed:
    rows = [{name: value for name, value in row.items() if name in names} for row in _rows()]
    metadata = tft.DatasetMetadata.from_feature_spec({name: SPEC[name] for name in names})
    listed = [{name: [row[name]] if name in row else [] for name in names} | {"kind": row["kind"]} for row in rows]
    with tft_beam.Context(temp_dir=str(folder / "scratch"), force_tf_compat_v1=False):
        function = (listed, metadata) | tft_beam.AnalyzeDataset(lambda raw: tabular.preprocessing_fn(raw, CONFIG))
        function | tft_beam.WriteTransformFn(str(folder))
    metadata_io.write_metadata(metadata, str(folder / "metadata"))
    transform = tft.TFTransformOutput(str(folder))
    graph = TransformGraph(transform)
    columns = _columns(rows, names)
    parsed = _raw.as_parsed(columns, graph.raw_feature_spec)
    features = {name: values.numpy() for name, values in graph(parsed).items()}
    return Analyzed(
        rows, columns, graph, transform, features,
        _wanted.outputs(graph.raw_feature_spec, sorted(columns), CONFIG["features"]["columns"]),
    )  # fmt: skip


@pytest.fixture(scope="session")
def analyzed(tmp_path_factory) -> Analyzed:
    """The table, analyzed once for all tests."""
    return _analyzed(set(SPEC), tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="session")
def analyzed_for_phones(tmp_path_factory) -> Analyzed:
    """The columns of the table that TFLite can transform."""
    return _analyzed(FOR_PHONES, tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="session")
def known(analyzed):
    """Return a function from a column to (rows that have it, their values as float64)."""

    def of(name: str) -> tuple[np.ndarray, np.ndarray]:
        values = np.array([row.get(name, math.nan) for row in analyzed.rows], np.float64)
        return ~np.isnan(values), values[~np.isnan(values)]

    return of


TEXT_ROWS = 240
TEXT_CONFIG = {
    "label": {"name": "mood", "task": "multiclass", "classes": ["sad", "glad"]},
    "training": Training(epochs=6, batch_size=32, eval_batch_size=64, patience=6).model_dump(
        mode="json", exclude_none=True
    ),
    "hyperparameters": {},
    "mobile": True,
}
BAG = {"kind": "text", "ngrams": 2, "max_words": 60, "min_count": 2, "weights": "tfidf", "length": 12}
TOKENS = {"kind": "tokens", "max_words": 10, "min_count": 1, "length": 8}
EVERY_TOKEN = {**TOKENS, "max_words": 1000, "length": 40}
WORDS = ["a", "the", "cat", "dog", "Rain", "sun", "tea", "Ｂｏａｔ", "ﬁsh", "naïve", "7", "it's", "Straße"]


@dataclass(frozen=True)
class Texts:
    """What tf.Transform made of the same texts in one column for each transform.

    Attributes:
        rows: the raw rows, a missing text left out.
        texts: one of the columns, as `serving_default` takes it.
        plans: by column, its transform.
        arguments: what `run_fn` needs; the eval split is the train split.
        graph: the transform graph.
        transform: the same as TFT's wrapper.
        features: the graph's outputs, by name.
    """

    rows: list[dict[str, Any]]
    texts: tf.Tensor
    plans: dict[str, list[dict[str, Any]]]
    arguments: FnArgs
    graph: TransformGraph
    transform: tft.TFTransformOutput
    features: dict[str, np.ndarray]


def _notes() -> list[str]:
    random, notes = np.random.default_rng(2), ["?!", ""]
    for number in range(2, TEXT_ROWS):
        words = random.choice(WORDS, size=random.integers(1, 20)).tolist()
        words.insert(int(random.integers(0, len(words))), ("gloomy", "merry")[number % 2])
        notes.append(" ".join(words))
    return notes


@pytest.fixture(scope="session")
def notes(tmp_path_factory) -> Callable[..., Texts]:
    """Return a function from the transforms of columns to what became of their texts; each is analyzed once."""
    found: dict[str, Texts] = {}

    def analyzed_with(**transforms: dict[str, Any]) -> Texts:
        key = json.dumps(transforms, sort_keys=True)
        if key not in found:
            plans = {column: [transform] for column, transform in transforms.items()}
            found[key] = _analyzed_texts(plans, tmp_path_factory.mktemp("texts"))
        return found[key]

    return analyzed_with


def _analyzed_texts(plans: dict[str, list[dict[str, Any]]], folder: Path) -> Texts:
    config = {**TEXT_CONFIG, "features": {"exclude": [], "columns": plans}}
    spec = {**dict.fromkeys(plans, tf.io.VarLenFeature(tf.string)), "mood": tf.io.FixedLenFeature([], tf.string)}
    metadata, notes = tft.DatasetMetadata.from_feature_spec(spec), _notes()
    rows = [
        {**(dict.fromkeys(plans, note) if note else {}), "mood": ("sad", "glad")[number % 2]}
        for number, note in enumerate(notes)
    ]
    listed = [{**{name: [row[name]] if name in row else [] for name in plans}, "mood": row["mood"]} for row in rows]

    def preprocessing_fn(raw: dict[str, Any]) -> dict[str, Any]:
        features = text.preprocessing_fn(raw, config)
        if "every_tokens" in features:  # every token is known, so that TFT's own TF-IDF can be compared
            known = tf.sparse.from_dense(features["every_tokens"])
            features["tft_ids"], features["tft_weights"] = tft.tfidf(known.with_values(known.values - 1), 100)
        return features

    with tft_beam.Context(temp_dir=str(folder / "scratch"), force_tf_compat_v1=False):
        function = (listed, metadata) | tft_beam.AnalyzeDataset(preprocessing_fn)
        function | tft_beam.WriteTransformFn(str(folder))
    metadata_io.write_metadata(metadata, str(folder / "metadata"))
    with tf.io.TFRecordWriter(str(folder / "rows.gz"), "GZIP") as writer:
        for row in rows:
            writer.write(serialized(row))
    arguments = FnArgs(
        train_files=[str(folder / "rows.gz")], eval_files=[str(folder / "rows.gz")], transform_graph_path=str(folder),
        serving_model_dir=str(folder / "model"), model_run_dir=str(folder / "run"), custom_config=config,
    )  # fmt: skip
    transform, texts = tft.TFTransformOutput(str(folder)), tf.constant(notes)
    graph = TransformGraph(transform)
    features = graph(_raw.as_parsed(dict.fromkeys(plans, texts), graph.raw_feature_spec))
    dense = {
        name: tf.sparse.to_dense(values) if isinstance(values, tf.SparseTensor) else values
        for name, values in features.items()
    }
    arrays = {name: values.numpy() for name, values in dense.items()}
    return Texts(rows, texts, plans, arguments, graph, transform, arrays)
