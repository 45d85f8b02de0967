"""ML Metadata on PostgreSQL, which takes no text with a backslash by itself (1.16 to 1.21).

It strips the first and the last character of PQescapeLiteral's answer and quotes the rest. Of a text with a backslash
that answer is E'…' in place of '…', so that the database finds a syntax error. Every
JSON in a JSON, such as an eval_config, has backslashes.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf import message
from tfx.orchestration import metadata

_BACKSLASH = "\ue05c"  # in its place: a character that Unicode leaves to private use


class PostgreSQL(metadata.Metadata):
    """A store that keeps every backslash as another character, and gives it back as it was."""

    def __enter__(self) -> metadata.Metadata:
        super().__enter__()  # which connects anew each time
        self._store._call = _translated(self._store._call)
        return self


def _translated(call: Callable[..., Any]) -> Callable[..., Any]:
    def translated(method: str, request: message.Message, response: message.Message, *rest: Any) -> Any:
        stored = type(request)()
        stored.CopyFrom(request)
        _replace(stored, "\\", _BACKSLASH)
        done = call(method, stored, response, *rest)
        _replace(response, _BACKSLASH, "\\")
        return done

    return translated


def _replace(content: message.Message, old: str, new: str) -> None:
    """Replace a character in every text of a message."""
    for field, value in content.ListFields():
        if field.type == field.TYPE_STRING and isinstance(value, str):
            setattr(content, field.name, value.replace(old, new))
        elif field.type == field.TYPE_STRING:
            value[:] = [text.replace(old, new) for text in value]
        elif field.type == field.TYPE_MESSAGE:
            is_map = field.message_type.GetOptions().map_entry
            inner = value.values() if is_map else [value] if isinstance(value, message.Message) else value
            for one in inner:
                if isinstance(one, message.Message):
                    _replace(one, old, new)
