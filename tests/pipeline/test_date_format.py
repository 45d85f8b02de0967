"""Formats of dates: what they match, and what is refused before anything runs."""

import re
from datetime import datetime

import pytest
from pydantic import ValidationError

from pipeline import date_format
from pipeline.feature_config import Features

# Each with what strptime makes of it; the alternatives in a pattern are strptime's.
TEXTS = ["1.2.2024", "01.02.2024", "31.12.24", "1.13.2024", "32.1.2024", "0.1.2024", "1.2.24 extra", "1.2.20245"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("layout", ["%d.%m.%Y", "%d.%m.%y"])
def test_a_pattern_matches_what_strptime_takes(text, layout):
    pattern, groups = date_format.compiled(layout)
    match = re.fullmatch(pattern, text)
    try:
        python = datetime.strptime(text, layout)  # noqa: DTZ007
    except ValueError:
        assert match is None
        return
    found = dict(zip(groups, map(int, match.groups()), strict=True))
    year = found["year"] if "year" in found else 2000 + found["year_of_century"]
    assert (year, found["month"], found["day"]) == (python.year, python.month, python.day)


@pytest.mark.parametrize("layout", ["unix", "unix_ms"])
def test_numbers_have_no_pattern(layout):
    assert date_format.compiled(layout) == (None, ())


@pytest.mark.parametrize(
    ("layout", "parts", "complaint"),
    [
        ("%Y-%q", ["year"], r"no such directive, got '%q' in '%Y-%q'; there are %Y, .*, iso and unix"),
        ("%Y-%", ["year"], "no such directive, got '%' in"),
        ("day", ["day"], "no date, got 'day'; write iso, unix, unix_ms or directives such as %Y-%m-%d"),
        ("%Y %y", ["year"], "the year stands twice, got '%Y %y'; keep one"),
        ("%I", ["hour"], "%I and %p belong together, got '%I'; write both, or %H"),
        ("%Y-%m-%d", ["year", "hour"], "the format does not tell the hour, got '%Y-%m-%d'; take it out of parts"),
        ("%Y-%m", ["weekday"], "the format does not tell the weekday"),
        ("iso", ["day", "day"], "a part stands twice, got day, day; name each once"),
    ],
)
def test_a_senseless_format_is_told(layout, parts, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Features(columns={"when": {"date": {"format": layout, "parts": parts}}})


def test_a_model_gets_the_pattern_and_its_groups():
    features = Features(
        columns={"when": {"date": {"format": "%d/%m", "parts": ["day"]}}, "user": {"hash": {"buckets": 9}}}
    )
    (when,), (user,) = features.model_dump(mode="json", exclude_none=True)["columns"].values()
    assert re.fullmatch(when["pattern"], "31/12")
    assert when["groups"] == ["day", "month"]
    assert user == {"kind": "hash", "buckets": 9}
