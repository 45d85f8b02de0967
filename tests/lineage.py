"""What the metadata of a run say that each of its nodes read and wrote, and whether two runs say the same.

Usage: python -m tests.lineage PIPELINE HOME HOME: ends with 1 unless the last runs in the two folders agree.
"""

import sys
from pathlib import Path
from typing import Any

Edge = tuple[str, str, str]


def of_last_run(pipeline: str, home: Path) -> dict[str, set[Edge]]:
    """Return what the last run in a folder read and wrote, as `of_store` does of its file of SQLite."""
    from ml_metadata.metadata_store import metadata_store
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    database = home / "metadata" / pipeline / "metadata.sqlite"
    return of_store(pipeline, metadata_store.MetadataStore(sqlite_metadata_connection_config(str(database))))


def of_store(pipeline: str, store: Any) -> dict[str, set[Edge]]:
    """Return, by node, direction, key and type of every artifact that the last run in a metadata store read or wrote.

    Raises:
        ValueError: a node of it was not completed, at its last try.
    """
    from ml_metadata.proto import metadata_store_pb2

    last = max(store.get_contexts_by_type("pipeline_run"), key=lambda run: run.id)
    executions = {}
    for execution in sorted(store.get_executions_by_context(last.id), key=lambda one: one.id):
        contexts = (context.name for context in store.get_contexts_by_execution(execution.id))
        (node,) = (name.removeprefix(f"{pipeline}.") for name in contexts if name.startswith(f"{pipeline}."))
        executions[node] = execution
    found: dict[str, set[Edge]] = {node: set() for node in executions}
    for node, execution in executions.items():
        if execution.last_known_state not in (execution.COMPLETE, execution.CACHED):
            raise ValueError(f"{pipeline}: {node} was not completed, got {execution.last_known_state}")
        for event in store.get_events_by_execution_ids([execution.id]):
            (artifact,) = store.get_artifacts_by_id([event.artifact_id])
            direction = metadata_store_pb2.Event.Type.Name(event.type)
            found[node].add((direction, event.path.steps[0].key, artifact.type))
    return found


def main() -> int:
    """Compare, print how much agrees or what does not, and return the exit code."""
    name, *homes = sys.argv[1:]
    one, other = (of_last_run(name, Path(home)) for home in homes)
    for node in sorted(one.keys() | other.keys()):
        if different := one.get(node, set()) ^ other.get(node, set()):
            print(f"{node}: in one of the two only: {sorted(different)}")
    verdict = "the same" if one == other else "not the same"
    print(f"lineage: {len(one)} nodes, {sum(map(len, one.values()))} artifacts read and written: {verdict} in both")
    return one != other


if __name__ == "__main__":
    sys.exit(main())
