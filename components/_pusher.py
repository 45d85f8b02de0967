"""The Pusher, atomic: a version appears in the serving folder complete or not at all.

TFX's own copies file by file into the numbered folder, which a polling model server may read half-written, and a killed
run leaves half there for ever.
"""

import hashlib
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

from tfx.components.pusher import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils, proto_utils

from components import _local_copies

# No model server takes a name that is not a number for a version.
UNFINISHED = ".unfinished-"


class Executor(executor.Executor):
    """Copies a blessed model beside its destination, then renames."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Push the model when it is blessed; otherwise mark the output as not pushed."""
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties["push_destination"], destination)
        source = self.GetModelPath(input_dict)
        with _local_copies.of(source) as model:
            version = push(model, Path(destination.filesystem.base_directory))
        io_utils.copy_dir(source, pushed.uri)
        self._MarkPushed(pushed, pushed_destination=str(version), pushed_version=version.name)


def push(model: Path, serving: Path) -> Path:
    """Copy a SavedModel into a serving folder under the next version number.

    The number is the time in seconds, and always above the versions that are there. When the newest version already
    holds the same files, for instance because the run was killed right after its push, it is returned as it is.

    Returns:
        the folder of the version.
    """
    serving.mkdir(parents=True, exist_ok=True)
    for leftover in serving.glob(f"{UNFINISHED}*"):
        shutil.rmtree(leftover)
    versions = sorted(int(folder.name) for folder in serving.iterdir() if folder.name.isdigit())
    if versions and digest(serving / str(versions[-1])) == digest(model):
        return serving / str(versions[-1])
    return place(model, serving / str(max([int(time.time()), *(number + 1 for number in versions)])))


def place(source: Path, version: Path) -> Path:
    """Copy a folder to where a version belongs, so that it appears there whole or not at all."""
    serving = version.parent
    unfinished = serving / f"{UNFINISHED}{uuid.uuid4().hex}"
    shutil.copytree(source, unfinished)
    for path in unfinished.rglob("*"):
        _sync(path)
    os.rename(unfinished, version)
    _sync(serving)
    return version


def digest(folder: Path) -> str:
    """Return a hash over the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Have the operating system write a file or folder to disk: a power cut must not leave an empty version either."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Pusher(component.Pusher):
    """TFX's Pusher component with the executor above."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
