"""`slipway node`: one step of a pipeline in a process of its own."""

import logging
import time

from pipeline import causes, importing
from pipeline.config_file import ConfigFile
from pipeline.errors import DATA_REFUSED, DONE, NOT_BLESSED, STEP_FAILED, StepError
from pipeline.home import Home


def run(file: ConfigFile, home: Home, node_id: str, run_id: str) -> int:
    """Run one node and return its exit code; an orchestrator's log gets everything on standard error.

    Raises:
        StepError: the step failed or refused the data.
        SetupError: there is no such step.
    """
    logging.basicConfig(level=logging.INFO)
    with importing.for_good():  # seconds of imports; a wrong config is told before them
        from pipeline import balance, build, figures, mobile, node

    begun = time.time()
    ir = build.build(file, home, run_id)
    node.find(ir, node_id)
    try:
        outcome = node.launch(ir, node_id)
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", node_id)
        code = DATA_REFUSED if causes.refuses_data(node_id, error) else STEP_FAILED
        raise StepError(*causes.lines(node_id, error), exit_code=code) from error
    figure = figures.figure(node_id, outcome.outputs)
    if node_id == "StatisticsGen":
        figure = balance.line(balance.read(outcome.outputs, file.config.label), file.config.label)
    print(f"{node_id} {outcome.state} {time.time() - begun:.1f} s {figure}".rstrip())  # noqa: T201
    if node_id == "TfLite":
        report = figures.mobile_report(outcome.outputs)
        print("\n".join(mobile.lines(report)))  # noqa: T201
        return mobile.exit_code(report)
    not_pushed = node_id == "Pusher" and not figures.pushed_folder(outcome.outputs)
    return NOT_BLESSED if not_pushed else DONE
