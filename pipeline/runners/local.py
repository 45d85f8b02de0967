"""The local runner: every node in this process, one line per step on the screen, everything else in the log."""

import logging
import time

import click

from pipeline import causes, importing, releasing, runs
from pipeline.config_file import ConfigFile
from pipeline.errors import DONE, STEP_FAILED, SlipwayError
from pipeline.home import Home
from pipeline.options import RunOptions
from pipeline.screen import Screen, logged_to

LOGGER = logging.getLogger(__name__)


def run(file: ConfigFile, home: Home, options: RunOptions) -> int:
    """Run a pipeline and return its exit code; a second run of the same pipeline waits until the first has ended."""
    started = time.time()
    with runs.exclusive(home, click.echo):
        record = runs.Run(runs.new_run_id(), home.name, str(file.path), list(file.overrides))
        log = runs.folder(home, record.run_id) / "log.txt"
        with logged_to(log) as screen:
            screen.line(f"{home.name}  run {record.run_id}  log {log}")
            try:
                _run_steps(file, home, options, record, screen)
                record.exit_code = next((step.exit_code for step in record.steps if step.exit_code), DONE)
            except KeyboardInterrupt:
                record.error = [f"{home.name}: interrupted; the same command goes on from the last finished step"]
                record.exit_code = STEP_FAILED
            except SlipwayError as error:
                record.error, record.exit_code = list(error.lines), error.exit_code
            record.seconds = time.time() - started
            runs.save(home, record)
            _print_end(record, home, screen)
            if record.error:
                screen.line(f"{home.name}: nothing was pushed; the whole log is in {log}", "red")
    return record.exit_code


def _run_steps(file: ConfigFile, home: Home, options: RunOptions, record: runs.Run, screen: Screen) -> None:
    """Build the pipeline and launch its nodes.

    Raises:
        SlipwayError: a hook is missing, the steps do not fit together, or one of them failed.
    """
    # Seconds of imports: behind the live line, with their noise in the log.
    with screen.working_on("loading TFX"), importing.for_good():
        from pipeline import beam_needs, build, metadata_store, partial, pipeline_root

        metadata_store.require(file.config.metadata, home)
        pipeline_root.require(file.config)
        ir = build.build(file, home, record.run_id)
        chosen = partial.choose(ir, options)
        beam_needs.require(file, ir, chosen)
    for name in chosen:
        begun = time.time()
        record.steps.append(runs.StepRecord(name, "unfinished", 0.0))
        try:
            with screen.working_on(name):
                record.steps[-1] = _run_step(file, home, ir, record)
        except Exception as error:
            LOGGER.exception("%s failed", name)
            record.steps[-1] = runs.StepRecord(name, "failed", 0.0)
            raise causes.step_error(name, error, file.config.metadata) from error
        finally:
            record.steps[-1].seconds = time.time() - begun
            runs.save(home, record)
            _print_step(record.steps[-1], screen)


def _run_step(file: ConfigFile, home: Home, ir: object, record: runs.Run) -> runs.StepRecord:
    """Launch the node of the last record, which is saved when it begins to execute, and return what became of it."""
    from pipeline import node, step_records

    step = record.steps[-1]

    def executes(info: object) -> None:
        step_records.begin(step, info)
        runs.save(home, record)

    return step_records.finished(step.name, file.config, node.launch(ir, step.name, executes))


def _print_step(step: runs.StepRecord, screen: Screen) -> None:
    line = f"  {step.name:<18}{step.state:<10}{step.seconds:>6.1f} s  {step.figure}".rstrip()
    screen.line(line, "red" if step.state == "failed" else "")
    for text in step.lines:
        screen.line(f"    {text}", "red" if "FAILS" in text else "")


def _print_end(record: runs.Run, home: Home, screen: Screen) -> None:
    """Print how the run ended, on one line or one per mistake."""
    for line in record.error:
        screen.line(line, "red")
    if not record.blessed:
        screen.line(f"{home.name}: not blessed after {record.seconds:.1f} s; nothing was pushed", "red")
    elif not record.error:
        screen.line(f"{home.name}: done in {record.seconds:.1f} s{releasing.after_run(home)}", "green")
        if record.exit_code != DONE:
            screen.line(f"{home.name}: nothing was pushed to {home.mobile}; see the FAILS above", "red")
