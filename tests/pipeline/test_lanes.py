import importlib.metadata
import re
from pathlib import Path

import pytest

from pipeline.doctor import locked_versions
from pipeline.lanes import Lane, Machine, lane_of, lanes, this_machine

CLONE = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("machine", "lane"),
    [
        (Machine("3.13", "Linux-x86_64", "2.41"), "new"),
        (Machine("3.12", "Linux-x86_64", "2.39"), "new"),
        (Machine("3.12", "Linux-x86_64", "2.100"), "new"),
        (Machine("3.12", "Linux-x86_64", "2.36"), None),
        (Machine("3.11", "Linux-x86_64", "2.41"), "wide"),
        (Machine("3.11", "Linux-x86_64", None), None),
        (Machine("3.11", "Linux-aarch64", "2.41"), None),
        (Machine("3.10", "Linux-x86_64", "2.41"), None),
        (Machine("3.13", "Darwin-arm64", None), "new"),
        (Machine("3.11", "Darwin-arm64", None), None),
    ],
)
def test_the_machine_decides_the_lane(machine, lane):
    found = lane_of(machine)
    assert (found and found.name) == lane


def test_this_machine_has_a_lane_since_it_runs_this():
    assert isinstance(lane_of(this_machine()), Lane)


def test_the_table_names_the_tfx_that_the_lock_installs():
    locked = locked_versions((CLONE / "requirements.txt").read_text())
    assert lane_of(this_machine()).tfx == locked["tfx"] == importlib.metadata.version("tfx")
    assert {lane.tfx for lane in lanes()} == set(
        re.findall(r"^tfx==(\S+)", (CLONE / "requirements.txt").read_text(), re.M)
    )
