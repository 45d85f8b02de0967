"""`slipway node`: one step of a pipeline in a process of its own."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from pipeline import causes, config_file, importing
from pipeline.errors import DATA_REFUSED, DONE, NOT_BLESSED, STEP_FAILED, StepError
from pipeline.home import Home, home_root


def run(config: Path, overrides: Iterable[str], home: str | None, node_id: str, run_id: str) -> int:
    """Run one node and return its exit code; an orchestrator's log gets everything on standard error.

    Raises:
        StepError: the step failed or refused the data.
        SetupError: there is no such step.
    """
    file = config_file.read(config, overrides, home_root(home))
    place = Home(home_root(home), file.config.name)
    logging.basicConfig(level=logging.INFO)
    with importing.for_good():  # seconds of imports; a wrong config is told before them
        from pipeline import build, figures, mobile, node, trials

    begun = time.time()
    ir = build.build(file, place, run_id)
    node.find(ir, node_id)
    try:
        outcome = node.launch(ir, node_id)
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", node_id)
        code = DATA_REFUSED if causes.refuses_data(node_id, error) else STEP_FAILED
        raise StepError(*causes.lines(node_id, error), exit_code=code) from error
    print(f"{node_id} {outcome.state} {time.time() - begun:.1f} s {figures.figure(node_id, outcome.outputs)}".rstrip())  # noqa: T201
    if node_id == "Tuner":
        print("\n".join(trials.lines(figures.trial_report(outcome.outputs))))  # noqa: T201
    if node_id == "TfLite":
        report = figures.mobile_report(outcome.outputs)
        print("\n".join(mobile.lines(report)))  # noqa: T201
        return mobile.exit_code(report)
    not_pushed = node_id == "Pusher" and not figures.pushed_folder(outcome.outputs)
    return NOT_BLESSED if not_pushed else DONE
