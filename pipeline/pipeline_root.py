"""Where artifacts are kept: a folder of the output folder, or one on any filesystem that TensorFlow and Beam reach."""

import hashlib
import sys
import uuid

from pipeline import runs
from pipeline.config import Config
from pipeline.errors import SetupError
from pipeline.home import Home

# Beside the file of SQLite; who deletes that folder begins with other numbers, and needs another place for them.
STORE_ID = "store-id"


def of(config: Config, home: Home) -> str:
    """Return the folder of the artifacts of a pipeline, one for each metadata store, since each numbers them from 1."""
    url = config.metadata.url
    if config.pipeline_root is None and url is None:
        return str(home.artifacts)
    store = hashlib.sha256(url.encode()).hexdigest()[:8] if url else _store_id(home)
    return f"{_of_pipeline(config) or home.artifacts}/store-{store}"


def _of_pipeline(config: Config) -> str | None:
    return None if config.pipeline_root is None else f"{config.pipeline_root.rstrip('/')}/{config.name}"


def _store_id(home: Home) -> str:
    """Return what tells the home's file of SQLite from those of others that keep artifacts in the same place."""
    path = home.metadata.with_name(STORE_ID)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        runs.write_atomically(path, uuid.uuid4().hex[:8])
    return path.read_text(encoding="utf-8")


def require(config: Config) -> None:
    """Write, read and delete a file there, so that a bucket out of reach is one line before any step begins.

    Raises:
        SetupError: the filesystem is not known to this installation, out of reach, or refuses to write.
    """
    root = _of_pipeline(config)
    if root is None:
        return
    _register(root)
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions
    from tensorflow.io import gfile

    from pipeline import beam_args

    # Some of a filesystem's settings are among the options of its pipelines.
    FileSystems.set_options(PipelineOptions(beam_args.of(config.beam.engine(""))))
    probe = f"{root}/.probe-{uuid.uuid4().hex}"
    try:
        # Each of the two has its own way there, and its own settings.
        with FileSystems.create(probe) as file:
            file.write(b"written by Beam, read by TensorFlow")
        with gfile.GFile(probe, "rb") as file:
            file.read()
        gfile.remove(probe)
    except Exception as error:
        raise SetupError(
            f"pipeline_root: cannot be written and read, got {config.pipeline_root}: {_words(error)}; mend the "
            "address, the bucket or the credentials (docs/scaling.md)"
        ) from error


def _register(root: str) -> None:
    from components import _local_copies

    try:
        _local_copies.register(root)
        if root.startswith("s3://"):
            import boto3  # noqa: F401, Beam's own import of it fails in silence
    except ImportError as error:
        raise SetupError(f"pipeline_root: s3:// needs tensorflow-io and boto3, got {error}; {_remedy()}") from error
    from tensorflow.io import gfile

    scheme, separator, _ = root.partition("://")
    known = sorted(name for name in gfile.get_registered_schemes() if name)
    if separator and scheme not in known:
        raise SetupError(f"pipeline_root: TensorFlow knows no {scheme}://, got {root}; there are {', '.join(known)}")


def _remedy() -> str:
    if sys.version_info >= (3, 12):
        return "tensorflow-io has none for this TensorFlow: set up with Python 3.11 (docs/scaling.md)"
    return "install both (docs/scaling.md says which)"


def _words(error: Exception) -> str:
    """Return the first line of an error, without the numbers and tuples in which boto3 wraps it."""
    first: object = error.args[0] if error.args and isinstance(error.args[0], str) else error
    return (str(first).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
