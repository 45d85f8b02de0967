"""`slipway doctor`: what this machine and this installation are, what is wrong, and what to do about it.

Each check is a function that returns findings and prints nothing. TensorFlow and TFX are imported in a child process,
so that a crash of theirs is a finding too.
"""

import importlib.metadata
import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from pipeline.errors import DONE, WRONG_SETUP
from pipeline.home import home_root
from pipeline.lanes import Machine, lane_of, this_machine

CLONE = Path(__file__).resolve().parents[1]
SET_UP = "run `make setup`"
GIB = 2**30
# The taxi demo leaves 0.1 GB behind; 300,000 rows peak at 1.8 GB of memory.
DISK_GIB, MEMORY_GIB = 2, 4
PORTS = {8500: "gRPC", 8501: "REST"}
MODULES = (
    "tensorflow", "keras", "keras_tuner", "tensorboard", "apache_beam", "ml_metadata", "tfx_bsl",
    "tensorflow_transform", "tensorflow_data_validation", "tensorflow_model_analysis",
    "tensorflow_serving.apis.prediction_service_pb2_grpc", "tfx.v1",
)  # fmt: skip
# TFX 1.21 sets a component whose import failed to None and goes on.
PROBE = f"""
import importlib, sys
for name in {MODULES!r}:
    print(name, flush=True)
    importlib.import_module(name)
components = sys.modules["tfx.v1"].components
print("missing:", *[name for name in dir(components) if getattr(components, name) is None])
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report; a bad one stops work and says what to do."""

    level: Literal["ok", "warn", "bad"]
    text: str

    def __str__(self) -> str:
        return f"{self.level:<5}{self.text}"


def check_lane(machine: Machine) -> Finding:
    """Tell which stack this machine gets, if any."""
    lane = lane_of(machine)
    if lane is None:
        return Finding("bad", f"machine: TFX cannot run here, got {machine}; `sh setup.sh` says what is missing")
    return Finding("ok", f"{machine}: lane {lane.name}, TFX {lane.tfx}")


def locked_versions(lock: str) -> dict[str, str]:
    """Return name → version of every package that a requirements.txt names for this Python and this system."""
    lines = [line.removesuffix("\\") for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    packages = [Requirement(line.strip()) for line in lines]
    here = [package for package in packages if package.marker is None or package.marker.evaluate()]
    return {_normal(package.name): str(package.specifier).removeprefix("==") for package in here}


def installed_versions() -> dict[str, str]:
    """Return name → version of every package that this Python can import."""
    return {_normal(found.name): found.version for found in importlib.metadata.distributions()}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def check_versions(locked: Mapping[str, str], installed: Mapping[str, str]) -> Finding:
    """Tell how the installed packages differ from the lock."""
    other = {name: installed.get(name, "nothing") for name, version in locked.items() if installed.get(name) != version}
    if other:
        shown = ", ".join(f"{name} {found} for {locked[name]}" for name, found in list(other.items())[:5])
        more = f" and {len(other) - 5} more" if len(other) > 5 else ""
        return Finding("bad", f"packages: not those of requirements.txt, got {shown}{more}; {SET_UP}")
    known = ("tfx", "tensorflow", "keras", "apache-beam", "protobuf", "numpy")
    shown = ", ".join(f"{name} {installed[name]}" for name in known if name in installed)
    return Finding("ok", f"{len(locked)} packages as locked: {shown}")


def check_clone(working_directory: Path, clone: Path = CLONE) -> Finding:
    """Tell whether the command belongs to the clone that its user stands in."""
    for folder in (working_directory, *working_directory.parents):
        if _is_slipway(folder):
            if folder.resolve() == clone:
                return Finding("ok", f"installed from {clone}")
            return Finding(
                "bad", f"project: this is the `slipway` of another clone, got {clone}; use .venv/bin/slipway"
            )
    return Finding("ok", f"installed from {clone}, called from outside of it")


def _is_slipway(folder: Path) -> bool:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"] == "slipway"
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return False


def check_imports(probe: str = PROBE, timeout_s: float = 300) -> Finding:
    """Import the big libraries in a child process and tell which one fails, crashes it, or left a component out."""
    command = [sys.executable, "-c", probe]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return Finding("bad", f"imports: not finished, got {timeout_s:.0f} s; try again, the disk may be slow")
    names = done.stdout.splitlines()
    last = names[-1] if names else "Python itself"
    if done.returncode < 0:
        return Finding("bad", f"{last}: its import crashed, got {signal.Signals(-done.returncode).name}; {SET_UP}")
    if done.returncode > 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("bad", f"{last}: its import failed, got {reason}; {SET_UP}")
    missing = last.removeprefix("missing:").split()
    if missing:
        return Finding("bad", f"tfx.v1.components: left out by TFX, got None for {', '.join(missing)}; {SET_UP}")
    return Finding("ok", f"{len(names) - 1} libraries import, TFX has all its components")


def check_home(home: Path) -> Finding:
    """Tell whether runs can write, and whether they have the room."""
    folder = home
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "bad", f"{home}: not writable, got owner {folder.owner()}; set SLIPWAY_HOME to a folder of yours"
        )
    free = shutil.disk_usage(folder).free / GIB
    if free < DISK_GIB:
        return Finding("warn", f"{home}: little disk, got {free:.1f} GB free; a run may need {DISK_GIB} GB")
    return Finding("ok", f"{home} can be written, {free:.0f} GB free")


