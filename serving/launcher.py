"""Serve a model with the best engine there is: TensorFlow Serving's binary, its image, or our embedded server.

One set of options gives the exact command line of each; all three read the same `models.config`.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from serving import releases

IMAGE = "docker.io/tensorflow/serving:2.19.0"
ENGINES = ("auto", "tensorflow_model_server", "docker", "podman", "embedded")
_PULL_S = 600


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


def find_engine(engine: str = "auto", image: str = IMAGE) -> str:
    """Choose an engine.

    Args:
        engine: one of ENGINES; 'auto' takes the first that is there.
        image: the image must be here already, or be to be had.

    Returns:
        One of ENGINES other than 'auto'.

    Raises:
        ValueError: an unknown engine, or one that is not on this machine.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine: unknown, got {engine}; use {', '.join(ENGINES)}")
    if engine == "embedded":
        return engine
    if engine != "auto":
        if shutil.which(engine) is None:
            raise ValueError(f"engine: {engine} is not on the PATH; use auto or embedded")
        return engine
    if shutil.which("tensorflow_model_server"):
        return "tensorflow_model_server"
    for tool in ("docker", "podman"):
        if shutil.which(tool) and _has_image(tool, image):
            return tool
    return "embedded"


def _has_image(tool: str, image: str) -> bool:
    """Whether an image is here, or can be pulled."""
    for command in ([tool, "image", "inspect", image], [tool, "pull", "--quiet", image]):
        try:
            found = subprocess.run(command, capture_output=True, timeout=_PULL_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if found.returncode == 0:
            return True
    return False


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


def start(options: LaunchOptions, engine: str = "auto") -> subprocess.Popen[bytes]:
    """Start serving in a child process; the caller stops it with `terminate`, and it drains.

    Raises:
        ValueError: see find_engine; or there is no version to serve.
    """
    if not options.base.is_dir():
        raise ValueError(f"base path: no such folder, got {options.base}; push a model first")
    releases.ensure(options.base, options.name or None)
    return subprocess.Popen(command(options, find_engine(engine, options.image)))


def serve(options: LaunchOptions, engine: str = "auto") -> int:
    """Serve in the place of this process; does not return.

    Raises:
        ValueError: see start.
    """
    if not options.base.is_dir():
        raise ValueError(f"base path: no such folder, got {options.base}; push a model first")
    releases.ensure(options.base, options.name or None)
    line = command(options, find_engine(engine, options.image))
    sys.stdout.flush()
    os.execvp(line[0], line)  # noqa: S606  (the command line is ours, see above)
