"""The table of lanes.txt, which setup.sh reads too: which Python and TFX a machine gets."""

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lane:
    """One row of the table: where it runs and what it brings.

    Attributes:
        python: minor version, "3.13".
        machine: kernel and processor as `uname -s` and `uname -m` name them, "Linux-x86_64".
        glibc: the oldest that will do; None where the system has none.
        tfx: the exact version.
        name: "new" or "wide".
    """

    python: str
    machine: str
    glibc: str | None
    tfx: str
    name: str


@dataclass(frozen=True)
class Machine:
    """What decides the lane: Python's minor version, kernel and processor, and glibc's version, if it is glibc."""

    python: str
    machine: str
    glibc: str | None

    def __str__(self) -> str:
        libc = f"glibc {self.glibc}" if self.glibc else "no glibc"
        return f"Python {self.python} on {self.machine}, {libc}"


def lanes() -> list[Lane]:
    """Return the table, best lane first."""
    rows = Path(__file__).with_suffix(".txt").read_text().splitlines()
    table = [row.split() for row in rows if row and not row.startswith("#")]
    return [
        Lane(python, machine, None if least == "-" else least, tfx, name) for python, machine, least, tfx, name in table
    ]


def this_machine() -> Machine:
    """Return what this process runs on."""
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Machine(python, f"{platform.system()}-{platform.machine()}", libc.removeprefix("glibc ") if libc else None)


def lane_of(machine: Machine) -> Lane | None:
    """Return the lane that a machine is in, or None when TFX cannot run there."""
    for lane in lanes():
        if (lane.python, lane.machine) == (machine.python, machine.machine) and _enough(machine.glibc, lane.glibc):
            return lane
    return None


def _enough(glibc: str | None, least: str | None) -> bool:
    return least is None or (glibc is not None and _numbers(glibc) >= _numbers(least))


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
