"""The Pusher for phones: what TfLite made goes out under the number of the pushed version, whole or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts

from components import _local_copies, _pusher
from components._tflite import MobileModel
from components._tflite_handover import write_json


class Executor(base_executor.BaseExecutor):
    """Pushes a folder for phones, when its report allows it and the model itself was pushed."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Push; what is not pushed leaves `pushed_version` empty."""
        mobile_uri = artifact_utils.get_single_uri(input_dict["mobile_model"])
        with _local_copies.of(mobile_uri) as mobile, _local_copies.of_outputs(output_dict):
            self._push(mobile, input_dict, output_dict, exec_properties["destination"])

    def _push(self, mobile: Path, input_dict: dict[str, Any], output_dict: dict[str, Any], destination: str) -> None:
        model = artifact_utils.get_single_instance(input_dict["pushed_model"])
        number = model.get_string_custom_property("pushed_version")
        blessed = json.loads((mobile / "report.json").read_text(encoding="utf-8"))["blessed"]
        pushed = artifact_utils.get_single_instance(output_dict["pushed_mobile"])
        copy = Path(pushed.uri)
        copy.mkdir(parents=True, exist_ok=True)
        if not number or not blessed:
            return
        shutil.copytree(mobile, copy, dirs_exist_ok=True)
        sheet = json.loads((copy / "model.json").read_text(encoding="utf-8"))
        write_json(copy / "model.json", {"version": int(number), **sheet})
        version = Path(destination, number)
        push(copy, version)
        pushed.set_string_custom_property("pushed_version", number)
        pushed.set_string_custom_property("pushed_destination", str(version))


def push(mobile: Path, version: Path) -> None:
    """Copy a folder for phones to its version; another one that is there, made with other options, gives way."""
    version.parent.mkdir(parents=True, exist_ok=True)
    for leftover in version.parent.glob(f"{_pusher.UNFINISHED}*"):
        shutil.rmtree(leftover)
    if version.exists() and _pusher.digest(version) != _pusher.digest(mobile):
        version.rename(version.with_name(f"{_pusher.UNFINISHED}{version.name}"))
    if not version.exists():
        _pusher.place(mobile, version)
        shutil.rmtree(version.with_name(f"{_pusher.UNFINISHED}{version.name}"), ignore_errors=True)


class _Spec(component_spec.ComponentSpec):
    PARAMETERS: ClassVar = {"destination": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "mobile_model": component_spec.ChannelParameter(type=MobileModel),
        "pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel),
    }
    OUTPUTS: ClassVar = {"pushed_mobile": component_spec.ChannelParameter(type=MobileModel)}


class MobilePusher(base_component.BaseComponent):
    """Pushes a MobileModel under the version of a PushedModel.

    Args:
        mobile_model: what TfLite made.
        pushed_model: what the Pusher pushed.
        destination: the folder of versions for phones.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, mobile_model: types.BaseChannel, pushed_model: types.BaseChannel, destination: str) -> None:
        super().__init__(
            spec=_Spec(
                mobile_model=mobile_model,
                pushed_model=pushed_model,
                destination=destination,
                pushed_mobile=types.Channel(type=MobileModel),
            )
        )
