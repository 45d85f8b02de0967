"""Which model and which action a request target names.

Source: model_servers/http_rest_api_util.cc; the whole target must match, query string included, in any case.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from serving.errors import ServingError, invalid

_NAME = r"([^/:]+)"
_WHICH = rf"(?:/versions/(\d+)|/labels/{_NAME})?"
_FLAGS = re.IGNORECASE | re.ASCII | re.DOTALL
_ASK = re.compile(rf"/v1/models/{_NAME}{_WHICH}:(classify|regress|predict)", _FLAGS)
_LOOK = re.compile(rf"/v1/models(?:/{_NAME})?{_WHICH}(?:/(metadata))?", _FLAGS)
_VERBS = ("classify", "regress", "predict")


class EmptyBody(ServingError):
    """An error that TensorFlow Serving answers with no body at all."""


@dataclass(frozen=True)
class Route:
    """A parsed target.

    Attributes:
        action: 'predict', 'classify', 'regress', 'status' or 'metadata'.
        model: name, percent-decoded.
        version: number, or None.
        label: percent-decoded, or None.
    """

    action: str
    model: str
    version: int | None = None
    label: str | None = None


def route(method: str, target: str) -> Route:
    """Parse a request line.

    Args:
        method: as sent, such as 'POST'.
        target: as sent, still percent-encoded, with the query string; bytes above 127 as latin-1.

    Raises:
        ServingError: INVALID_ARGUMENT, malformed or without a model name.
    """
    return _remembered(method, target) if len(target) <= _LONGEST_REMEMBERED else _route(method, target)


def _route(method: str, target: str) -> Route:
    match = _ASK.fullmatch(target) if method == "POST" else _LOOK.fullmatch(target) if method == "GET" else None
    if match is None or (method == "POST" and match[4] not in _VERBS):
        raise invalid(f"Malformed request: {method} {target}")
    model, number, label, action = match.groups()
    if model is None:
        raise invalid("Missing model name in request.")
    version = int(number) if number else None
    if version is not None and version >= 2**63:
        raise EmptyBody("INVALID_ARGUMENT", f"Failed to convert version: {number} to numeric.")
    if method == "GET":
        action = "metadata" if action == "metadata" else "status"
    return Route(action, _decode(model), version, None if label is None else _decode(label))


# The same few targets come again and again; long ones are made up, and would fill the memory.
_LONGEST_REMEMBERED = 200
_remembered = lru_cache(maxsize=1024)(_route)


def _decode(text: str) -> str:
    return unquote_to_bytes(text.encode("latin-1")).decode("utf-8", "surrogateescape")
