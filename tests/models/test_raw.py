"""Missing values at both doors: markers in named tensors, gaps in tf.Examples, and from one to the other and back."""

import math

import numpy as np
import pytest
import tensorflow as tf

from models import _raw
from tests.conftest import serialized

SPEC = {
    "size": tf.io.VarLenFeature(tf.float32),
    "city": tf.io.VarLenFeature(tf.string),
    "visits": tf.io.VarLenFeature(tf.int64),
    "weight": tf.io.FixedLenFeature([], tf.float32),
    "zone": tf.io.FixedLenFeature([1], tf.int64),
}
COLUMNS = {
    "size": tf.constant([1.5, math.nan, -2.0]),
    "city": tf.constant(["Rome", "", "Größe\n"]),
    "visits": tf.constant([_raw.MISSING_INT, 7, 0], tf.int64),
    "weight": tf.constant([1.0, 2.0, math.nan]),
    "zone": tf.constant([1, 2, _raw.MISSING_INT], tf.int64),
}
MISSING_ROW = {"size": 1, "city": 1, "visits": 0}


@pytest.mark.parametrize("name", SPEC)
def test_columns_survive_being_parsed_features_in_between(name):
    parsed = _raw.as_parsed({name: COLUMNS[name]}, SPEC)
    np.testing.assert_array_equal(_raw.as_columns(parsed, [name])[name], COLUMNS[name])


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("size", [{"size": 1.5}, {}], [1.5, math.nan]),
        ("city", [{}, {"city": "Rome"}], [b"", b"Rome"]),
        ("visits", [{"visits": 0}, {}], [0, _raw.MISSING_INT]),
        ("size", [{}, {}], [math.nan, math.nan]),
        ("city", [{}, {}], [b"", b""]),
        ("visits", [{}, {}], [_raw.MISSING_INT, _raw.MISSING_INT]),
    ],
)
def test_a_feature_that_an_example_leaves_out_becomes_the_marker_of_its_type(name, rows, expected):
    parsed = tf.io.parse_example([serialized(row) for row in rows], {name: SPEC[name]})
    np.testing.assert_array_equal(_raw.as_columns(parsed, [name])[name], np.array(expected))


@pytest.mark.parametrize("name", ["size", "city", "visits"])
def test_markers_become_what_parsing_the_same_rows_gives(name):
    values = [value.decode() if isinstance(value, bytes) else value for value in COLUMNS[name].numpy().tolist()]
    rows = [{name: value} for value in values]
    rows[MISSING_ROW[name]] = {}
    expected = tf.io.parse_example([serialized(row) for row in rows], {name: SPEC[name]})[name]
    found = _raw.as_parsed({name: COLUMNS[name]}, SPEC)[name]
    for part in ("indices", "values", "dense_shape"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


def test_the_spec_of_a_parsed_feature_parses_such_a_feature():
    parsed = _raw.as_parsed(COLUMNS, SPEC)
    assert {name: _raw.spec_of(feature) for name, feature in parsed.items()} == SPEC


def test_a_model_takes_every_feature_but_the_label_and_the_excluded_ones():
    config = {"label": {"name": "zone"}, "features": {"exclude": ["city", "not there"]}}
    names = _raw.feature_names(SPEC, config)
    assert names == ["size", "visits", "weight"]
    signature = _raw.signature(SPEC, names)
    assert {name: spec.dtype for name, spec in signature.items()} == {name: SPEC[name].dtype for name in names}
    assert all(spec.shape == [None] for spec in signature.values())
