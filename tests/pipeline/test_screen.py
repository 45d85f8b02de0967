"""What people see and what goes to the log."""

import io
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from rich.console import Console

from pipeline.screen import PROGRESS_LOGGER, Screen, logged_to


def test_a_line_is_printed_whole_and_as_it_is():
    out = io.StringIO()
    text = "[bold]no markup[/bold] " + "x" * 300 + " 12:30 'quoted'"
    Screen(Console(file=out, width=80)).line(text, style="red")
    assert out.getvalue() == text + "\n"


def test_the_live_line_shows_the_step_and_its_progress(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    screen = Screen(Console(file=out, width=120, force_terminal=True))
    with screen.working_on("Trainer"):
        logging.getLogger(PROGRESS_LOGGER).info("epoch 3: loss 0.1", extra={"done": 3, "total": 10})
    assert "Trainer" in out.getvalue()
    assert "epoch 3: loss 0.1" in out.getvalue()
    assert not logging.getLogger(PROGRESS_LOGGER).handlers


# In a process of its own: the standard output of this one belongs to pytest.
PROGRAM = """
import logging, os, subprocess, sys
from pathlib import Path
from pipeline.screen import logged_to
try:
    with logged_to(Path(sys.argv[1])) as screen:
        print("printed")
        os.system("echo from a child")
        os.write(2, b"from native code\\n")
        logging.info("logged")
        screen.line("for people")
        if len(sys.argv) > 2:
            raise KeyError("planted")
finally:
    print("afterwards")
"""


@pytest.mark.parametrize("arguments", [[], ["fail"]])
def test_everything_goes_to_the_log_but_the_lines_for_people(tmp_path, arguments):
    log = tmp_path / "deep" / "log.txt"
    command = [sys.executable, "-c", PROGRAM, str(log), *arguments]
    hours = [f"{datetime.now(UTC):%F %H}"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TZ": "Asia/Tokyo"})
    hours.append(f"{datetime.now(UTC):%F %H}")
    assert done.stdout.splitlines() == ["for people", "afterwards"]
    assert ("KeyError: 'planted'" in done.stderr) == bool(arguments)
    text = log.read_text()
    for line in ("printed", "from a child", "from native code", "INFO root: logged"):
        assert line in text
    assert "for people" not in text
    (logged,) = [line for line in text.splitlines() if line.endswith("root: logged")]
    assert logged.startswith(tuple(hours)), "the log's times are UTC"


def test_a_second_run_adds_to_the_log(tmp_path, capfd):
    for word in ("first", "second"):
        with capfd.disabled(), logged_to(tmp_path / "log.txt"):
            os.write(1, f"{word}\n".encode())
    assert (tmp_path / "log.txt").read_text().split() == ["first", "second"]
