"""`slipway node`: one step of a pipeline in a process of its own."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipeline import causes, config_file, importing, runs
from pipeline.config_file import ConfigFile
from pipeline.errors import DONE, STEP_FAILED, SetupError
from pipeline.home import Home


@dataclass(frozen=True)
class Sent:
    """What an orchestrator sends along beside the path of the config; empty texts are as if they were not sent.

    Attributes:
        config_text: the config's content; its file need not be there then.
        schema_text: the curated schema's.
        overrides: `a.b=value`, applied to the config.
        sets: more of them, as a JSON list.
        span: which spans of the data to read.
    """

    config_text: str | None = None
    schema_text: str | None = None
    overrides: tuple[str, ...] = ()
    sets: str = "[]"
    span: str | None = None


def read(path: Path, home: Path, sent: Sent) -> ConfigFile:
    """Read and check a config as it was sent.

    Raises:
        ConfigError: one line per mistake.
        SetupError: `sets` is no list of overrides.
    """
    try:
        more = json.loads(sent.sets)
    except ValueError:
        more = None
    if not isinstance(more, list) or not all(isinstance(one, str) for one in more):
        raise SetupError(f'--sets: no JSON list of overrides, got {sent.sets!r}; write ["training.epochs=3"]')
    overrides = [*sent.overrides, *more]
    if sent.schema_text:
        overrides.append(f"schema={json.dumps(str(_kept_schema(sent.schema_text, home)))}")
    return config_file.read(path, overrides, home, sent.span or None, sent.config_text or None)


def _kept_schema(text: str, home: Path) -> Path:
    """Write a schema to a file that is named by its content: every step of a run finds the same one."""
    path = home / "sent" / f"{sha256(text.encode()).hexdigest()[:16]}.schema.pbtxt"
    path.parent.mkdir(parents=True, exist_ok=True)
    runs.write_atomically(path, text)
    return path


def run(file: ConfigFile, home: Home, node_id: str, run_id: str, *, no_cache: bool = False) -> int:
    """Run one node and return its exit code; an orchestrator's log gets everything on standard error.

    Raises:
        StepError: the step failed or refused the data.
        SetupError: there is no such step, or the metadata store is out of reach.
    """
    logging.basicConfig(level=logging.INFO)
    with importing.for_good():  # seconds of imports; a wrong config is told before them
        from pipeline import beam_needs, build, metadata_store, node, pipeline_root, step_records

    begun = time.time()
    metadata_store.require(file.config.metadata, home)
    pipeline_root.require(file.config)
    ir = build.build(file, home, run_id)
    options = node.find(ir, node_id).execution_options
    beam_needs.require(file, ir, [node_id])
    if no_cache:
        options.caching_options.enable_cache = False
    # What stays when this process is killed.
    record = runs.StepRecord(node_id, "unfinished", 0.0, lines=[f"{node_id}: was killed"], exit_code=STEP_FAILED)

    def save() -> None:
        record.seconds = time.time() - begun
        runs.save_step(home, run_id, record)

    def executes(info: object) -> None:
        step_records.begin(record, info)
        save()

    save()
    try:
        record = step_records.finished(node_id, file.config, node.launch(ir, node_id, executes))
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", node_id)
        told = causes.step_error(node_id, error, file.config.metadata)
        record = runs.StepRecord(node_id, "failed", 0.0, lines=list(told.lines), exit_code=told.exit_code)
        raise told from error
    finally:
        save()
    print(f"{node_id} {record.state} {record.seconds:.1f} s {record.figure}".rstrip())  # noqa: T201
    for line in record.lines:
        print(line)  # noqa: T201
    return record.exit_code


def finish(file: ConfigFile, home: Home, run_id: str, order: Sequence[str]) -> int:
    """Write the record of a run from those of its steps, as the local runner would, and return 0.

    The steps ran, or did not, in processes of their own; this one comes after all of them.

    Args:
        file: the config.
        home: where the steps wrote their records.
        run_id: of the run.
        order: the names of all its steps.
    """
    steps, started = runs.steps_of(home, run_id)
    steps = sorted((step for step in steps if step.name in order), key=lambda step: order.index(step.name))
    record = runs.Run(runs.run_id_at(started, run_id), home.name, str(file.path), list(file.overrides), steps)
    record.error = [line for step in steps if step.state in ("failed", "unfinished") for line in step.lines]
    if missing := [name for name in order if name not in {step.name for step in steps}]:
        record.error.append(f"{home.name}: never started: {', '.join(missing)}")
    record.exit_code = next((step.exit_code for step in steps if step.exit_code), STEP_FAILED if missing else DONE)
    record.seconds = max(0.0, time.time() - started)
    runs.save(home, record)
    for line in [f"{home.name} {record.run_id}: ended with exit code {record.exit_code}", *record.error]:
        print(line)  # noqa: T201
    return DONE
