"""`slipway status`: the last runs of a pipeline, its last search and training, what serves, and who released it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline import curves, names, releasing, run_logs, runs, trials
from pipeline.errors import SetupError
from pipeline.home import Home
from pipeline.run_logs import RunLogs

OUTCOMES = {None: "unfinished", 0: "done", 1: "failed", 2: "setup", 3: "data refused", 4: "not blessed"}


def lines(root: Path, name: str | None, last: int) -> list[str]:
    """Return the status of one pipeline, or of all that have run: their state, and the last run of each.

    Raises:
        SetupError: no pipeline of that name has run.
    """
    if name is not None:
        return _whole(require(root, name, "status"), last)
    known = pipelines(root)
    if not known:
        return [f"no runs yet in {root}; `slipway run configs/taxi.yaml` makes one"]
    return [line for each in known for line in (_state(Home(root, each)), *_runs(Home(root, each), 1))]


def pipelines(root: Path) -> list[str]:
    """Return the names of the pipelines that have run, with `slipway run` or step by step."""
    return sorted(path.name for path in (root / "runs").glob("*") if path.is_dir())


def require(root: Path, name: str, command: str) -> Home:
    """Return the home of a pipeline.

    Raises:
        SetupError: no pipeline of that name has run.
    """
    known = pipelines(root)
    if name not in known:
        hint = names.suggestion(name, known) if known else "`slipway run` makes one"
        raise SetupError(f"slipway {command}: no runs of such a pipeline in {root}, got {name!r}; {hint}")
    return Home(root, name)


def _whole(home: Home, last: int) -> list[str]:
    logs = run_logs.load_all(home)
    released = releasing.history(home, last) if home.versions() else []
    return [
        _state(home),
        *_runs(home, last),
        *_search(logs),
        *_training(logs),
        *_not_shown(home, logs),
        *(["  releases:"] if released else []),
        *(f"    {line}" for line in released),
    ]


def _state(home: Home) -> str:
    versions = home.versions()
    if not versions:
        return f"{home.name}: nothing was pushed yet"
    return f"{home.name}: {releasing.state(home)} ({len(versions)} version{'s' * (len(versions) > 1)} pushed)"


def _runs(home: Home, last: int) -> Iterator[str]:
    for run in runs.load_all(home)[-last:]:
        ran = sum(step.state == "ran" for step in run.steps)
        cached = sum(step.state == "cached" for step in run.steps)
        states = "".join(f", {step.name} unfinished" for step in run.steps if step.state == "unfinished")
        figures = {step.name: step.figure for step in run.steps}
        pushed = [figures["Pusher"]] if any(step.name == "Pusher" and step.state == "ran" for step in run.steps) else []
        yield (
            f"  {run.run_id}  {OUTCOMES.get(run.exit_code, '?'):<12}{run.seconds:>7.1f} s  "
            f"{ran} ran, {cached} cached{states}  {'  '.join([figures.get('Evaluator', ''), *pushed])}".rstrip()
        )
        yield from (f"    {line}" for line in run.error)


def _search(logs: Sequence[RunLogs]) -> Iterator[str]:
    """Yield the trials of the last search, those that are over of one at work, and the curves of its best."""
    for run in reversed(logs):
        if run.search is None or (report := _report(run.search)) is None:
            continue
        state = ", unfinished" if run.searching else ""
        yield f"  search of {run_logs.maker(logs, run.search)}{state}: {trials.summary(report)}"
        yield from (f"    {line}" for line in trials.table(report))
        if curve := curves.of_trial(report):
            yield f"  trial {report['best']}, the best:"
            yield from (f"    {line}" for line in curves.table(curve))
        return


def _report(search: Path) -> dict[str, Any] | None:
    # A search takes its folder away when it is over, perhaps now.
    with suppress(FileNotFoundError):
        return json.loads((search / run_logs.TRIALS).read_text(encoding="utf-8"))
    return None


def _training(logs: Sequence[RunLogs]) -> Iterator[str]:
    """Yield the curves of the last training, also of one that is at work."""
    for folder in (run.training for run in reversed(logs) if run.training):
        if found := curves.of_training(folder):
            yield f"  training of {run_logs.maker(logs, folder)}:"
            yield from (f"    {line}" for line in curves.table(found))
            return


def _not_shown(home: Home, logs: Sequence[RunLogs]) -> Iterator[str]:
    """Yield what there is of runs whose records name no folders, where no later run has any."""
    if not logs and (old := run_logs.without_folders(home)):
        yield f"  search, training: {old[-1]} {run_logs.OLD}"
