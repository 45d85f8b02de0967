"""What is done around a step before it executes."""

import sys

import pytest
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import standard_artifacts

from pipeline import node


def test_a_step_begins_when_the_filesystems_of_its_inputs_are_known(monkeypatch):
    """The cache may give it what was made when artifacts were kept elsewhere, whatever the config says now."""

    class Operator:
        def run_executor(self, execution_info: ExecutionInfo) -> None:
            pytest.fail("it reads s3:// without knowing it")

    examples = standard_artifacts.Examples()
    examples.uri = "s3://bucket/penguins/ExampleGen/examples/1"
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    told: list[ExecutionInfo] = []
    with pytest.raises(ImportError, match="tensorflow_io"):
        node._telling(Operator, told.append)().run_executor(ExecutionInfo(input_dict={"examples": [examples]}))
    assert told == []
