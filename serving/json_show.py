"""Quote a parsed JSON value inside an error text: pretty-printed, and cut at 256 bytes, as since TF Serving 2.18."""

import math
from collections.abc import Iterator
from typing import Any

_LIMIT = 256
_NAMES = {dict: "Object", list: "Array", bytes: "String", str: "String", int: "Number", float: "Number"}
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def type_name(value: Any) -> str:
    """RapidJSON's name of a value's type: Null, False, True, Object, Array, String or Number."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return str(value)
    return _NAMES[type(value)]


def show(value: Any) -> str:
    """Pretty-print a value; never walks more of it than it shows, so depth and size do not matter."""
    shown: list[str] = []
    left = _LIMIT
    for piece in _pieces(value, 0):
        if len(piece) > left:
            return "".join(shown) + piece[:left] + "..."
        shown.append(piece)
        left -= len(piece)
    return "".join(shown)


def scalar(value: Any) -> str:
    """One scalar as JSON text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int | float):
        return repr(value)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return quote(text)


def quote(text: str) -> str:
    """A string literal, with only quotes, backslashes and control characters escaped."""
    return '"' + "".join(_ESCAPED.get(c) or (c if c >= " " else f"\\u{ord(c):04X}") for c in text) + '"'


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if not isinstance(value, dict | list):
        yield scalar(value if not isinstance(value, bytes | str) else value[: 4 * _LIMIT])
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if not value:
        yield opening + closing
        return
    indent = "\n" + "    " * (depth + 1)
    members = value.items() if isinstance(value, dict) else (("", item) for item in value)
    for number, (name, item) in enumerate(members):
        yield (opening if number == 0 else ",") + indent
        if isinstance(value, dict):
            yield quote(name) + ": "
        yield from _pieces(item, depth + 1)
    yield "\n" + "    " * depth + closing
