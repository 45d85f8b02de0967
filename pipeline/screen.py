"""What a person sees of a run: one line per step, a live line for the step at work, and the full log in a file.

TFX, Beam and TensorFlow print thousands of lines, partly from native code. They all go to the log by redirecting the
process's own standard output and error; the screen keeps a copy of the real ones.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# The contract with whoever does long work, `models/_progress.py` for one: records with `done` and `total`.
PROGRESS_LOGGER = "slipway.progress"


class Screen:
    """Writes the lines of a run; with a terminal, a spinner and a bar below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            SpinnerColumn(), TextColumn("{task.fields[step]}"), BarColumn(20), TextColumn("{task.description}"),
            TimeElapsedColumn(),
        )  # fmt: skip
        self._live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._live.add_task("", step="", total=None, visible=False)

    def line(self, text: str, style: str = "") -> None:
        """Print one line, whole: no wrapping, so that it can be searched and copied."""
        self._console.print(escape(text), style=style or None, highlight=False, soft_wrap=True)

    @contextmanager
    def working_on(self, step: str) -> Iterator[None]:
        """Show the live line while a step is at work."""
        self._live.reset(self._task, step=step, description="", total=None, visible=True)
        handler = _ProgressHandler(self._live, self._task)
        logger = logging.getLogger(PROGRESS_LOGGER)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        try:
            with self._live:
                yield
        finally:
            logger.removeHandler(handler)


class _ProgressHandler(logging.Handler):
    def __init__(self, live: Progress, task: object) -> None:
        super().__init__()
        self._live, self._task = live, task

    def emit(self, record: logging.LogRecord) -> None:
        done, total = getattr(record, "done", None), getattr(record, "total", None)
        self._live.update(self._task, description=record.getMessage(), completed=done, total=total)  # type: ignore[arg-type]


@contextmanager
def logged_to(path: Path) -> Iterator[Screen]:
    """Send everything the process prints or logs to a file, and yield a screen on the real standard output."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    # Children of the process must not inherit the copies: one of them would keep a pipe open after the run.
    with open(path, "a", encoding="utf-8") as log, os.fdopen(os.dup(saved[0]), "w", encoding="utf-8") as real:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        handler = logging.StreamHandler(log)
        handler.setFormatter(_UtcFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        before = root.handlers[:], root.level
        root.handlers, root.level = [handler], logging.INFO
        try:
            yield Screen(Console(file=real))
        finally:
            root.handlers, root.level = before
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(saved[0])
            os.close(saved[1])


class _UtcFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
