"""`slipway tensorboard`: TensorBoard on a folder of links to the logs, below the names of their runs.

Links and no `--logdir_spec`: TensorBoard's fast loader does not know that option. To files, as the profiler's plugin
does not look behind linked folders, and keeps what it computes beside the profile. And none to the file above the
trials, which describes one search: of several such files TensorBoard takes any, and hides what the other searches drew.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import names, ports, run_logs, stops
from pipeline.errors import DONE, SetupError
from pipeline.home import Home
from pipeline.run_logs import RunLogs
from pipeline.screen import logged_to

LOG = "tensorboard.log"
# As often as TensorBoard itself looks for news.
RELOAD_S = 5


@dataclass(frozen=True)
class Wish:
    """What the command line says.

    Attributes:
        host: the address to listen on.
        port: 0 takes a free one.
        run_id: show this run only, None for all.
    """

    host: str
    port: int
    run_id: str | None


def run(home: Home, wish: Wish) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code.

    Raises:
        SetupError: nothing was trained yet, no such run, or the port is taken.
    """
    logs = _chosen(home, wish.run_id)
    _require_port(wish)
    (home.root / "tensorboard").mkdir(exist_ok=True)
    with (
        stops.as_interrupts(),
        logged_to(home.root / LOG) as screen,
        TemporaryDirectory(prefix=f"{home.name}-", dir=home.root / "tensorboard") as folder,
    ):
        try:
            link(Path(folder), logs)
            with screen.working_on("starting TensorBoard"):
                url = _start(folder, wish)
            runs = f"{len(logs)} run{'s' * (len(logs) > 1)}"
            screen.line(f"{home.name}: {runs} in TensorBoard at {url} (Ctrl-C stops)")
            while True:
                time.sleep(RELOAD_S)
                # A step that fails takes its folders away, at this moment or since the last look.
                with suppress(FileNotFoundError, SetupError):
                    link(Path(folder), _chosen(home, wish.run_id))
        except KeyboardInterrupt:
            screen.line(f"{home.name}: stopped")
    return DONE


def link(folder: Path, logs: Sequence[RunLogs]) -> None:
    """Have the folder link to the files there are now, below `<run>/trainer` and `<run>/trial_<number>`."""
    sources = {}
    for run in logs:
        place = folder / run.run_id.replace("/", "-")
        if run.training:
            sources[place / "trainer"] = run.training
        if run.search:
            sources |= {place / path.name: path for path in (run.search / "logs").glob("trial_*")}
    wanted = {
        place / path.relative_to(source): path
        for place, source in sources.items()
        for path in source.rglob("*")
        if path.is_file()
    }
    for old in folder.rglob("*"):
        if old.is_symlink() and old not in wanted:
            old.unlink()
    for place, path in wanted.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(path.absolute())


def _chosen(home: Home, run_id: str | None) -> list[RunLogs]:
    """Return one run with all that it used, or all runs, each with what it made.

    Raises:
        SetupError: there is none.
    """
    logs = run_logs.load_all(home)
    if not logs:
        old = run_logs.without_folders(home)
        why = f"{old[-1]} {run_logs.OLD}" if old else "no run of it has come to its Tuner or Trainer"
        raise SetupError(f"slipway tensorboard: no logs yet, got {home.name!r}; {why}")
    if run_id is None:
        return run_logs.each_once(logs)
    known = {run.run_id: run for run in logs}
    if run_id not in known:
        hint = names.suggestion(run_id, known)
        raise SetupError(f"slipway tensorboard: --run: no such run of {home.name} with logs, got {run_id!r}; {hint}")
    return [known[run_id]]


def _require_port(wish: Wish) -> None:
    """Raise SetupError unless TensorBoard can listen there."""
    with ExitStack() as held:
        try:
            ports.hold(held, wish.host, wish.port)
        except OSError as error:
            raise ports.refusal("slipway tensorboard: --port", wish.host, wish.port, error) from error


def _start(folder: str, wish: Wish) -> str:
    """Start TensorBoard in a thread and return its URL."""
    from tensorboard import program

    board = program.TensorBoard()
    board.configure(["", "--logdir", folder, "--host", wish.host, "--port", str(wish.port)])
    return board.launch()
