"""What runners that write a file for an orchestrator share: the arrows, and what is sent along to `slipway node`."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import importing, names, runs
from pipeline.config_file import ConfigFile
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home

# The task after all steps, which writes the record of the run.
FINISH = "Finish"
# Bytes of all that is sent, as JSON: KFP's driver hands it over as one argument, of which Linux takes 128 KiB.
LONGEST_SENT = 120_000


def upstream(file: ConfigFile) -> dict[str, list[str]]:
    """Return the steps that each step waits for, by its name, every step after those.

    Raises:
        ConfigError: the steps do not fit together.
    """
    with importing.for_good():
        from pipeline import build

        with tempfile.TemporaryDirectory() as folder:  # building writes a little; nothing of it is needed
            ir = build.build(file, Home(Path(folder), file.config.name), "compiled")
    found = (node.pipeline_node for node in ir.nodes)
    return {node.node_info.id: sorted(node.upstream_nodes) for node in found}


def require_steps(file: ConfigFile, section: str, given: Mapping[str, Any], nodes: Mapping[str, list[str]]) -> None:
    """Check what a section of the config says of steps, by name.

    Raises:
        ConfigError: some are no steps of the pipeline, or the last task is to have a cache.
    """
    mistakes = []
    for name, said in given.items():
        place = f"{file.path}: {section}.steps.{name}"
        try:
            names.require(name, [*nodes, FINISH], what="step")
        except ValueError as error:
            mistakes.append(f"{place}: {error}")
        if name == FINISH and said.cache is not None:
            mistakes.append(f"{place}.cache: the record of a run has no cache, got {said.cache}; take it out")
    if mistakes:
        raise ConfigError(*mistakes)


def sent_config(file: ConfigFile) -> dict[str, Any]:
    """Return the pipeline's parameters: the config and what is set for one run of it.

    Raises:
        ConfigError: it is too long to be sent.
    """
    schema = file.schema_path
    sent = {
        "config": file.path.read_text(encoding="utf-8"),
        "schema": schema.read_text(encoding="utf-8") if schema else "",
        "span": file.span or "",
        "overrides": list(file.overrides),
    }
    if (size := len(json.dumps(sent))) > LONGEST_SENT:
        what = f"{file.path} and {schema}" if schema else file.path
        raise ConfigError(f"{what}: too long to be sent to a step, got {size} bytes as JSON; {LONGEST_SENT} at most")
    return sent


def place(file: ConfigFile) -> str:
    """Return where a config stands in the project: its path from the folder of the project."""
    path = file.path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else Path("configs", path.name))


def write(output: Path, text: str) -> None:
    """Write the file in one go.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        runs.write_atomically(output, text)
    except OSError as error:
        raise SetupError(f"-o: cannot be written, got {error}; check the path") from error
