"""A curated schema as a file: text that people review, written whole or not at all."""

import os
import re
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.errors import SetupError


def write_text(path: Path, text: str) -> None:
    """Write a file in one move: whoever reads it sees the old one or the new one.

    Raises:
        SetupError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SetupError(f"{path}: cannot be written, got {error.strerror}; check the folder") from error


def text(schema: schema_pb2.Schema, head: str) -> str:
    """Return a schema as text below a head of comment lines."""
    return head + text_format.MessageToString(schema, as_utf8=True)


def head(path: Path) -> str:
    """Return the comment lines that a schema file begins with."""
    return re.match(r"(?:#.*\n)*", path.read_text(encoding="utf-8"))[0]  # type: ignore[index]  # it matches nothing too


def require_free(paths: list[Path], place: str, *, force: bool) -> None:
    """Raise SetupError when a file is there already, and must not be written over."""
    taken = [str(path) for path in paths if path.exists()]
    if taken and not force:
        raise SetupError(f"{place}: already there, got {', '.join(taken)}; --force writes over it")
