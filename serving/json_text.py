"""Read JSON exactly as TensorFlow Serving's parser does, where that differs from what fast parsers do.

Strict JSON, and besides: the tokens NaN, Inf, Infinity and their negatives; a byte order mark is skipped; the first of
two equal keys wins; text after the document is ignored; UTF-8 is not checked; nesting has no limit; a number beyond
double is an error. Values: dict[str, ...], list, bytes (a string's UTF-8), int (fits int64 or uint64), float, bool,
None. Source: RapidJSON 1.1.0, reader.h and error/en.h, with the flags that util/json_tensor.cc sets.
"""

import math
import re
from typing import Any

from serving.errors import ServingError, invalid

_SPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'"([^"\\\x00-\x1f]*)"')
_CHUNK = re.compile(rb'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_EXPONENT = re.compile(rb"[eE][+-]?")
_NOT_FINITE = re.compile(rb"(-?)(?:(NaN)|Inf(inity|(?!i)))")
_ESCAPES = {34: b'"', 47: b"/", 92: b"\\", 98: b"\b", 102: b"\f", 110: b"\n", 114: b"\r", 116: b"\t"}
_WORDS = ((b"null", None), (b"true", True), (b"false", False))
_BOM = b"\xef\xbb\xbf"


def parse(text: bytes) -> Any:
    """Parse one document.

    Raises:
        ServingError: INVALID_ARGUMENT, 'JSON Parse error: <what> at offset: <byte>'.
    """
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    at = _skip(text, 3 if text.startswith(_BOM) else 0)
    if at == len(text):
        raise _error("The document is empty.", at)
    open_holders: list[tuple[Any, str | None]] = []
    while True:
        node, at, opened = _value(text, at)
        if opened:
            key = None
            if isinstance(node, dict):
                key, at = _member_name(text, at)
            open_holders.append((node, key))
            continue
        at = _close(text, at, node, open_holders)
        if at < 0:
            return _root(open_holders, node)


def _root(holders: list[tuple[Any, str | None]], node: Any) -> Any:
    return holders[0][0] if holders else node


def _close(text: bytes, at: int, node: Any, holders: list[tuple[Any, str | None]]) -> int:
    """Put a finished node into its holder, and close every holder that ends here; -1 at the end of the document."""
    while holders:
        holder, key = holders[-1]
        if key is None:
            holder.append(node)
        else:
            holder.setdefault(key, node)
        at = _skip(text, at)
        mark = text[at : at + 1]
        if mark == b",":
            at = _skip(text, at + 1)
            if key is not None:
                key, at = _member_name(text, at)
                holders[-1] = (holder, key)
            return at
        if mark != (b"]" if key is None else b"}"):
            what = "a comma or ] after an array element." if key is None else "a comma or } after an object member."
            raise _error("Missing " + what, at)
        at += 1
        node = holder
        if len(holders) == 1:
            return -1
        holders.pop()
    return -1


def _value(text: bytes, at: int) -> tuple[Any, int, bool]:
    """Read a value at `at`; returns (value, where it ends, whether it is a holder still to be filled)."""
    first = text[at : at + 1]
    if first == b'"':
        return *_string(text, at), False
    if first == b"{" or first == b"[":
        node: Any = {} if first == b"{" else []
        at = _skip(text, at + 1)
        if text[at : at + 1] == (b"}" if first == b"{" else b"]"):
            return node, at + 1, False
        return node, at, True
    for word, meaning in _WORDS:
        if first == word[:1]:
            common = next((i for i in range(4) if text[at + i : at + i + 1] != word[i : i + 1]), None)
            if not text.startswith(word, at):
                raise _error("Invalid value.", at + (common or 4))
            return meaning, at + len(word), False
    return *_number(text, at), False


def _number(text: bytes, at: int) -> tuple[int | float, int]:
    match = _NUMBER.match(text, at)
    if match is None:
        special = _NOT_FINITE.match(text, at)
        if special is None:
            raise _error("Invalid value.", at + (text[at : at + 1] == b"-"))
        number = math.nan if special[2] else math.inf
        return (-number if special[1] else number), special.end()
    end = match.end()
    if match[2] is None:
        if match[1] is None and text[end : end + 1] == b".":
            raise _error("Miss fraction part in number.", end + 1)
        broken = _EXPONENT.match(text, end)
        if broken:
            raise _error("Miss exponent in number.", broken.end())
    if match[1] is None and match[2] is None and len(match[0]) < 21:
        whole = int(match[0])
        if -(2**63) <= whole < 2**64:
            return whole, end
    number = float(match[0])
    if math.isinf(number):
        raise _error("Number too big to be stored in double.", at)
    return number, end


def _member_name(text: bytes, at: int) -> tuple[str, int]:
    if text[at : at + 1] != b'"':
        raise _error("Missing a name for object member.", at)
    name, at = _string(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != b":":
        raise _error("Missing a colon after a name of object member.", at)
    return name.decode("utf-8", "surrogateescape"), _skip(text, at + 1)


def _string(text: bytes, at: int) -> tuple[bytes, int]:
    match = _PLAIN.match(text, at)
    if match:
        return match[1], match.end()
    parts, at = [], at + 1
    while True:
        end = _end(_CHUNK, text, at)
        parts.append(text[at:end])
        at = end
        mark = text[at : at + 1]
        if mark == b'"':
            return b"".join(parts), at + 1
        if mark == b"\\":
            part, at = _escape(text, at)
            parts.append(part)
        elif mark in (b"", b"\0"):
            raise _error("Missing a closing quotation mark in string.", at)
        else:
            raise _error("Invalid escape character in string.", at)


def _escape(text: bytes, at: int) -> tuple[bytes, int]:
    letter = text[at + 1] if at + 1 < len(text) else 0
    if letter != 0x75:
        if letter not in _ESCAPES:
            raise _error("Invalid escape character in string.", at)
        return _ESCAPES[letter], at + 2
    point = _hex4(text, at + 2, at)
    end = at + 6
    if 0xD800 <= point <= 0xDBFF:
        if text[end : end + 2] != b"\\u":
            raise _error("The surrogate pair in string is invalid.", at)
        low = _hex4(text, end + 2, at)
        if not 0xDC00 <= low <= 0xDFFF:
            raise _error("The surrogate pair in string is invalid.", at)
        point, end = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00), end + 6
    return chr(point).encode("utf-8", "surrogatepass"), end


def _hex4(text: bytes, at: int, escape_at: int) -> int:
    digits = text[at : at + 4]
    if not re.fullmatch(rb"[0-9a-fA-F]{4}", digits):
        raise _error("Incorrect hex digit after \\u escape in string.", escape_at)
    return int(digits, 16)


def _skip(text: bytes, at: int) -> int:
    return _end(_SPACE, text, at)


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where a pattern that also matches nothing ends."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _error(what: str, at: int) -> ServingError:
    return invalid(f"JSON Parse error: {what} at offset: {at}")
