"""What was pushed: the versions of a model, those that serve, and the sample rows that each brings along."""

import json
import os
from pathlib import Path
from typing import Any

from pipeline import names
from pipeline.errors import SetupError
from pipeline.home import Home
from serving import releases
from serving.releases import DEFAULT_SERVER, Release

SAMPLE_ROWS = Path("assets.extra") / "sample_rows.jsonl"
# Beside the versions, while `slipway serve` serves them: its process and its URL.
SERVING_AT = ".serving-at"


def require(home: Home, command: str) -> list[int]:
    """Return the pushed versions, rising.

    Raises:
        SetupError: there are none.
    """
    pushed = sorted(path.name for path in (home.root / "serving").glob("*") if Home(home.root, path.name).versions())
    # Not a question of files only: `../serving/taxi` is a folder too, and no name.
    if home.name not in pushed:
        hint = names.suggestion(home.name, pushed) if pushed else "`slipway run` pushes one"
        raise SetupError(f"slipway {command}: no pushed model in {home.root}, got {home.name!r}; {hint}")
    return home.versions()


def folder(home: Home, command: str, version: int | None = None) -> Path:
    """Return the folder of a version; of the one that answers when a request names none, if it is None.

    Raises:
        SetupError: no such version.
    """
    versions = require(home, command)
    if version is not None and version not in versions:
        raise SetupError(
            f"slipway {command}: no such version, got {version}; there are {', '.join(map(str, versions))}"
        )
    return home.serving / str(version if version is not None else max(serving(home)))


def serving(home: Home) -> list[int]:
    """Return the versions that a model server has loaded, rising: the released ones, or the newest."""
    versions = home.versions()
    released = [version for version in release(home).versions if version in versions]
    return sorted(released) or versions[-1:]


def release(home: Home) -> Release:
    """Return what was released.

    Raises:
        SetupError: models.config cannot be read.
    """
    try:
        return releases.current(home.serving)
    except ValueError as error:
        raise SetupError(f"{error}; repair or delete it") from error


def sample_rows(version: Path) -> list[dict[str, Any]]:
    """Return the rows that a version was exported with; none for a model that has no such file."""
    path = version / SAMPLE_ROWS
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def running_url(home: Home) -> str:
    """Return where `slipway serve` serves this model now, else the port it would take."""
    try:
        process, url = (home.serving / SERVING_AT).read_text(encoding="utf-8").split()
        os.kill(int(process), 0)
    except (OSError, ValueError):
        return DEFAULT_SERVER
    return url
