"""Which run left which logs: TFX's metadata know the executions of every run, one that is at work included.

`run.json` knows neither a run at work nor one of `slipway node`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.home import Home

# Keys of the outputs that hold logs, of TFX's Trainer and Tuner.
TRAINING, SEARCH = "model_run", "tuner_results"
TRIALS = "trials.json"


@dataclass(frozen=True)
class RunLogs:
    """The logs of one run.

    Attributes:
        run_id: as in `run.json`, or as an orchestrator gave it to `slipway node`.
        training: the folder that the Trainer logs to, or None.
        search: the folder of the Tuner's report and logs, or None.
        cached: those of the two folders that an earlier run made.
    """

    run_id: str
    training: Path | None
    search: Path | None
    cached: frozenset[Path]


def load_all(home: Home) -> list[RunLogs]:
    """Return the logs of the runs that have any, oldest run first."""
    if not home.metadata.exists():
        return []
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(home.metadata)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    store = metadata_store.MetadataStore(connection)
    runs = sorted(store.get_contexts_by_type("pipeline_run"), key=lambda run: run.create_time_since_epoch)
    found = [_of_run(home, store, run) for run in runs]
    return [logs for logs in found if logs.training or logs.search]


def maker(logs: Sequence[RunLogs], folder: Path) -> str:
    """Return the id of the run that made a folder; the others took it from the cache."""
    users = [run for run in logs if folder in (run.training, run.search)]
    return next((run.run_id for run in users if folder not in run.cached), users[0].run_id)


def made(logs: RunLogs) -> RunLogs:
    """Return the logs of a run without what it took from the cache."""
    training = None if logs.training in logs.cached else logs.training
    search = None if logs.search in logs.cached else logs.search
    return replace(logs, training=training, search=search)


def _of_run(home: Home, store: Any, run: Any) -> RunLogs:
    executions = sorted(store.get_executions_by_context(run.id), key=lambda execution: execution.id)
    folders = dict([*_at_work(home, executions), *_finished(home, store, executions)])
    made = {str(execution.id) for execution in executions}
    cached = frozenset(folder for folder in folders.values() if folder.name not in made)
    return RunLogs(run.name, folders.get(TRAINING), folders.get(SEARCH), cached)


def _at_work(home: Home, executions: list[Any]) -> Iterator[tuple[str, Path]]:
    """Yield what TFX has not yet written down: an execution's folders have its number from the start."""
    for execution in executions:
        if execution.last_known_state == execution.RUNNING:
            for key in (TRAINING, SEARCH):
                yield from ((key, folder) for folder in home.artifacts.glob(f"*/{key}/{execution.id}"))


def _finished(home: Home, store: Any, executions: list[Any]) -> Iterator[tuple[str, Path]]:
    """Yield the outputs of executions, also of those that took an earlier one's from the cache."""
    outputs = {
        event.artifact_id: event.path.steps[0].key
        for event in store.get_events_by_execution_ids([execution.id for execution in executions])
        if event.type == event.OUTPUT and event.path.steps[0].key in (TRAINING, SEARCH)
    }
    for artifact in store.get_artifacts_by_id(list(outputs)):
        # The end of a URI is <step>/<key>/<execution>; its beginning is another one in a container.
        folder = home.artifacts.joinpath(*Path(artifact.uri).parts[-3:])
        if folder.is_dir():
            yield outputs[artifact.id], folder
