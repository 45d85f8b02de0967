"""A small table with every kind of column and missing values in each, analyzed by the real tf.Transform."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import metadata_io

from models import _raw, _transforms, tabular
from models._transform_graph import TransformGraph

ROWS = 400
SPEC = {
    "city": tf.io.VarLenFeature(tf.string),
    "visits": tf.io.VarLenFeature(tf.int64),
    "height": tf.io.VarLenFeature(tf.float32),
    "price": tf.io.VarLenFeature(tf.float32),
    "when": tf.io.VarLenFeature(tf.int64),
    "kind": tf.io.FixedLenFeature([], tf.string),
}
CONFIG = {
    "label": {"name": "kind", "task": "multiclass", "classes": []},
    "features": {
        "exclude": [],
        "columns": {
            "city": [{"kind": "vocabulary", "top_k": 2}],
            "visits": [{"kind": "vocabulary", "min_count": 12}],
            "price": [{"kind": "log"}, {"kind": "bucketize", "buckets": 4}],
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
    wanted: list[_transforms.Output]


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
        }
        kept = {name: value for name, value in row.items() if random.random() > 0.1}
        rows.append({**kept, "kind": "good" if number % 3 else "bad"})
    rows[0]["city"] = "two\nlines"
    return rows


def _columns(rows: list[dict[str, Any]]) -> dict[str, tf.Tensor]:
    columns = {}
    for name in sorted(SPEC.keys() - {"kind"}):
        dtype = SPEC[name].dtype
        columns[name] = tf.constant([row.get(name, _raw.missing_value(dtype)) for row in rows], dtype)
    return columns


@pytest.fixture(scope="session")
def analyzed(tmp_path_factory) -> Analyzed:
    """The table, analyzed once for all tests."""
    rows = _rows()
    folder = tmp_path_factory.mktemp("transform")
    metadata = tft.DatasetMetadata.from_feature_spec(SPEC)
    listed = [{name: [row[name]] if name in row else [] for name in SPEC} | {"kind": row["kind"]} for row in rows]
    with tft_beam.Context(temp_dir=str(folder / "scratch"), force_tf_compat_v1=False):
        function = (listed, metadata) | tft_beam.AnalyzeDataset(lambda raw: tabular.preprocessing_fn(raw, CONFIG))
        function | tft_beam.WriteTransformFn(str(folder))
    metadata_io.write_metadata(metadata, str(folder / "metadata"))
    transform = tft.TFTransformOutput(str(folder))
    graph = TransformGraph(transform)
    columns = _columns(rows)
    parsed = _raw.as_parsed(columns, graph.raw_feature_spec)
    features = {name: values.numpy() for name, values in graph(parsed).items()}
    names = sorted(columns)
    return Analyzed(
        rows, columns, graph, transform, features,
        _transforms.outputs(graph.raw_feature_spec, names, CONFIG["features"]["columns"]),
    )  # fmt: skip


@pytest.fixture(scope="session")
def known(analyzed):
    """Return a function from a column to (rows that have it, their values as float64)."""

    def of(name: str) -> tuple[np.ndarray, np.ndarray]:
        values = np.array([row.get(name, math.nan) for row in analyzed.rows], np.float64)
        return ~np.isnan(values), values[~np.isnan(values)]

    return of
