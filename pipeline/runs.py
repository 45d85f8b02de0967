"""The record of a run: what each step did, kept as JSON beside its log."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipeline.home import Home


@dataclass
class StepRecord:
    """What became of one step.

    Attributes:
        name: of the step.
        state: "ran", "cached" or "failed".
        seconds: wall time.
        figure: its key figure.
        outputs: the paths of its artifacts.
    """

    name: str
    state: str
    seconds: float
    figure: str = ""
    outputs: list[str] = field(default_factory=list)


@dataclass
class Run:
    """One run of a pipeline.

    Attributes:
        run_id: its folder under `.slipway/runs/<name>/`; sorts by start.
        name: of the pipeline.
        config: path of the config file.
        overrides: the `--set` arguments.
        key: a digest of all that the run depends on.
        steps: in the order they ran.
        verdict: the lines of the gate.
        exit_code: None while it runs, and for ever when it was killed.
        seconds: wall time from the command's start.
        error: the lines of a failure.
    """

    run_id: str
    name: str
    config: str
    overrides: list[str]
    key: str
    steps: list[StepRecord] = field(default_factory=list)
    verdict: list[str] = field(default_factory=list)
    exit_code: int | None = None
    seconds: float = 0.0
    error: list[str] = field(default_factory=list)


def new_run_id() -> str:
    """Return a run id that sorts by time and is unique: 20261121-014500-3fa2."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def folder(home: Home, run_id: str) -> Path:
    """Return the folder of a run, made if need be."""
    path = home.runs / run_id
    path.mkdir(parents=True, exist_ok=True)
    return path


def save(home: Home, run: Run) -> None:
    """Write the record, atomically: a killed run leaves the state before or after, never half of it."""
    path = folder(home, run.run_id) / "run.json"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(run), indent=1), encoding="utf-8")
    os.replace(unfinished, path)


def load_all(home: Home) -> list[Run]:
    """Return the recorded runs of a pipeline, oldest first."""
    runs = []
    for path in sorted(home.runs.glob("*/run.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        steps = [StepRecord(**step) for step in content.pop("steps")]
        runs.append(Run(**content, steps=steps))
    return runs


@contextmanager
def exclusive(home: Home) -> Iterator[str | None]:
    """Hold the pipeline's lock, which the operating system frees when the process dies.

    Yields:
        None, or, where another run holds the lock, a line that says which; the caller then waits by `wait`.
    """
    home.runs.mkdir(parents=True, exist_ok=True)
    with open(home.runs / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            yield f"process {file.read().strip() or '?'} is running this pipeline"
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield None
