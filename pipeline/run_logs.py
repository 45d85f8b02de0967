"""Which run left which logs: the records of its steps name their outputs, those of a step at work included."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import runs
from pipeline.home import Home
from pipeline.runs import Run, StepRecord

# Keys of the outputs that hold logs, of TFX's Trainer and Tuner.
TRAINING, SEARCH = "model_run", "tuner_results"
TRIALS = "trials.json"
OLD = "was recorded by an earlier version, without its folders; the next run shows them"


@dataclass(frozen=True)
class RunLogs:
    """The logs of one run.

    Attributes:
        run_id: as in `run.json`, or as an orchestrator gave it to `slipway node`.
        training: the folder that the Trainer logs to, or None.
        search: the folder of the Tuner's report and logs, or None.
        cached: those of the two folders that an earlier run made.
        searching: the search is at work, or was killed.
    """

    run_id: str
    training: Path | None
    search: Path | None
    cached: frozenset[Path]
    searching: bool = False


def load_all(home: Home) -> list[RunLogs]:
    """Return the logs of the runs that have any, oldest run first."""
    found = [_of_run(home, run) for run in runs.load_all(home)]
    return [logs for logs in found if logs.training or logs.search]


def without_folders(home: Home) -> list[str]:
    """Return the ids of the runs that an earlier version recorded, which kept no outputs, oldest first."""
    kept = ("ran", "cached")
    return [
        run.run_id
        for run in runs.load_all(home)
        if any(step.name in ("Trainer", "Tuner") and step.state in kept and not step.outputs for step in run.steps)
    ]


def maker(logs: Sequence[RunLogs], folder: Path) -> str:
    """Return the id of the run that made a folder; the others took it from the cache.

    Of a search that goes on where another run was killed, that is the last; of what no known run made, the first user.
    """
    users = [run for run in logs if folder in (run.training, run.search)]
    return next((run.run_id for run in reversed(users) if folder not in run.cached), users[0].run_id)


def each_once(logs: Sequence[RunLogs]) -> list[RunLogs]:
    """Return the logs, each training and search with its maker only."""

    def own(run: RunLogs, folder: Path | None) -> Path | None:
        return folder if folder and maker(logs, folder) == run.run_id else None

    found = [replace(run, training=own(run, run.training), search=own(run, run.search)) for run in logs]
    return [run for run in found if run.training or run.search]


def _of_run(home: Home, run: Run) -> RunLogs:
    found = {key: (folder, step) for step in run.steps for key, folder in _folders(home, step)}
    folders = {key: folder for key, (folder, _) in found.items()}
    cached = frozenset(folder for folder, step in found.values() if step.state == "cached")
    searching = SEARCH in found and found[SEARCH][1].state == "unfinished"
    return RunLogs(run.run_id, folders.get(TRAINING), folders.get(SEARCH), cached, searching)


def _folders(home: Home, step: StepRecord) -> Iterator[tuple[str, Path]]:
    """Yield the folders of a step's logs that are there, by key."""
    for key in (TRAINING, SEARCH):
        for uri in step.outputs.get(key, []):
            at_work = key == SEARCH and step.state == "unfinished"
            folder = _here(home, step.details["search"] if at_work else uri)
            if folder and at_work:
                yield from ((key, path.parent) for path in folder.glob(f"*/{TRIALS}"))
            elif folder:
                yield key, folder


def _here(home: Home, uri: str) -> Path | None:
    """Return a recorded folder of artifacts as this process finds it, or None.

    It is in this home, which a container may mount at another path, or at its own path, as below a mounted
    `pipeline_root`. In a bucket it is not looked for: that would take the seconds of TensorFlow's import.
    """
    if "://" in uri:
        return None
    _, found, rest = uri.rpartition(f"/artifacts/{home.name}/")
    places = [*[home.artifacts / rest] * bool(found), Path(uri)]
    return next((place for place in places if place.is_dir()), None)
