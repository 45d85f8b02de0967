"""Spans: files that arrive in numbered or dated portions, of which one run reads the last, one, or several.

The signs in a path are those of TFX: {SPAN} or {YYYY}, {MM} and {DD}, and {VERSION} within a span, of which the highest
is read; {SPAN:3} has exactly three digits. A date's span is its number of days since 1970.
"""

import glob
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

SIGN = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::([^}]*))?\}")
DATE = ("YYYY", "MM", "DD")
EPOCH = date(1970, 1, 1)
LATEST = "latest"
# So many runs of spans are listed where one is missing: the last ones.
LISTED = 10


class NoSpan(ValueError):
    """What was asked for is no span, or none of these data."""


@dataclass(frozen=True)
class Inputs:
    """The files of one run.

    Attributes:
        patterns: absolute paths or globs by input split, without signs.
        spans: the first and the last span, or None for files without.
        version: of the last span, where there are versions.
    """

    patterns: Mapping[str, Sequence[str]]
    spans: tuple[int, int] | None = None
    version: int | None = None


@dataclass(frozen=True)
class _Found:
    """One value of the signs in a path: its span, its version (0 without), and the path with the values put in."""

    span: int
    version: int
    pattern: str


def signs(pattern: str) -> set[str]:
    """Return the names of the signs in a path."""
    return {match[1] for match in SIGN.finditer(pattern)}


def require_sound(patterns: Sequence[str]) -> None:
    """Check the signs in the paths of one config.

    Raises:
        ValueError: they do not fit together.
    """
    for pattern in patterns:
        found = [match[1] for match in SIGN.finditer(pattern)]
        dated = set(found) & set(DATE)
        if len(set(found)) < len(found):
            raise ValueError(f"a sign stands twice, got {pattern!r}; write each of {{SPAN}} and the like once")
        if dated and (len(dated) < len(DATE) or "SPAN" in found):
            raise ValueError(
                f"half a date, or a date and a span, got {pattern!r}; write {{SPAN}} or {{YYYY}}{{MM}}{{DD}}"
            )
        if "VERSION" in found and not dated and "SPAN" not in found:
            raise ValueError(f"a version of no span, got {pattern!r}; write {{SPAN}} too")
        for match in SIGN.finditer(pattern):
            if match[2] is not None and (match[1] in DATE or not re.fullmatch(r"[1-9][0-9]?", match[2])):
                raise ValueError(f"no width, got {match[0]!r}; write for instance {{SPAN:3}}")
    if len({frozenset(signs(pattern)) for pattern in patterns}) > 1:
        raise ValueError(f"the splits have different signs, got {list(patterns)}; write the same in each")


def resolve(patterns: Mapping[str, str], wanted: str | None) -> Inputs:
    """Find the files of the spans that a run is to read.

    Args:
        patterns: absolute paths or globs by input split.
        wanted: "latest" or None, a span, or the first and the last of several, "3-7"; dates as 20260131.

    Raises:
        NoSpan: there is no such span, or the paths have none at all.
        FileNotFoundError: there are no files of any span.
    """
    together = signs("".join(patterns.values()))
    if not together:
        if wanted is not None:
            raise NoSpan(f"the data have no spans, got {wanted!r}; drop it, or put {{SPAN}} into data.path")
        return Inputs({name: [pattern] for name, pattern in patterns.items()})
    dated = "YYYY" in together
    found = {name: _found(pattern) for name, pattern in patterns.items()}
    # The last version of each span that every split has.
    newest = dict(sorted(set.intersection(*({(one.span, one.version) for one in values} for values in found.values()))))
    if not newest:
        raise FileNotFoundError(f"no file matches, got {', '.join(map(repr, patterns.values()))}; check the path")
    first, last = _chosen(wanted, newest, dated)
    files = {
        name: sorted(
            {one.pattern for one in values if first <= one.span <= last and newest.get(one.span) == one.version}
        )
        for name, values in found.items()
    }
    return Inputs(files, (first, last), newest[last] if "VERSION" in together else None)


def _chosen(wanted: str | None, known: Collection[int], dated: bool) -> tuple[int, int]:
    """Return the first and the last span to read."""
    if wanted in (None, LATEST):
        return max(known), max(known)
    numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", str(wanted))
    if numbers is None:
        raise NoSpan(f"no span, got {wanted!r}; write latest, a number, or the first and the last as 3-7")
    first, last = (_number(text, dated) for text in (numbers[1], numbers[2] or numbers[1]))
    if first > last:
        raise NoSpan(f"the first span comes after the last, got {wanted!r}; swap them")
    missing = list(islice((span for span in range(first, last + 1) if span not in known), LISTED))
    if missing:
        raise NoSpan(f"no such span, got {_listed(missing, dated)}; there are {_listed(known, dated)}")
    return first, last


def _number(text: str, dated: bool) -> int:
    """Return a span from its number, or from its date."""
    if not dated:
        return int(text)
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError as error:
        raise NoSpan(f"the spans of these data are days, got {text!r}; write them as 20260131") from error


def _listed(spans: Iterable[int], dated: bool) -> str:
    """Return spans as words: `1-3, 5`, days as 20260131."""
    runs: list[list[int]] = []
    for span in sorted(spans):
        if runs and span == runs[-1][1] + 1:
            runs[-1][1] = span
        else:
            runs.append([span, span])
    texts = [
        "-".join(f"{EPOCH + timedelta(span):%Y%m%d}" if dated else str(span) for span in dict.fromkeys(run))
        for run in runs
    ]
    return ", ".join(["…"] * (len(texts) > LISTED) + texts[-LISTED:])


def _found(pattern: str) -> list[_Found]:
    """Return the values of the signs in the files that a path names."""
    path = re.compile(_regex(pattern))
    files = (path.fullmatch(file) for file in glob.glob(SIGN.sub("*", pattern)))
    matches = {tuple(match.groupdict().items()): match.groupdict() for match in files if match}
    found = []
    for values in matches.values():
        filled = SIGN.sub(lambda sign, values=values: values[sign[1]], pattern)  # type: ignore[misc]
        try:
            span = _number(
                "".join(values[sign] for sign in DATE) if "YYYY" in values else values["SPAN"], "YYYY" in values
            )
        except NoSpan as error:
            raise FileNotFoundError(f"no date in a path, got {filled!r}; rename it") from error
        found.append(_Found(span, int(values.get("VERSION", 0)), filled))
    return found


def _regex(pattern: str) -> str:
    """Return a glob as a regular expression in which the signs are named groups of digits."""
    digits = {"YYYY": "{4}", "MM": "{2}", "DD": "{2}"}
    pieces = []
    for piece in re.finditer(rf"(?P<sign>{SIGN.pattern})|\*+|\?|\[!?[^\]]+\]|.", pattern, re.DOTALL):
        text = piece[0]
        if piece["sign"]:
            _, name, width = piece.groups()
            pieces.append(f"(?P<{name}>[0-9]{f'{{{width}}}' if width else digits.get(name, '+')})")
        elif text[0] == "[" and len(text) > 1:
            pieces.append(text.replace("[!", "[^", 1))
        else:
            pieces.append({"*": "[^/]*", "?": "[^/]"}.get(text[0], re.escape(text)))
    return "".join(pieces)
