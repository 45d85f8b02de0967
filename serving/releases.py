"""Who serves: the `models.config` of a base path, its labels, and the history of both.

TensorFlow Serving and the embedded server read the same file, again every second. Without a release the newest
version serves. A promotion pins: `stable` and `canary` are labels, and only the versions they need stay loaded, so that
a request without a label gets the highest of these. A label may only move to a version that is loaded already, so when
a server is running the versions are widened first, and the label moves when the new one answers.
"""

import contextlib
import fcntl
import getpass
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving import model_config, storage, text_config
from serving.client import Client, ServerError
from serving.errors import ServingError

CONFIG, HISTORY = "models.config", "releases.jsonl"
LABELS = ("stable", "canary")
DEFAULT_SERVER = "http://127.0.0.1:8501"


@dataclass(frozen=True)
class Release:
    """What is served.

    Attributes:
        labels: version by label.
        versions: those that stay loaded; empty when the newest one serves.
    """

    labels: dict[str, int]
    versions: tuple[int, ...]


@dataclass(frozen=True)
class Event:
    """One line of the history: what was done, and what was served from then on."""

    time: str
    action: str
    by: str
    labels: dict[str, int]
    versions: list[int]


def ensure(base_path: str | Path, name: str | None = None) -> Path:
    """Write `models.config` when there is none, or when the base path has moved; returns its path.

    Args:
        base_path: the folder of versions.
        name: of the model; None takes the folder's.
    """
    base = Path(base_path).resolve()
    file = base / CONFIG
    with _locked(base):
        entry = _read(base)
        wanted = name or (entry.name if entry else base.name)
        if entry is None or entry.base_path != str(base) or entry.name != wanted:
            _write(base, wanted, _release(entry) if entry else Release({}, ()))
    return file


def current(base_path: str | Path) -> Release:
    """What is served now; raises ValueError when `models.config` cannot be read."""
    entry = _read(Path(base_path).resolve())
    return _release(entry) if entry else Release({}, ())


