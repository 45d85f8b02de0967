"""The versions on disk under a base path, and which of them a policy wants."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"[0-9]+")
_MAX_INT64 = 2**63 - 1


def list_versions(base_path: str) -> dict[int, Path]:
    """Complete versions under `base_path`, by number; leading zeros are fine, every other name is ignored.

    Raises:
        OSError: the folder cannot be listed.
    """
    found: dict[int, Path] = {}
    for child in sorted(Path(base_path).iterdir()):
        if _NUMBER.fullmatch(child.name) and int(child.name) <= _MAX_INT64 and is_complete(child):
            found[int(child.name)] = child
    return found


def is_complete(path: Path) -> bool:
    """Whether a version folder holds a graph, and an index if it holds variables.

    TensorFlow Serving loads a half-copied folder, fails, and tries again a minute later; waiting costs less.
    """
    if not any((path / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
        return False
    variables = path / "variables"
    return not variables.is_dir() or not any(variables.iterdir()) or (variables / "variables.index").is_file()


def fingerprint(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes in bytes and times in nanoseconds of all files of a version; changes when any file does."""
    found = []
    for file in sorted(path.rglob("*")):
        try:
            stat = file.stat()
        except OSError:
            continue
        found.append((str(file.relative_to(path)), stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def wanted(policy: Any, present: Iterable[int]) -> set[int]:
    """The versions a policy selects.

    Args:
        policy: FileSystemStoragePathSourceConfig.ServableVersionPolicy; unset means the latest one.
        present: numbers on disk.
    """
    numbers = sorted(present, reverse=True)
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return set(numbers)
    if choice == "specific":
        return set(policy.specific.versions) & set(numbers)
    count = policy.latest.num_versions if choice == "latest" else 1
    return set(numbers[: max(1, count)])
