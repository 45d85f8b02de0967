"""`slipway node`: one step of a pipeline in a process of its own."""

import logging
import time

from pipeline import causes, importing
from pipeline.config_file import ConfigFile
from pipeline.errors import DATA_REFUSED, STEP_FAILED, StepError
from pipeline.home import Home


def run(file: ConfigFile, home: Home, node_id: str, run_id: str) -> int:
    """Run one node and return its exit code; an orchestrator's log gets everything on standard error.

    Raises:
        StepError: the step failed or refused the data.
        SetupError: there is no such step.
    """
    logging.basicConfig(level=logging.INFO)
    with importing.for_good():  # seconds of imports; a wrong config is told before them
        from pipeline import build, findings, node

    begun = time.time()
    ir = build.build(file, home, run_id)
    node.find(ir, node_id)
    try:
        outcome = node.launch(ir, node_id)
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", node_id)
        code = DATA_REFUSED if causes.refuses_data(node_id, error) else STEP_FAILED
        raise StepError(*causes.lines(node_id, error), exit_code=code) from error
    found = findings.of(node_id, file.config, outcome.outputs)
    print(f"{node_id} {outcome.state} {time.time() - begun:.1f} s {found.figure}".rstrip())  # noqa: T201
    for line in found.lines:
        print(line)  # noqa: T201
    return found.exit_code
