"""The metadata and the logs that three runs leave, without running them.

run-1 searched (execution 1) and trained (2); run-2 took both from the cache (3, 4); run-3 took the search from the
cache (5), and its Trainer is at work (6). The paths in the metadata are those of a container.
"""

import json
from pathlib import Path
from typing import Any

from pipeline.home import Home

SEARCH, TRAINING, AT_WORK = "Tuner/tuner_results/1", "Trainer/model_run/2", "Trainer/model_run/6"
LOSSES = {SEARCH: [0.9, 0.5], TRAINING: [0.8, 0.4, 0.2], AT_WORK: [0.7, 0.3]}
REPORT = {
    "objective": "val_loss",
    "direction": "min",
    "best": "0",
    "trials": [
        {
            "trial": "0", "state": "completed", "objective": 0.5, "epochs": 2, "seconds": 1.0, "error": None,
            "hyperparameters": {"units": 8},
            "curve": [{"execution": 0, "epoch": i, "val_loss": loss} for i, loss in enumerate(LOSSES[SEARCH], start=1)],
        }
    ],
    "importance": None,
}  # fmt: skip


def make(home: Home) -> Home:
    """Write everything into a home, and return it."""
    search = home.artifacts / SEARCH
    search.mkdir(parents=True)
    (search / "trials.json").write_text(json.dumps(REPORT), encoding="utf-8")
    log(search / "logs" / "trial_0", "val_loss", LOSSES[SEARCH])
    for folder in (TRAINING, AT_WORK):
        for split in ("train", "validation"):
            log(home.artifacts / folder / split, "epoch_loss", LOSSES[folder])
    metadata = Metadata(home)
    metadata.add("run-1", "COMPLETE", SEARCH)
    metadata.add("run-1", "COMPLETE", TRAINING)
    metadata.add("run-2", "CACHED", SEARCH)
    metadata.add("run-2", "CACHED", TRAINING)
    metadata.add("run-3", "CACHED", SEARCH)
    metadata.add("run-3", "RUNNING")
    return home


def log(folder: Path, tag: str, values: list[float]) -> None:
    """Write values as scalars of TensorFlow's, by step from 0."""
    import tensorflow as tf

    with tf.summary.create_file_writer(str(folder)).as_default():
        for step, value in enumerate(values):
            tf.summary.scalar(tag, value, step=step)


class Metadata:
    """A store of metadata to which executions are added, numbered from 1."""

    def __init__(self, home: Home) -> None:
        from ml_metadata import metadata_store
        from ml_metadata.proto import metadata_store_pb2

        self.mlmd: Any = metadata_store_pb2
        connection = self.mlmd.ConnectionConfig()
        connection.sqlite.filename_uri = str(home.metadata)
        connection.sqlite.connection_mode = self.mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        home.metadata.parent.mkdir(parents=True)
        self.store = metadata_store.MetadataStore(connection)
        self.run_type = self.store.put_context_type(self.mlmd.ContextType(name="pipeline_run"))
        self.step_type = self.store.put_execution_type(self.mlmd.ExecutionType(name="step"))
        self.logs_type = self.store.put_artifact_type(self.mlmd.ArtifactType(name="logs"))
        self.artifacts: dict[str, int] = {}

    def add(self, run_id: str, state: str, *folders: str) -> None:
        """Add an execution to a run, with its outputs."""
        run = self.store.get_context_by_type_and_name("pipeline_run", run_id)
        run = run or self.mlmd.Context(type_id=self.run_type, name=run_id)
        execution = self.mlmd.Execution(type_id=self.step_type, last_known_state=state)
        self.store.put_execution(execution, [self._output(folder) for folder in folders], [run])

    def _output(self, folder: str) -> tuple[Any, Any]:
        if folder not in self.artifacts:
            artifact = self.mlmd.Artifact(type_id=self.logs_type, uri=f"/elsewhere/{folder}")
            (self.artifacts[folder],) = self.store.put_artifacts([artifact])
        (artifact,) = self.store.get_artifacts_by_id([self.artifacts[folder]])
        event = self.mlmd.Event(artifact_id=artifact.id, type=self.mlmd.Event.OUTPUT)
        event.path.steps.add(key=Path(folder).parts[1])
        event.path.steps.add(index=0)
        return artifact, event
