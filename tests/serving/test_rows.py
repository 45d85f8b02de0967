"""Rows as columns: a value that is not there, in each of the ways an Example can say so."""

import numpy as np
import tensorflow as tf

from serving.rows import MISSING, from_examples
from serving.signature import STRING, TensorInfo

INPUTS = {
    name: TensorInfo(name, f"{name}:0", dtype, (-1,)) for name, dtype in (("fare", 1), ("zone", 9), ("company", STRING))
}


def test_values_and_all_ways_to_leave_one_out():
    full, unset, empty = tf.train.Example(), tf.train.Example(), tf.train.Example()
    for name, kind, value in (("fare", "float_list", 2.5), ("zone", "int64_list", 7), ("company", "bytes_list", b"A")):
        getattr(full.features.feature[name], kind).value.append(value)
        unset.features.feature[name].SetInParent()
        getattr(empty.features.feature[name], kind).SetInParent()
    rows = [row.SerializeToString() for row in (full, unset, empty, tf.train.Example())]
    columns = from_examples(rows, INPUTS)
    np.testing.assert_array_equal(columns["fare"], np.array([2.5, np.nan, np.nan, np.nan], np.float32))
    assert columns["zone"].tolist() == [7, *[MISSING["int"]] * 3]
    assert columns["company"].tolist() == [b"A", b"", b"", b""]


def test_a_feature_that_no_row_has_is_missing_in_all():
    columns = from_examples([tf.train.Example().SerializeToString()] * 2, INPUTS)
    assert columns["zone"].tolist() == [MISSING["int"]] * 2
    assert np.isnan(columns["fare"]).all()