def history(base_path: str | Path) -> list[Event]:
    """Every release, oldest first."""
    file = Path(base_path) / HISTORY
    return [Event(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def promote(
    base_path: str | Path,
    version: int,
    label: str = "stable",
    *,
    server: str | None = DEFAULT_SERVER,
    timeout_s: float = 60.0,
) -> Release:
    """Point a label at a version.

    The version that was stable stays loaded below the new one, so that a rollback takes one look at the file. A canary
    needs a stable version beside it: the newest other one, if none was promoted.

    Args:
        base_path: the folder of versions.
        version: must be there, complete.
        label: 'stable' or 'canary'.
        server: of a running server, to move labels only when the version answers; None writes at once.
        timeout_s: the longest to wait for that.

    Raises:
        ValueError: no such version or label.
        TimeoutError: the running server did not load the version; nothing was moved.
    """
    base, present = _present(base_path, version)
    if label not in LABELS:
        raise ValueError(f"label: unknown, got {label}; use {' or '.join(LABELS)}")
    before = current(base)
    labels = {**before.labels, label: version}
    others = [number for number in present if number != version]
    if label == "canary" and "stable" not in labels and others:
        labels["stable"] = max(others)
    if label == "stable" and labels.get("canary") == version:
        del labels["canary"]
    keep = set(labels.values())
    previous = before.labels.get("stable")
    if label == "stable" and previous in present and previous is not None and previous < version:
        keep.add(previous)
    return _apply(base, f"promote {version} {label}", Release(labels, tuple(sorted(keep))), server, timeout_s)


def rollback(
    base_path: str | Path, to: int | None = None, *, server: str | None = DEFAULT_SERVER, timeout_s: float = 60.0
) -> Release:
    """Make an earlier version stable, and serve nothing else, so that requests without a label get it too.

    Args:
        base_path: the folder of versions.
        to: which version; None ends a canary, and without one takes the version that was stable before, or else the
            newest below the one that serves.
        server: see promote.
        timeout_s: see promote.

    Raises:
        ValueError: there is no version to go back to.
        TimeoutError: see promote.
    """
    base, present = _present(base_path, to)
    if to is None:
        labels = current(base).labels
        to = labels["stable"] if {"stable", "canary"} <= set(labels) else _version_before(base, present)
    return _apply(base, f"rollback {to}", Release({"stable": to}, (to,)), server, timeout_s)


def follow_latest(base_path: str | Path) -> Release:
    """Let the newest version serve again, as before any promotion."""
    return _apply(Path(base_path).resolve(), "latest", Release({}, ()), None, 0.0)


def _version_before(base: Path, present: dict[int, Path]) -> int:
    serving_now = current(base).labels.get("stable", max(present, default=0))
    # What a rollback left is not gone back to: a second one in a row goes further back.
    line: list[int] = []
    for event in history(base):
        stable = event.labels.get("stable")
        if event.action.startswith("rollback") and stable in line:
            while line[-1] != stable:
                line.pop()
        elif stable is not None and line[-1:] != [stable]:
            line.append(stable)
    before = [number for number in line if number != serving_now and number in present]
    if before:
        return before[-1]
    below = [number for number in present if number < serving_now]
    if not below:
        raise ValueError(f"rollback: no version before {serving_now}, got {sorted(present)} in {base}")
    return max(below)


def _present(base_path: str | Path, version: int | None) -> tuple[Path, dict[int, Path]]:
    base = Path(base_path).resolve()
    try:
        present = storage.list_versions(str(base))
    except OSError as error:
        raise ValueError(f"base path: cannot be read, got {base}; {error.strerror}") from None
    if version is not None and version not in present:
        known = ", ".join(map(str, sorted(present))) or "none"
        raise ValueError(f"version: not there, got {version}; {base} has {known}")
    return base, present


def _apply(base: Path, action: str, release: Release, server: str | None, timeout_s: float) -> Release:
    ensure(base)
    with _locked(base):
        entry = _read(base)
        if server and release.labels:
            _load_first(base, entry.name, set(release.labels.values()), server, timeout_s)
        _write(base, entry.name, release)
        event = Event(
            datetime.now(UTC).isoformat(timespec="seconds"), action, _user(), release.labels, list(release.versions)
        )
        with (base / HISTORY).open("a") as file:
            file.write(json.dumps(asdict(event)) + "\n")
    return release


def _load_first(base: Path, name: str, wanted: set[int], server: str, timeout_s: float) -> None:
    """Have a running server load versions while its labels still point to the old ones.

    What the labels are is asked of the server: the file may have run ahead of it, and a server refuses a file whose
    labels point to versions that it has not loaded.
    """
    client = Client(server)
    try:
        loaded, labels = client.loaded(name), client.labelled(name, LABELS)
    except (OSError, ServerError):
        return  # no server there, or it does not know the model
    if wanted <= loaded:
        return
    before = current(base)
    _write(base, name, Release(labels, tuple(sorted(wanted | loaded))))
    deadline = time.monotonic() + timeout_s
    while not wanted <= client.loaded(name):
        if time.monotonic() > deadline:
            _write(base, name, before)
            missing = sorted(wanted - client.loaded(name))
            raise TimeoutError(f"release: {server} did not load version {missing} of {name} in {timeout_s:g} s")
        time.sleep(0.05)


def in_force(base_path: str | Path, server: str, timeout_s: float = 10.0) -> bool | None:
    """Wait until a running server serves what the file says.

    Args:
        base_path: the folder of versions.
        server: its URL.
        timeout_s: the longest to wait; a server looks once a second.

    Returns:
        Whether it does; None when there is no server that knows the model.
    """
    base = Path(base_path).resolve()
    entry, client, deadline = _read(base), Client(server), time.monotonic() + timeout_s
    release = _release(entry)
    wanted = set(release.versions) or set(sorted(storage.list_versions(str(base)))[-1:])
    try:
        while client.loaded(entry.name) != wanted or client.labelled(entry.name, LABELS) != release.labels:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
    except (OSError, ServerError):
        return None
    return True


def _read(base: Path) -> Any:
    """The one ModelConfig of the file, or None when there is no file."""
    file = base / CONFIG
    if not file.exists():
        return None
    try:
        entries = text_config.read(file, model_config.empty()).model_config_list.config
    except ServingError as error:
        raise ValueError(f"{file}: cannot be read, {error.message}") from None
    if len(entries) != 1:
        raise ValueError(f"{file}: must hold one model, got {len(entries)}")
    return entries[0]


def _release(entry: Any) -> Release:
    return Release(dict(entry.version_labels), tuple(entry.model_version_policy.specific.versions))


def _write(base: Path, name: str, release: Release) -> None:
    """Write the whole file at once: a reader sees the old one or the new one."""
    config = model_config.single(name, str(base))
    entry = config.model_config_list.config[0]
    if release.versions:
        entry.model_version_policy.specific.versions.extend(release.versions)
    else:
        entry.model_version_policy.latest.num_versions = 1
    for label, version in sorted(release.labels.items()):
        entry.version_labels[label] = version
    temporary = base / f"{CONFIG}.{os.getpid()}"
    temporary.write_text(text_format.MessageToString(config))
    os.replace(temporary, base / CONFIG)


@contextlib.contextmanager
def _locked(base: Path) -> Iterator[None]:
    """One release at a time."""
    with (base / ".releases.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
