"""The record of a run: what each step did, kept as JSON beside its log."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.home import Home


@dataclass
class StepRecord:
    """What became of one step.

    Attributes:
        name: of the step.
        state: "ran", "cached", "resolved" (a look into the metadata, nothing executed), "failed", or "unfinished"
            (at work, or killed).
        seconds: wall time.
        figure: its key figure.
        lines: what belongs under it: a verdict, a report.
        exit_code: what those lines call for, 0 when all is well.
        details: the same for programs, where there is more to say.
        outputs: by key, the URIs of the artifacts; known from the moment it executes.
    """

    name: str
    state: str
    seconds: float
    figure: str = ""
    lines: list[str] = field(default_factory=list)
    exit_code: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Run:
    """One run of a pipeline.

    Attributes:
        run_id: its folder under `.slipway/runs/<name>/`; sorts by start, unless an orchestrator gave it.
        name: of the pipeline.
        config: path of the config file, "" where only records of steps are known.
        overrides: the `--set` arguments.
        steps: in the order they ran.
        exit_code: None while it runs, and for ever when it was killed.
        seconds: wall time from the command's start.
        error: the lines of a failure.
    """

    run_id: str
    name: str
    config: str
    overrides: list[str]
    steps: list[StepRecord] = field(default_factory=list)
    exit_code: int | None = None
    seconds: float = 0.0
    error: list[str] = field(default_factory=list)

    @property
    def blessed(self) -> bool:
        """Whether the Evaluator, if there is one, has not refused the model."""
        return not any(step.name == "Evaluator" and step.exit_code for step in self.steps)


def new_run_id() -> str:
    """Return a run id that sorts by its start: 20261121-014500-3fa2, whose end is the part of the second, in hex."""
    now = time.time()
    return run_id_at(now, f"{int(now % 1 * 0x10000):04x}")


def folder(home: Home, run_id: str) -> Path:
    """Return the folder of a run, made if need be."""
    path = home.runs / run_id
    path.mkdir(parents=True, exist_ok=True)
    return path


def save(home: Home, run: Run) -> None:
    """Write the record, atomically: a killed run leaves the state before or after, never half of it."""
    write_atomically(folder(home, run.run_id) / "run.json", json.dumps(asdict(run), indent=1))


def write_atomically(path: Path, text: str) -> None:
    """Write a file in one go; several processes may write the same one."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def save_step(home: Home, run_id: str, step: StepRecord) -> None:
    """Write the record of a step that runs in a process of its own."""
    place = folder(home, run_id) / "steps"
    place.mkdir(exist_ok=True)
    write_atomically(place / f"{step.name}.json", json.dumps(asdict(step), indent=1))


def steps_of(home: Home, run_id: str) -> tuple[list[StepRecord], float]:
    """Return what `save_step` wrote for a run, by their starts, and the first of these (seconds since 1970, or now)."""
    found = []
    for path in (home.runs / run_id / "steps").glob("*.json"):
        step = StepRecord(**_known(json.loads(path.read_text(encoding="utf-8")), StepRecord))
        found.append((path.stat().st_mtime - step.seconds, step))
    found.sort(key=lambda one: one[0])
    return [step for _, step in found], found[0][0] if found else time.time()


def run_id_at(seconds: float, suffix: str) -> str:
    """Return a run id that sorts by its start and ends in what another system calls the run."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d-%H%M%S}-{suffix}"


def load_all(home: Home) -> list[Run]:
    """Return the recorded runs of a pipeline, oldest first; of one that nothing finished yet, what its steps wrote."""
    runs = {}
    for path in home.runs.glob("*/run.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        steps = [StepRecord(**_known(step, StepRecord)) for step in content.pop("steps")]
        runs[content["run_id"]] = Run(**_known(content, Run), steps=steps)
    # The start of a run takes as many characters in every id.
    finished = {run_id[len(run_id_at(0, "")) :] for run_id in runs}
    for run_id in [path.parent.name for path in home.runs.glob("*/steps")]:
        if run_id not in finished:
            steps, begun = steps_of(home, run_id)
            error = [line for step in steps if step.state == "failed" for line in step.lines]
            seconds = sum(step.seconds for step in steps)
            runs[run_id_at(begun, run_id)] = Run(run_id, home.name, "", [], steps, None, seconds, error)
    return [runs[start] for start in sorted(runs)]


def _known(content: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return what a record says that this version knows; another version may have said more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in content.items() if name in names}


@contextmanager
def exclusive(home: Home, announce: Callable[[str], None]) -> Iterator[None]:
    """Hold the pipeline's lock, which the operating system frees when the process dies.

    Where another run holds it, say so by `announce` and wait.
    """
    home.runs.mkdir(parents=True, exist_ok=True)
    with open(home.runs / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            announce(f"{home.name}: process {file.read() or '?'} is running this pipeline; waiting until it ends")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
