"""A YAML file as plain data that remembers on which line each value stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """A mapping read from a file.

    Attributes:
        path: the file.
        data: its content, with the command line's overrides applied.
        lines: by key path, the line (from 1) on which the value stands.
    """

    path: Path
    data: dict[str, Any]
    lines: dict[Path_, int]

    def place(self, key: Path_) -> str:
        """Return `file:line: a.b` for a key path; the line is that of the nearest parent that has one."""
        dotted = ".".join(str(part) for part in key)
        for end in range(len(key), 0, -1):
            if key[:end] in self.lines:
                return f"{self.path}:{self.lines[key[:end]]}: {dotted}"
        return f"{self.path}: {dotted}" if dotted else str(self.path)


def read(path: Path, overrides: Iterable[str] = (), text: str | None = None) -> YamlFile:
    """Read a YAML mapping, with `a.b=value` overrides on top.

    Args:
        path: the file.
        overrides: applied in this order.
        text: stands for the file's content; then the file need not exist.

    Raises:
        ConfigError: the file cannot be read, is no YAML, is empty, is no mapping, or has a key twice.
    """
    try:
        content = path.read_text(encoding="utf-8") if text is None else text
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read, got {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8, got byte {error.object[error.start]:#x}; save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML, got {error.problem}; check indentation and quotes") from error
    if root is None:
        raise ConfigError(f"{path}: an empty file; a config begins with `name:`, see configs/taxi.yaml")
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{path}:1: no map at the top, got {_excerpt(root)}; a config is a map of `key: value`")
    lines: dict[Path_, int] = {}
    mistakes = _walk(root, (), lines)
    if mistakes:
        raise ConfigError(*(f"{path}:{line}: {text}" for line, text in mistakes))
    data = yaml.SafeLoader("").construct_document(root)
    for override in overrides:
        _apply(data, override, lines)
    return YamlFile(path, data, lines)


def _walk(node: yaml.Node, key: Path_, lines: dict[Path_, int]) -> list[tuple[int, str]]:
    """Fill `lines` below a node; return (line, text) for every key that stands twice in one map."""
    lines[key] = node.start_mark.line + 1
    mistakes = []
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for name, value in node.value:
            line, dotted = name.start_mark.line + 1, ".".join(map(str, (*key, name.value)))
            if name.value in seen:
                mistakes.append((line, f"{dotted}: stands twice, got {name.value!r} again; keep one of the two"))
            seen.add(name.value)
            mistakes += _walk(value, (*key, name.value), lines)
            lines[(*key, name.value)] = line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            mistakes += _walk(value, (*key, index), lines)
    return mistakes


def _apply(data: dict[str, Any], override: str, lines: dict[Path_, int]) -> None:
    """Set one `a.b=value` in place; the value is YAML."""
    dotted, equals, text = override.partition("=")
    if not equals or not dotted:
        raise ConfigError(f"--set: no `key=value`, got {override!r}; write for instance --set training.epochs=3")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {dotted}: not a YAML value, got {text!r}; quote it") from error
    *parents, last = dotted.split(".")
    target = data
    for parent in parents:
        below = target.setdefault(parent, {})
        if not isinstance(below, dict):
            raise ConfigError(f"--set {dotted}: {parent!r} is no map, got {below!r}; override it as a whole")
        target = below
    target[last] = value
    key = tuple(dotted.split("."))
    for known in [known for known in lines if known[: len(key)] == key]:
        del lines[known]


def _excerpt(node: yaml.Node) -> str:
    text = node.value if isinstance(node, yaml.ScalarNode) else f"{len(node.value)} items"
    return repr(str(text)[:40])