def check_hardware(memory_gib: float, cpus: int, cpu_flags: str | None) -> Iterator[Finding]:
    """Tell memory and processors; `cpu_flags` is Linux's list of instruction sets, None where there is no such list."""
    if cpu_flags is not None and "avx" not in cpu_flags.split():
        yield Finding("bad", "processor: TensorFlow needs AVX, got none; use another machine or CPU model")
    if memory_gib < MEMORY_GIB:
        yield Finding("warn", f"memory: little, got {memory_gib:.1f} GB; large tables may need {MEMORY_GIB} GB")
    else:
        yield Finding("ok", f"{cpus} CPUs, {memory_gib:.0f} GB of memory")


def memory_gib() -> float:
    """Return the memory that this process may use: the machine's, or the limit of its container."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _text("/sys/fs/cgroup/memory.max").strip()
    return min(total, int(limit) if limit.isdigit() else total) / GIB


def cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_flags() -> str | None:
    """Return the instruction sets of the processor on Linux, or None."""
    flags = [line for line in _text("/proc/cpuinfo").splitlines() if line.startswith("flags")]
    return flags[0].partition(":")[2] if flags else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def check_ports(ports: Mapping[int, str]) -> Iterator[Finding]:
    """Tell which of the serving ports are taken."""
    for port, use in ports.items():
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("", port))
            except OSError as error:
                yield Finding(
                    "warn", f"port {port}: cannot serve {use} here, got {error.strerror}; serve on another port"
                )
            else:
                yield Finding("ok", f"port {port} is free for {use}")


def check_environment(variables: Mapping[str, str]) -> Iterator[Finding]:
    """Tell of variables that put other people's code before the locked one."""
    for name in ("PYTHONPATH", "PYTHONHOME"):
        if variables.get(name):
            yield Finding("warn", f"{name}: may hide locked packages, got {variables[name]}; unset it if imports fail")


def examine(home: Path) -> Iterator[Finding]:
    """Yield every finding, the cheap ones first."""
    yield check_lane(this_machine())
    yield check_clone(Path.cwd())
    yield from check_environment(os.environ)
    lock = CLONE / "requirements.txt"
    if lock.is_file():
        yield check_versions(locked_versions(lock.read_text()), installed_versions())
    yield check_home(home)
    yield from check_hardware(memory_gib(), cpus(), cpu_flags())
    yield from check_ports(PORTS)
    yield check_imports()


def main(home: str | None = None) -> int:
    """Print each finding as it is made; return 2 when one is bad."""
    bad = 0
    for finding in examine(home_root(home)):
        print(finding, flush=True)
        bad += finding.level == "bad"
    print(f"{bad} to put right" if bad else "nothing to put right")
    return WRONG_SETUP if bad else DONE
