"""Real runs of the real command: where a process of its own is part of the proof, in one."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


# These set up the logging of their process, or handle its signals.
APART = ("node", "serve", "tensorboard")


def _here(*arguments: str) -> tuple[int, str]:
    """Run a command line in this process; return its exit code and what it printed, by Python or around it."""
    from pipeline.cli import slipway

    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        with contextlib.chdir(ROOT), _printing_to(file.fileno()), pytest.raises(SystemExit) as ended:
            slipway(arguments, "slipway")
        file.seek(0)
        return int(ended.value.code or 0), file.read()


@contextlib.contextmanager
def _printing_to(place: int) -> Iterator[None]:
    """Send standard output and error to an open file, that of native code and of child processes too."""
    saved = os.dup(1), os.dup(2)
    with open(1, "w", encoding="utf-8", closefd=False) as out, open(2, "w", encoding="utf-8", closefd=False) as err:
        os.dup2(place, 1)
        os.dup2(place, 2)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                yield
        finally:
            out.flush()
            err.flush()
            for number, descriptor in enumerate(saved, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)


def _checked(code: int, output: str, wanted: int) -> str:
    assert code == wanted, output
    assert "Traceback" not in output, output
    return output


class Slipway:
    """The command `slipway` in a given source tree and home."""

    # Two small trials in place of four: what is tested here is the pipeline, not the model.
    QUICK = (
        "--set",
        "tuner.max_trials=2",
        "--set",
        "tuner.epochs=1",
        "--set",
        "training.epochs=3",
        "--set",
        "training.tensorboard.profile_batch=5",
        "--set",
        "mobile=off",
    )

    def __init__(self, home: Path, root: Path = ROOT) -> None:
        self.home = home
        self.root = root

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start `python -m pipeline …`; the source tree is the working directory, and so comes first on the path."""
        command = [sys.executable, "-m", "pipeline", *arguments, "--home", str(self.home)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, text=True, stdout=pipe, stderr=subprocess.STDOUT)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run to the end; return what was printed, and fail unless the exit code is the expected one.

        In this process, which has imported TFX: another one needs longer for that than for most of the commands.
        """
        if self.root != ROOT or arguments[0] in APART:
            return self.apart(*arguments, code=code)
        return _checked(*_here(*arguments, "--home", str(self.home)), code)

    def apart(self, *arguments: str, code: int = 0) -> str:
        """Do the same in a process of its own."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=600)
        return _checked(process.returncode, output, code)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run the quick taxi pipeline."""
        return self(*self.quick(*arguments), code=code)

    def quick(self, *arguments: str) -> tuple[str, ...]:
        """Return the arguments that run the quick taxi pipeline."""
        return ("run", "configs/taxi.yaml", *self.QUICK, *arguments)

    def last_run(self) -> dict[str, Any]:
        """Return the record of the last run."""
        return json.loads(max((self.home / "runs" / "taxi").glob("*/run.json")).read_text(encoding="utf-8"))

    def states(self) -> dict[str, str]:
        """Return what became of each step of the last run."""
        return {step["name"]: step["state"] for step in self.last_run()["steps"]}

    def served(self) -> dict[str, str]:
        """Return a digest of every file under the serving folder, by path."""
        files = [path for path in (self.home / "serving").rglob("*") if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="session")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Slipway:
    """A home in which the quick taxi pipeline has run once; shared, so that its cache serves the other tests."""
    slipway = Slipway(tmp_path_factory.mktemp("pushed"))
    slipway.run()
    return slipway


@pytest.fixture
def in_copy(pushed: Slipway, tmp_path: Path) -> Callable[[Callable[[Path], None]], Slipway]:
    """Return a function that edits a copy of the sources and gives the command in it, on a copy of the home."""

    def edited(edit: Callable[[Path], None]) -> Slipway:
        root = tmp_path / "sources"
        for name in ("pipeline", "models", "components", "data", "serving", "configs"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        edit(root)
        # The same home: paths are part of TFX's cache keys.
        return Slipway(pushed.home, root)

    return edited


@pytest.fixture
def slipway_at(tmp_path: Path) -> Callable[[str], Slipway]:
    """Return a function that gives the command in a fresh home of a given name."""
    return lambda name: Slipway(tmp_path / name)


@pytest.fixture
def taxi_rows() -> list[str]:
    """The lines of the real taxi file, header first."""
    from data.sources import taxi

    return Path(taxi.SOURCE.locate(Path())).read_text(encoding="utf-8").splitlines()
