"""The reference for apps; that it means what the graph means is tested in tests/models/test_on_device.py."""

import numpy as np
import pytest

from pipeline import date_format
from serving import dates
from serving.rows import MISSING


def feature(layout, **fields):
    pattern, groups = date_format.compiled(layout)
    return {"format": layout, "pattern": pattern, "groups": groups, "least": 0, "count": 24, "part": "hour", **fields}


@pytest.mark.parametrize(
    ("layout", "values", "expected"),
    [
        ("unix", [0, -1, 1_709_247_599, MISSING["int"], 2**62], [0, 23, 22, 24, 24]),
        ("unix_ms", [0, -1, 1_709_247_599_000, MISSING["int"]], [0, 23, 22, 24]),
        ("iso", [b"2024-02-29T17:45", b"2023-02-29T17:45", b"", b"\xff"], [17, 24, 24, 24]),
        ("%d-%b-%y %I%p", [b"1-MAR-68 12am", b"1-mar-69 12PM", b"31-apr-70 1pm"], [0, 12, 24]),
    ],
)
def test_an_hour_is_an_id_and_what_is_no_date_the_one_behind(layout, values, expected):
    how = feature(layout, form="id")
    found = dates.values(how, dates.moments(how, values))
    assert found.dtype == np.int64
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [("sin", [1, 0, 0]), ("cos", [0, 1, 0]), ("missing", [0, 0, 1]), ("zscore", [-2, -5, 0])],
)
def test_a_number_is_0_where_there_is_no_date(form, expected):
    how = feature("iso", form=form, mean=10, deviation=2)
    found = dates.values(how, dates.moments(how, [b"2024-01-01T06:00", b"2024-01-01", b""]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-7)
