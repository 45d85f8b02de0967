"""Bytes in JSON: the object {"b64": "..."}. Source: util/json_tensor.cc and absl/strings/escaping.cc."""

import base64
import re
from typing import Any

from serving.errors import invalid
from serving.json_show import show

_DATA = re.compile(rb"([A-Za-z0-9+/]*)([=.]*)")
_SPACE = re.compile(rb"[ \t\n\v\f\r]+")


def is_base64(value: Any) -> bool:
    """Whether a value is an object with the one key b64 and a string in it."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), bytes)


def decode_object(value: dict[str, Any]) -> bytes:
    """Decode a base64 object: standard alphabet, white space skipped, padding ('=' or '.') optional but then right.

    Raises:
        ServingError: INVALID_ARGUMENT, another object, or not base64.
    """
    if not is_base64(value):
        raise invalid(f"JSON Value: {show(value)} not formatted correctly for base64 data")
    match = _DATA.fullmatch(_SPACE.sub(b"", value["b64"]))
    if match is None or len(match[1]) % 4 == 1 or (match[2] and len(match[2]) != -len(match[1]) % 4):
        raise invalid(f"JSON Value: {show(value)} Unable to base64 decode")
    return base64.b64decode(match[1] + b"=" * (-len(match[1]) % 4))
