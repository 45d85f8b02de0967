"""Serve a model with the best engine there is: TensorFlow Serving's binary, its image, or our embedded server.

One set of options gives the exact command line of each; all three read the same `models.config`.
"""

import contextlib
import ctypes
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import releases

IMAGE = "docker.io/tensorflow/serving:2.19.0"
ENGINES = ("auto", "tensorflow_model_server", "docker", "podman", "embedded")
_PULL_S = 600
_STOP_S = 60  # more than the servers take to finish what is under way


@dataclass(frozen=True)
class LaunchOptions:
    """What to serve and where.

    Attributes:
        base_path: the folder of versions.
        name: of the model; '' takes the folder's.
        rest_port: TensorFlow Serving's image listens on 8501 inside, and is published here.
        host: for the containers and the embedded server; TensorFlow Serving's binary listens on all addresses.
        batching_file: text BatchingParameters, or ''.
        monitoring_file: text MonitoringConfig, or ''; the embedded server shows its metrics without one.
        image: the container image.
        extra: more flags for the server, as they are.
    """

    base_path: str | Path
    name: str = ""
    rest_port: int = 8501
    grpc_port: int = 8500
    host: str = "127.0.0.1"
    batching_file: str = ""
    monitoring_file: str = ""
    image: str = IMAGE
    extra: tuple[str, ...] = ()

    @property
    def base(self) -> Path:
        """Absolute, since TensorFlow Serving wants it so."""
        return Path(self.base_path).resolve()


@dataclass(frozen=True)
class Engine:
    """What serves.

    Attributes:
        name: one of ENGINES other than 'auto'.
        why: it was taken, in words.
    """

    name: str
    why: str


def find_engine(engine: str = "auto", image: str = IMAGE, announce: Callable[[str], object] = lambda _: None) -> Engine:
    """Choose an engine; 'auto' takes the first that is there.

    Args:
        engine: one of ENGINES.
        image: for containers; it must be here already, or be to be had.
        announce: told in words before an image is pulled, which takes minutes.

    Raises:
        ValueError: an unknown engine, or one that this machine has not.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine: unknown, got {engine}; use {', '.join(ENGINES)}")
    if engine != "auto":
        if obstacle := _obstacle(engine, image, announce):
            raise ValueError(f"engine: {obstacle[0]}, got {obstacle[1]}; use auto or embedded")
        return Engine(engine, "as asked for")
    obstacles: list[str] = []
    for name in ENGINES[1:-1]:
        obstacle = _obstacle(name, image, announce)
        if not obstacle:
            return Engine(name, ", ".join([*obstacles, f"{name} is there"]))
        obstacles.append(obstacle[0])
    return Engine("embedded", ", ".join(obstacles))


def _obstacle(engine: str, image: str, announce: Callable[[str], object]) -> tuple[str, str] | None:
    """Why an engine cannot be used here, in short and as it was said; None when it can."""
    if engine == "embedded":
        return None
    if shutil.which(engine) is None:
        return f"no {engine} on the PATH", "no such program"
    if engine == "tensorflow_model_server":
        return None
    if said := _run([engine, "ps", "--quiet"]):
        return f"{engine} does not run", said
    if not _run([engine, "image", "inspect", image]):
        return None
    announce(f"{engine} pulls {image}, which may take minutes; without it: --engine embedded")
    if said := _run([engine, "pull", "--quiet", image]):
        return f"{engine} cannot get {image}", said
    return None


def _run(command: list[str]) -> str:
    """Run a container tool; returns the last thing it said, shortened, when it failed, and '' when it did not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PULL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return textwrap.shorten(lines[-1], 160, placeholder=" …") if done.returncode else ""


def command(options: LaunchOptions, engine: str) -> list[str]:
    """The command line that serves with an engine (from find_engine)."""
    if engine == "tensorflow_model_server":
        return ["tensorflow_model_server", *_flags(options, options.rest_port, options.grpc_port)]
    if engine == "embedded":
        return [
            sys.executable, "-m", "serving.cli", f"--host={options.host}",
            *_flags(options, options.rest_port, options.grpc_port),
        ]  # fmt: skip
    mounts = [
        options.base,
        *(Path(file).resolve() for file in (options.batching_file, options.monitoring_file) if file),
    ]
    return [
        engine, "run", "--rm", "--init",
        "-p", f"{options.host}:{options.rest_port}:8501", "-p", f"{options.host}:{options.grpc_port}:8500",
        *(part for mount in mounts for part in ("-v", f"{mount}:{mount}:ro")),
        options.image, *_flags(options, 8501, 8500),
    ]  # fmt: skip


def config_flags(file: str | Path) -> list[str]:
    """What makes a server follow a `models.config` and its labels."""
    return [
        f"--model_config_file={file}",
        "--model_config_file_poll_wait_seconds=1",
        "--allow_version_labels_for_unavailable_models=true",
    ]


def _flags(options: LaunchOptions, rest_port: int, grpc_port: int) -> list[str]:
    flags = [
        f"--port={grpc_port}",
        f"--rest_api_port={rest_port}",
        *config_flags(options.base / releases.CONFIG),
    ]
    if options.batching_file:
        flags += ["--enable_batching=true", f"--batching_parameters_file={Path(options.batching_file).resolve()}"]
    if options.monitoring_file:
        flags.append(f"--monitoring_config_file={Path(options.monitoring_file).resolve()}")
    return [*flags, *options.extra]


@contextlib.contextmanager
def running(options: LaunchOptions, engine: Engine, log: Any = None) -> Iterator[subprocess.Popen[bytes]]:
    """Serve in a child process, which is told to stop when the block is left, and has finished its requests then.

    Args:
        options: what to serve and where.
        engine: from find_engine.
        log: an open file for what the child prints; None leaves it on this process's own output.

    Raises:
        ValueError: there is no folder of versions.
    """
    if not options.base.is_dir():
        raise ValueError(f"base path: no such folder, got {options.base}; push a model first")
    releases.ensure(options.base, options.name or None)
    # A session of its own: Ctrl-C in a terminal reaches this process only, which then stops the child in order.
    child = subprocess.Popen(
        command(options, engine.name), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True, preexec_fn=_end_with_parent,  # noqa: PLW1509  (one call into libc, no Python locks)
    )  # fmt: skip
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except BaseException:
            child.kill()
            raise


def _end_with_parent() -> None:
    """Have Linux stop the child when this process is killed, so that no port stays taken; other systems cannot."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
