"""What the runners of the Beam steps need on this machine and do not find: told before any step begins."""

import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline import beam_config
from pipeline.beam_config import Engine
from pipeline.config_file import ConfigFile
from pipeline.errors import SetupError

if TYPE_CHECKING:
    from tfx.proto.orchestration import pipeline_pb2

TIMEOUT_S = 10.0
MASTERS = {"flink": "flink_master", "spark": "spark_master_url"}


def require(file: ConfigFile, ir: "pipeline_pb2.Pipeline", node_ids: Sequence[str]) -> None:
    """Check what is needed for those of some nodes that are Beam pipelines.

    Raises:
        SetupError: something is missing, one line each.
    """
    from pipeline import beam_operator  # TFX, which whoever has an IR has imported

    root = ir.runtime_spec.pipeline_root.field_value.string_value
    if found := missing(file, root, beam_operator.of_beam(ir, node_ids)):
        raise SetupError(*(f"{file.path}: {line}" for line in found))


def missing(file: ConfigFile, root: str, steps: Sequence[str] | None = None) -> list[str]:
    """Return what is missing, one line each.

    Args:
        file: the checked config.
        root: the folder of the artifacts.
        steps: those that are to run and are Beam pipelines; None is the standard ones and those the config names.
    """
    found: list[str] = []
    beam = file.config.beam
    for step in (*beam_config.STEPS, *beam.steps) if steps is None else steps:
        place = f"beam.steps.{step}" if step in beam.steps else "beam"
        found += _missing(place, beam.engine(step), root)
        if step == "ExampleGen" and beam.engine(step).runner == "dataflow":
            found += _local_inputs(file)
    return list(dict.fromkeys(found))


def _missing(place: str, engine: Engine, root: str) -> Iterator[str]:
    if engine.runner == "dataflow" and "://" not in root:
        words = f"the workers of Dataflow reach no folder of this machine, got artifacts in {root}; keep them in gs://"
        yield f"{place}: {words}"
    if engine.runner not in MASTERS:
        return
    if "job_endpoint" in engine.options:
        yield from _no_answer(place, str(engine.options["job_endpoint"]))
        return
    launcher = str(engine.options.get("job_server_java_launcher", "java"))
    if not shutil.which(launcher):
        yield (
            f"{place}: the job server of {engine.runner} is a Java program, got no {launcher} here; install Java 11 or "
            "newer, or name the job_endpoint of one that runs"
        )
    jar = str(engine.options.get(f"{engine.runner}_job_server_jar", ""))
    if jar and "://" not in jar and not os.path.isfile(jar):
        yield f"{place}.options.{engine.runner}_job_server_jar: no such file, got {jar}; Beam downloads one without it"


def _no_answer(place: str, endpoint: str) -> Iterator[str]:
    host, _, port = endpoint.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S):
            return
    except ValueError:
        yield f"{place}.options.job_endpoint: no host:port, got {endpoint}; write for instance localhost:8099"
    except OSError as error:
        reason = error.strerror or error
        words = f"no job server answers, got {endpoint}: {reason}; start it, or mend the address"
        yield f"{place}.options.job_endpoint: {words}"


def _local_inputs(file: ConfigFile) -> Iterator[str]:
    paths = [path for found in file.inputs.patterns.values() for path in found]
    if file.config.data.query is None and (local := [path for path in paths if "://" not in path]):
        yield (
            f"beam.steps.ExampleGen: the workers of Dataflow reach no file of this machine, got {local[0]}; write "
            "`steps: {ExampleGen: {runner: direct}}`"
        )
