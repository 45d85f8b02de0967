"""Arrays to the JSON text that TensorFlow Serving writes. Source: util/json_tensor.cc, from WriteDecimal on.

Text is kept as str with surrogateescape, so that bytes which are not UTF-8 leave as they came.
"""

import base64
import re
from collections.abc import Sequence

import numpy as np

from serving.errors import ServingError, invalid
from serving.signature import STRING, Signature, TensorInfo

_SPECIAL = re.compile(r'["\\\x00-\x1f]')
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_NOT_FINITE = {"nan": "NaN", "-nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
# Dtypes JSON can carry, by DataType number.
_WRITABLE = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 22, 23})


def rows(signature: Signature, outputs: dict[str, np.ndarray]) -> bytes:
    """The answer to 'instances': one element per slice along dimension 0; objects by name for several outputs.

    Raises:
        ServingError: INVALID_ARGUMENT, an output of rank 0, of another batch size, or of a dtype JSON cannot carry.
    """
    batch = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information")
        if batch is not None and len(array) != batch:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}")
        batch = len(array)
    columns = {name: _elements(array, signature.outputs[name]) for name, array in outputs.items()}
    if len(columns) == 1:
        texts: Sequence[str] = next(iter(columns.values()))
    else:
        keys = [quote(name) + ": " for name in columns]
        texts = [
            "{" + ", ".join(key + text for key, text in zip(keys, row, strict=True)) + "}"
            for row in zip(*columns.values(), strict=True)
        ]
    if not texts:
        return b'{\n    "predictions": []\n}'
    return _document("predictions", "[" + ", ".join(texts) + "\n    ]")


def columns(signature: Signature, outputs: dict[str, np.ndarray]) -> bytes:
    """The answer to 'inputs': each output whole, bare when there is one, else an object by name.

    Raises:
        ServingError: INVALID_ARGUMENT, a dtype JSON cannot carry.
    """
    texts = {name: _whole(array, signature.outputs[name]) for name, array in outputs.items()}
    if len(texts) == 1:
        return _document("outputs", next(iter(texts.values())))
    members = ",\n        ".join(f"{quote(name)}: {text}" for name, text in texts.items())
    return _document("outputs", "{\n        " + members + "\n    }")


def classifications(results: Sequence[Sequence[tuple[bytes, float]]]) -> bytes:
    """The answer to classify: per example, [label, score] pairs; scores are float32."""
    texts = []
    for result in results:
        scores = floats(np.array([score for _, score in result], np.float32))
        labels = [quote(label.decode("utf-8", "surrogateescape")) for label, _ in result]
        texts.append("[" + ", ".join(f"[{a}, {b}]" for a, b in zip(labels, scores, strict=True)) + "]")
    return _document("results", "[" + ", ".join(texts) + "\n    ]")


def regressions(values: np.ndarray) -> bytes:
    """The answer to regress: values float32 [n]."""
    return _document("results", "[" + ", ".join(floats(values)) + "\n    ]")


def error(message: str) -> bytes:
    """The body of every error."""
    return ('{\n    "error": ' + quote(message) + "\n}\n").encode("utf-8", "surrogateescape")


def _document(key: str, text: str) -> bytes:
    return f'{{\n    "{key}": {text}\n}}'.encode("utf-8", "surrogateescape")


def _elements(array: np.ndarray, info: TensorInfo) -> Sequence[str]:
    """One text per slice along dimension 0."""
    texts: Sequence[str] = _scalars(array.reshape(-1), info)
    for axis in range(array.ndim - 1, 0, -1):
        size, count = array.shape[axis], int(np.prod(array.shape[:axis]))
        texts = ["[" + ", ".join(texts[i * size : (i + 1) * size]) + "]" for i in range(count)]
    return texts


def _whole(array: np.ndarray, info: TensorInfo) -> str:
    return _elements(array.reshape((1, *array.shape)), info)[0]


def _scalars(flat: np.ndarray, info: TensorInfo) -> Sequence[str]:
    if info.dtype not in _WRITABLE:
        raise invalid(f"Failed to write JSON value for tensor type: {info.dtype_name}")
    if info.dtype == STRING:
        return _strings(flat.tolist(), info.alias.endswith("_bytes"))
    if flat.dtype.kind == "f":
        return floats(flat)
    if flat.dtype.kind == "b":
        return ["true" if value else "false" for value in flat.tolist()]
    return list(map(str, flat.tolist()))


def _strings(values: Sequence[bytes], as_base64: bool) -> Sequence[str]:
    if as_base64:
        return ['{"b64": "' + base64.b64encode(value).decode() + '"}' for value in values]
    return [quote(value.decode("utf-8", "surrogateescape")) for value in values]


def floats(values: np.ndarray) -> Sequence[str]:
    """Decimal texts of float32 or float64 [n].

    Six significant digits if they read back to the same value, else nine (float32) or seventeen (float64); '.0' is
    appended to what would look like an integer.
    """
    numbers = values.tolist()
    texts = ("%g " * len(numbers) % tuple(numbers)).split()
    short = np.array(list(map(float, texts))).astype(values.dtype, copy=False) == values
    if not short.all():
        digits = "%.9g" if values.dtype == np.float32 else "%.17g"
        for at in np.flatnonzero(~short).tolist():
            texts[at] = digits % numbers[at]
    return [text if "." in text or "e" in text else _NOT_FINITE.get(text) or text + ".0" for text in texts]


def quote(text: str) -> str:
    """A JSON string literal; only quotes, backslashes and control characters are escaped."""
    if _SPECIAL.search(text):
        text = _SPECIAL.sub(_escape, text)
    return f'"{text}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[0]) or f"\\u{ord(match[0]):04X}"


def status_of(error_: ServingError) -> tuple[int, bytes]:
    """HTTP status and body for an error."""
    return error_.http_status, error(error_.message)
