"""The files that the house rules hold for: what git tracks or is about to."""

import subprocess
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
SOURCES = ("pipeline", "components", "models", "data", "serving", "stand_ins")


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the clone that match, the not yet committed ones included, the ignored ones not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, check=True).stdout.split("\0")
    return [CLONE / name for name in names if name and (CLONE / name).is_file()]


@pytest.fixture(scope="session")
def every_file() -> list[Path]:
    return tracked()


@pytest.fixture(scope="session")
def python_files() -> list[Path]:
    return tracked("*.py")


@pytest.fixture(scope="session")
def source_files(python_files) -> list[Path]:
    return [path for path in python_files if path.relative_to(CLONE).parts[0] in SOURCES]


@pytest.fixture(scope="session")
def place():
    """A function that writes a place in a file as an editor opens it: path:line."""
    return lambda path, line: f"{path.relative_to(CLONE)}:{line}"
