"""Artifacts of any filesystem as local folders, for what reads and writes nothing else.

TFX, tf.Transform, TFMA and tf.data take paths of every filesystem that TensorFlow knows. Converters, model servers,
KerasTuner's and Keras's files do not: they work in a local folder, which is copied before or after. A path without
`scheme://` is taken as it is, and nothing is copied.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import tensorflow as tf
from tfx.types import Artifact
from tfx.utils import io_utils


def is_remote(uri: str) -> bool:
    """Return whether a path needs one of TensorFlow's filesystems."""
    return "://" in uri


def register(uri: str) -> None:
    """Have TensorFlow know the filesystem of a path in this process.

    Raises:
        ImportError: of s3://, which is no part of TensorFlow; tensorflow-io has it.
    """
    if not uri.startswith("s3://"):
        return
    # boto3, by which Beam reads, has another name for the same.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and "S3_ENDPOINT" not in os.environ:
        os.environ |= {"S3_ENDPOINT": endpoint, "S3_USE_HTTPS": str(int(endpoint.startswith("https:")))}
    import tensorflow_io  # noqa: F401, importing it registers


def register_all(artifacts: Mapping[str, Sequence[Artifact]]) -> None:
    """Have TensorFlow know the filesystems of artifacts by key, which may be several: one for each former root.

    Raises:
        ImportError: as `register`.
    """
    for artifact in (artifact for several in artifacts.values() for artifact in several):
        register(artifact.uri)


def register_installed() -> None:
    """Have TensorFlow know every filesystem that this installation has.

    What the cache finds may be where artifacts were kept before, whatever the config says now.
    """
    with suppress(ImportError):
        register("s3://")


@contextmanager
def of(uri: str) -> Iterator[Path]:
    """Yield a local folder with the files of an artifact: a copy for as long as this lasts, or the artifact itself."""
    if not is_remote(uri):
        yield Path(uri)
        return
    with tempfile.TemporaryDirectory() as folder:
        io_utils.copy_dir(uri, local := os.path.join(folder, "copy"))
        yield Path(local)


@contextmanager
def of_outputs(outputs: Mapping[str, list[Artifact]]) -> Iterator[None]:
    """Have output artifacts lie in local folders, which are copied to their places at the end; after an error not."""
    remote = [artifact for artifacts in outputs.values() for artifact in artifacts if is_remote(artifact.uri)]
    places = [artifact.uri for artifact in remote]
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, artifact in enumerate(remote):
                artifact.uri = os.path.join(folder, str(number))
                os.mkdir(artifact.uri)
            yield
            for artifact, place in zip(remote, places, strict=True):
                io_utils.copy_dir(artifact.uri, place)
        finally:
            for artifact, place in zip(remote, places, strict=True):
                artifact.uri = place


class Unfinished:
    """A local folder of work that goes on where it was killed, and its place where it is kept.

    Attributes:
        folder: the local one; its place itself, where that is local.
    """

    def __init__(self, folder: str, uri: str) -> None:
        self.folder, self._uri = folder, uri
        self._kept = {path: _state(path) for path in Path(folder).rglob("*")} if folder != uri else {}

    def keep(self, *patterns: str) -> None:
        """Copy the files that have changed to their place, in the order of the patterns: a kill leaves the first ones.

        Each file is there whole or not at all: its last name is given to it when it is complete.
        """
        if self.folder == self._uri:
            return
        for path in (path for pattern in patterns for path in sorted(Path(self.folder).glob(pattern))):
            if path.is_file() and self._kept.get(path) != (state := _state(path)):
                place = os.path.join(self._uri, path.relative_to(self.folder))
                tf.io.gfile.makedirs(os.path.dirname(place))
                tf.io.gfile.copy(str(path), f"{place}.unfinished", overwrite=True)
                tf.io.gfile.rename(f"{place}.unfinished", place, overwrite=True)
                self._kept[path] = state


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@contextmanager
def of_unfinished(uri: str) -> Iterator[Unfinished]:
    """Yield a local folder with what was kept of a work, to go on with."""
    if not is_remote(uri):
        yield Unfinished(uri, uri)
        return
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, os.path.basename(uri))
        if tf.io.gfile.exists(uri):
            io_utils.copy_dir(uri, local)
        yield Unfinished(local, uri)
