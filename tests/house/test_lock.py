"""requirements.txt against pyproject.toml: the lock is complete, hashed, and not behind."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

CLONE = Path(__file__).parents[2]
LOCK = (CLONE / "requirements.txt").read_text()
# A package with its hashes: the lines that follow a name are indented.
ENTRIES = re.findall(r"^[A-Za-z0-9].*(?:\n +.*)*", LOCK, re.MULTILINE)


def requirement(entry: str) -> Requirement:
    return Requirement(entry.partition("\\")[0].strip())


def direct() -> list[Requirement]:
    """What pyproject.toml asks for, in every group."""
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["project"].get("optional-dependencies", {}).values()]
    groups += project["dependency-groups"].values()
    return [Requirement(text) for group in groups for text in group]


def test_every_direct_dependency_is_locked_at_a_version_that_it_allows():
    locked = [requirement(entry) for entry in ENTRIES]
    for wanted in direct():
        versions = [str(found.specifier).removeprefix("==") for found in locked if found.name == wanted.name.lower()]
        assert any(version in wanted.specifier for version in versions), f"run `make lock`: {wanted} against {versions}"


def test_every_package_has_one_exact_version_and_its_hashes():
    assert len(ENTRIES) > 300
    for entry in ENTRIES:
        assert re.match(r"[\w.\-]+(\[[\w,\-]+\])?==[^\s*]+ ", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_lock_has_no_package_that_needs_a_compiler():
    assert "pyfarmhash" not in LOCK
