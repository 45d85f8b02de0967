"""Dates against Python's datetime: leap years, the ends of years, times before 1970, formats, and what is no date."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import tensorflow as tf

from models import _dates, _on_device, _wanted
from models._dates import END_S, FIRST_S
from pipeline.feature_config import Date
from tests.models.conftest import PARTS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def options(text):
    """A format as the config hands it over."""
    date = Date(kind="date", format=text, parts=("year",))
    return date.model_dump(mode="json", exclude_none=True)


def parts(moments, row=0):
    """Year, month, day, hour and weekday of one row, or None where there is no date."""
    if not moments.known[row]:
        return None
    return tuple(int(moments.parts[part][row]) for part in ("year", "month", "day", "hour", "weekday"))


def expected(moment):
    return (moment.year, moment.month, moment.day, moment.hour, moment.weekday())


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),  # a second before 1970
        datetime(1900, 2, 28, 23, tzinfo=UTC),  # 1900 was no leap year
        datetime(1900, 3, 1, tzinfo=UTC),
        datetime(2000, 2, 29, 12, tzinfo=UTC),  # 2000 was one
        datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
        datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC),  # the end of a year, and the second after
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),  # more seconds than int32 has
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
@pytest.mark.parametrize(("unit", "rest"), [("unix", 0), ("unix_ms", 999)])
def test_numbers_since_1970_are_the_parts_of_the_calendar(moment, unit, rest):
    seconds = round((moment - EPOCH).total_seconds())
    number = seconds * _dates.PER_SECOND[unit] + rest
    assert parts(_dates.read(tf.constant([number], tf.int64), {"format": unit})) == expected(moment)


@pytest.mark.parametrize("second", [0, 86_399])
def test_every_day_of_ten_thousand_years(second):
    days = np.arange(FIRST_S // 86_400, END_S // 86_400)
    moments = _dates.read(tf.constant(days * 86_400 + second), {"format": "unix"})
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    assert np.all(moments.known)
    np.testing.assert_array_equal(moments.parts["year"], dates.astype("datetime64[Y]").astype(int) + 1970)
    np.testing.assert_array_equal(moments.parts["month"], months.astype(int) % 12 + 1)
    np.testing.assert_array_equal(moments.parts["day"], (dates - months).astype(int) + 1)
    np.testing.assert_array_equal(moments.parts["weekday"], [day.weekday() for day in dates.tolist()])
    assert set(moments.parts["hour"].numpy()) == {second // 3600}


@pytest.mark.parametrize("unit", ["unix", "unix_ms"])
def test_a_number_outside_the_calendar_is_missing(unit):
    numbers = [FIRST_S * _dates.PER_SECOND[unit] - 1, END_S * _dates.PER_SECOND[unit], tf.int64.min, tf.int64.max]
    assert not np.any(_dates.read(tf.constant(numbers, tf.int64), {"format": unit}).known)


@pytest.mark.parametrize(
    ("text", "layout", "moment"),
    [
        ("2024-02-29", "iso", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2023-12-31T23:59", "iso", datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("1969-07-20 20:17:40", "iso", datetime(1969, 7, 20, 20, tzinfo=UTC)),
        ("2024-05-06T07:08:09.123456Z", "iso", datetime(2024, 5, 6, 7, tzinfo=UTC)),
        ("2024-05-06T23:08:09+05:30", "iso", datetime(2024, 5, 6, 23, tzinfo=UTC)),  # the clock as it was written
        ("29.2.2000", "%d.%m.%Y", datetime(2000, 2, 29, tzinfo=UTC)),
        ("20240131", "%Y%m%d", datetime(2024, 1, 31, tzinfo=UTC)),
        ("01/15/2016 12:45:00 AM", "%m/%d/%Y %I:%M:%S %p", datetime(2016, 1, 15, tzinfo=UTC)),
        ("01/15/2016 12:45:00 pm", "%m/%d/%Y %I:%M:%S %p", datetime(2016, 1, 15, 12, tzinfo=UTC)),
        ("01/15/2016 11:45:00 PM", "%m/%d/%Y %I:%M:%S %p", datetime(2016, 1, 15, 23, tzinfo=UTC)),
        ("3-MAY-99", "%d-%b-%y", datetime(1999, 5, 3, tzinfo=UTC)),
        ("3-may-68", "%d-%b-%y", datetime(2068, 5, 3, tzinfo=UTC)),
        ("December  31, 1899 7h", "%B %d, %Y %Hh", datetime(1899, 12, 31, 7, tzinfo=UTC)),
        ("100%2024", "100%%%Y", datetime(2024, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_text_is_read_as_strptime_reads_it(text, layout, moment):
    assert parts(_dates.read(tf.constant([text]), options(layout))) == expected(moment)
    python = datetime.fromisoformat(text) if layout == "iso" else datetime.strptime(text, layout)  # noqa: DTZ007
    assert expected(python) == expected(moment)


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("", "iso"),
        ("yesterday", "iso"),
        ("2023-02-29", "iso"),
        ("1900-02-29", "iso"),
        ("2024-04-31", "iso"),
        ("2024-13-01", "iso"),
        ("0000-01-01", "iso"),
        ("2024-01-01T24:00", "iso"),
        ("2024-01-01 and more", "iso"),
        ("2024-01-01\n", "iso"),
        ("31.06.2024", "%d.%m.%Y"),
        ("31/05/2024", "%d.%m.%Y"),
        ("3105x2024", "%d%m.%Y"),
        ("13:00 PM", "%I:%M %p"),
        ("3-mai-99", "%d-%b-%y"),
        ("\xff", "%Y"),
    ],
)
def test_what_is_no_date_is_missing(text, layout):
    how = options(layout) if layout != "%I:%M %p" else hours(layout)
    assert not _dates.read(tf.constant([text]), how).known[0]


def hours(text):
    return Date(kind="date", format=text, parts=("hour",)).model_dump(mode="json", exclude_none=True)


def test_a_year_of_weeks_has_the_same_circle_every_week():
    days = [EPOCH + timedelta(days=day) for day in range(364)]
    moments = _dates.read(tf.constant([int(day.timestamp()) for day in days], tf.int64), {"format": "unix"})
    ids = _dates.feature(moments, "weekday", "id").numpy()
    np.testing.assert_array_equal(ids, [day.weekday() for day in days])
    np.testing.assert_array_equal(ids[:-7], ids[7:])
    points = np.stack([_dates.feature(moments, "weekday", form).numpy() for form in ("sin", "cos")], axis=1)
    steps = np.linalg.norm(points[1:] - points[:-1], axis=1)
    np.testing.assert_allclose(steps, 2 * math.sin(math.pi / 7), rtol=1e-5)  # Sunday to Monday too


@pytest.mark.parametrize("part", ["hour", "weekday", "month", "day"])
def test_a_missing_date_has_an_id_of_its_own_and_the_middle_of_the_circle(part):
    moments = _dates.read(tf.constant(["", "2024-01-01"]), options("iso"))
    _, count = _dates.CIRCLES[part]
    assert _dates.feature(moments, part, "id").numpy().tolist() == [count, 0]
    assert (_dates.feature(moments, part, "sin")[0], _dates.feature(moments, part, "cos")[0]) == (0, 0)
    assert _dates.feature(moments, part, "cos")[1] == 1
    assert _dates.feature(moments, part, "missing").numpy().tolist() == [1, 0]


@pytest.mark.parametrize(
    ("dtype", "how", "complaint"),
    [
        (tf.string, {"format": "unix"}, "the format 'unix' needs whole numbers, got string"),
        (tf.float32, {"format": "unix_ms"}, "needs whole numbers, got float32; a float is off by minutes"),
        (tf.float32, options("%Y%m%d"), "the format '%Y%m%d' needs text, got float32"),
        (tf.int64, options("%d%m%Y"), "needs text, got int64; only a number that begins with the year can be read"),
    ],
)
def test_a_format_that_does_not_suit_the_type_is_told(dtype, how, complaint):
    plan = {"when": [{"kind": "date", "parts": ["year"], "cyclic": False, **how}]}
    with pytest.raises(ValueError, match=rf"^features\.columns\.when\.date: .*{complaint}"):
        _wanted.outputs({"when": tf.io.VarLenFeature(dtype)}, ["when"], plan)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (tf.io.VarLenFeature(tf.int64), "unix"),
        (tf.io.FixedLenFeature([], tf.int64), "unix"),  # it may be no date: milliseconds are none
        (tf.io.FixedLenFeature([], tf.string), "iso"),
    ],
)
def test_every_date_is_flagged_once_where_it_is_none(spec, text):
    plan = {"when": [options(text)]}
    found = [output.name for output in _wanted.outputs({"when": spec}, ["when"], plan)]
    assert found == ["when_year", "when_missing"]


def test_a_format_that_reads_no_row_is_refused():
    plan = {"when": [options("iso")], "other": [{"kind": "log"}]}
    unread, half = {"when_missing": np.ones(3)}, {"when_missing": np.array([1, 0, 1])}
    with pytest.raises(ValueError, match=r"features\.columns\.when\.date: the format reads no row, got 'iso'; look"):
        _dates.refuse_unread([(unread, 0), (unread, 0)], plan)
    _dates.refuse_unread([(unread, 0), (half, 0)], plan)
    _dates.refuse_unread([({"when_year": np.ones(3)}, 0)], plan)


def test_tflite_takes_timestamps_apart_as_the_graph_does():
    spec = {"start": tf.io.VarLenFeature(tf.int64), "end": tf.io.VarLenFeature(tf.int64)}
    date = {"kind": "date", "parts": PARTS}
    plan = {
        "start": [{**date, "format": "unix", "cyclic": False}], "end": [{**date, "format": "unix_ms", "cyclic": True}],
    }  # fmt: skip
    wanted = _wanted.outputs(spec, ["start", "end"], plan)
    statistics = {output.name: {"mean": 1999.3, "deviation": 12.5} for output in wanted}
    module = _on_device.OnDevice(wanted, statistics, spec)
    inputs = [tf.TensorSpec([None], tf.int64, name=name) for name in spec]
    function = tf.function(lambda start, end: module({"start": start, "end": end}), input_signature=inputs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
    seconds = np.random.default_rng(1).integers(FIRST_S, END_S, 500)
    seconds = np.concatenate([seconds, [FIRST_S, END_S - 1, END_S, -1, 0, tf.int64.min]])
    columns = {"start": tf.constant(seconds), "end": tf.constant(np.clip(seconds, FIRST_S - 1, END_S) * 1000)}
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    found = interpreter.get_signature_runner()(**columns)
    for name, values in module(columns).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-6, err_msg=name)
