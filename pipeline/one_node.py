"""`slipway node`: one step of a pipeline in a process of its own."""

import logging
import time

from pipeline import causes, importing
from pipeline.config_file import ConfigFile
from pipeline.home import Home


def run(file: ConfigFile, home: Home, node_id: str, run_id: str) -> int:
    """Run one node and return its exit code; an orchestrator's log gets everything on standard error.

    Raises:
        StepError: the step failed or refused the data.
        SetupError: there is no such step, or the metadata store is out of reach.
    """
    logging.basicConfig(level=logging.INFO)
    with importing.for_good():  # seconds of imports; a wrong config is told before them
        from pipeline import build, findings, metadata_store, node

    begun = time.time()
    metadata_store.require(file.config.metadata, home)
    ir = build.build(file, home, run_id)
    node.find(ir, node_id)
    try:
        outcome = node.launch(ir, node_id)
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", node_id)
        raise causes.step_error(node_id, error, file.config.metadata) from error
    found = findings.of(node_id, file.config, outcome.outputs)
    print(f"{node_id} {outcome.state} {time.time() - begun:.1f} s {found.figure}".rstrip())  # noqa: T201
    for line in found.lines:
        print(line)  # noqa: T201
    return found.exit_code
