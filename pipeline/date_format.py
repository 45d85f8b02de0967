"""A date format of the config as a pattern that TensorFlow, Python and the regular expressions of a phone read alike.

The pattern's groups are named by a list, since TensorFlow knows groups by number only.
"""

import re

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
# The field that a directive of strptime gives, and what it matches; one digit where strptime takes one.
DIRECTIVES = {
    "Y": ("year", "[0-9]{4}"),
    "y": ("year_of_century", "[0-9]{2}"),
    "m": ("month", "1[0-2]|0[1-9]|[1-9]"),
    "b": ("month_name", f"(?i:{'|'.join(name[:3] for name in MONTHS)})"),
    "B": ("month_name", f"(?i:{'|'.join(MONTHS)})"),
    "d": ("day", "3[01]|[12][0-9]|0[1-9]|[1-9]"),
    "H": ("hour", "2[0-3]|[01][0-9]|[0-9]"),
    "I": ("hour_of_half", "1[0-2]|0[1-9]|[1-9]"),
    "p": ("half", "(?i:am|pm)"),
    "M": ("minute", "[0-5][0-9]|[0-9]"),
    "S": ("second", "[0-5][0-9]|[0-9]"),
    "f": ("fraction", "[0-9]{1,6}"),
}
DAY = "([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
CLOCK = "([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-5][0-9])?)?"
ISO = f"{DAY}(?:[T ]{CLOCK})?"
ISO_GROUPS = ("year", "month", "day", "hour", "minute", "second")
# Numbers of seconds or milliseconds since 1970 in UTC: nothing to match.
NUMBERS = ("unix", "unix_ms")
# Fields that say the same; a format has one of them.
SAME = {"year_of_century": "year", "month_name": "month", "hour_of_half": "hour"}
# The fields that a part is made of.
NEEDS = {"hour": {"hour"}, "weekday": {"year", "month", "day"}, "month": {"month"}, "day": {"day"}, "year": {"year"}}


def compiled(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the pattern of a format, for a whole text, and the fields its groups hold; None for numbers.

    Raises:
        ValueError: a directive is not known or stands twice, or %I and %p are not together.
    """
    if text in NUMBERS:
        return None, ()
    if text == "iso":
        return ISO, ISO_GROUPS
    pattern = ""
    groups: list[str] = []
    for literal, directive in re.findall(r"([^%]+)|%(.?)", text):
        if literal:
            pattern += re.sub(r"\s+", r"\\s+", re.sub(r"[^\w\s]", r"\\\g<0>", literal))
        elif directive == "%":
            pattern += "%"
        elif directive not in DIRECTIVES:
            known = ", ".join(f"%{name}" for name in DIRECTIVES)
            raise ValueError(f"no such directive, got '%{directive}' in {text!r}; there are {known}, iso and unix")
        else:
            field, matched = DIRECTIVES[directive]
            pattern, groups = f"{pattern}({matched})", [*groups, field]
    _refuse_senseless(text, groups)
    return pattern, tuple(groups)


def _refuse_senseless(text: str, groups: list[str]) -> None:
    if not groups:
        raise ValueError(f"no date, got {text!r}; write iso, unix, unix_ms or directives such as %Y-%m-%d")
    fields = [SAME.get(group, group) for group in groups]
    for field in fields:
        if fields.count(field) > 1:
            raise ValueError(f"the {field} stands twice, got {text!r}; keep one")
    if ("half" in groups) != ("hour_of_half" in groups):
        raise ValueError(f"%I and %p belong together, got {text!r}; write both, or %H")


def parts_without_field(text: str, parts: tuple[str, ...]) -> list[str]:
    """Return the parts that a format does not tell."""
    pattern, groups = compiled(text)
    if pattern is None:
        return []
    fields = {SAME.get(group, group) for group in groups}
    return [part for part in parts if not NEEDS[part] <= fields]
