"""The short way from a predict body to arrays, for the bodies nearly every client sends.

A C parser reads the document and whole columns become arrays at once. Wherever the outcome could differ from the exact
reader's (rest_exact.py), these functions answer None and the exact reader decides, errors included. So this file
decides nothing about the protocol: it only has to be right when it answers.
"""

import binascii
import re
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from serving.signature import STRING, Signature, TensorInfo

_INT_RANGE = {
    np.int8: (-(2**31), 2**31), np.int16: (-(2**31), 2**31), np.int32: (-(2**31), 2**31), np.uint8: (-(2**31), 2**31),
    np.int64: (-(2**63), 2**63), np.uint32: (0, 2**32), np.uint64: (0, 2**64),
}  # fmt: skip
_SPACE, _QUOTE, _COLON, _BRACE = b' ":{'
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def read(body: bytes) -> dict[str, Any] | None:
    """Parse a body; None when it is not plain JSON with an object at the top and no key twice."""
    try:
        document = orjson.loads(body)
    except ValueError:
        return None
    return document if type(document) is dict and _no_key_twice(document, body) else None


def _no_key_twice(document: dict[str, Any], body: bytes) -> bool:
    """Whether the parser kept every key that the text has: it drops the first of two equal ones, silently.

    A key is a '"' followed by ':'. Space before a colon would hide one, so it sends the body the exact way; a string
    that holds '\\":' only adds one. So equal counts prove that nothing was dropped.
    """
    characters = np.frombuffer(body, np.uint8)
    before_colons = characters[np.flatnonzero(characters == _COLON) - 1]
    if np.count_nonzero(before_colons <= _SPACE):
        return False
    keys, rows = len(document), document.get("instances")
    if type(rows) is list and rows and type(rows[0]) is dict:
        try:
            keys += sum(map(len, rows))
        except TypeError:
            return False
        braces = 1 + len(rows)
    else:
        braces = 1
    if np.count_nonzero(characters == _BRACE) != braces:
        keys = _count_keys(document)
    return np.count_nonzero(before_colons == _QUOTE) == keys


def _count_keys(document: Any) -> int:
    total, pending = 0, [document]
    while pending:
        node = pending.pop()
        if type(node) is dict:
            total += len(node)
            pending.extend(node.values())
        elif type(node) is list:
            pending.extend(node)
    return total


def tensors(document: dict[str, Any], signature: Signature) -> tuple[dict[str, np.ndarray], bool] | None:
    """Turn a document from `read` into arrays by input name, and whether it came as rows; None for anything unusual."""
    names = signature.input_names
    rows = document.get("instances")
    if "inputs" not in document:
        if type(rows) is not list or not rows:
            return None
        columns = _columns(rows, names)
    elif "instances" not in document:
        columns = _named(document["inputs"], names)
    else:
        return None
    if columns is None:
        return None
    filled = {}
    with np.errstate(over="ignore"):  # a double too large for float32 becomes infinite
        for name, column in zip(names, columns, strict=True):
            array = _dense(column, signature.inputs[name])
            if array is None:
                return None
            filled[name] = array
    return filled, rows is not None


def _columns(rows: list[Any], names: tuple[str, ...]) -> Sequence[Any] | None:
    first = rows[0]
    if type(first) is not dict or (len(names) == 1 and "b64" in first):
        return [rows] if len(names) == 1 else None
    try:
        if any(len(row) != len(names) for row in rows):
            return None
        if len(names) == 1:
            return [[row[names[0]] for row in rows]]
        return list(zip(*map(itemgetter(*names), rows), strict=True))
    except (KeyError, TypeError, IndexError):
        return None


def _named(value: Any, names: tuple[str, ...]) -> Sequence[Any] | None:
    if type(value) is not dict or "b64" in value:
        return [value] if len(names) == 1 else None
    try:
        return [value[name] for name in names]
    except KeyError:
        return None


def _dense(value: Any, info: TensorInfo) -> np.ndarray | None:
    """Nested lists to an array of the tensor's dtype; None unless regular and of one kind."""
    flat: list[Any]
    shape: tuple[int, ...]
    if type(value) is not list and type(value) is not tuple:
        flat, shape = [value], ()
    else:
        flat, shape = list(value), (len(value),)
        while flat and type(flat[0]) is list:
            sizes = set(map(len, flat)) if set(map(type, flat)) == {list} else ()
            if len(sizes) != 1:
                return None
            shape += (sizes.pop(),)
            flat = list(chain.from_iterable(flat))
    if 0 in shape or len(shape) > 32:
        return None
    array = _flat(flat, info)
    return array if array is None or len(shape) == 1 else array.reshape(shape)


def _flat(values: Sequence[Any], info: TensorInfo) -> np.ndarray | None:
    kinds = set(map(type, values))
    if info.dtype == STRING:
        return _strings(values, kinds)
    kind = info.numpy_dtype
    if kind is np.float32 or kind is np.float64:
        return np.array(values, kind) if kinds <= {float, int} else None  # rounds each double to the nearest
    if kind is np.bool_:
        return np.array(values, kind) if kinds == {bool} else None
    limits = _INT_RANGE.get(kind)  # type: ignore[arg-type]
    if limits is None or kinds != {int} or min(values) < limits[0] or max(values) >= limits[1]:
        return None
    return np.array(values, np.uint64 if limits[0] == 0 else np.int64).astype(kind)


def _strings(values: Sequence[Any], kinds: set[type]) -> np.ndarray | None:
    array: np.ndarray = np.empty(len(values), object)
    if kinds == {str}:
        array[:] = [value.encode() for value in values]
        return array
    if kinds != {dict}:
        return None
    try:
        texts = [value["b64"] for value in values if len(value) == 1]
        if len(texts) != len(values) or not all(map(_BASE64.fullmatch, texts)):
            return None
        array[:] = [binascii.a2b_base64(text) for text in texts]
    except (KeyError, TypeError, ValueError):
        return None
    return array
