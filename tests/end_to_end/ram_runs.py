"""`python ram_runs.py HOME`: two runs of the command in one process, whose artifacts are in TensorFlow's `ram://`.

Beam has no such filesystem and takes what is declared here, TensorFlow's own functions under Beam's names. What is
there in the end is written to HOME/found.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf
from apache_beam.io.filesystem import CompressedFile, CompressionTypes, FileMetadata, FileSystem
from tensorflow.python.lib.io import file_io

from pipeline import cli

gfile = tf.io.gfile
rename, list_directory = gfile.rename, file_io.list_directory_v2
SETTINGS = {
    "pipeline_root": "ram://bucket/artifacts", "tuner.max_trials": 1, "tuner.epochs": 1, "training.epochs": 2,
    "mobile": "{variants: {float32: {required: true}}}",
    "evaluation.thresholds": "[{metric: categorical_accuracy, min: 0.0}]",
}  # fmt: skip


class Ram(FileSystem):
    """TensorFlow's filesystem in the memory of a process, for Beam."""

    @classmethod
    def scheme(cls) -> str:
        return "ram"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        folder, _, name = path.rpartition("/")
        return folder, name

    def mkdirs(self, path: str) -> None:
        gfile.makedirs(path)

    def has_dirs(self) -> bool:
        return True

    def _list(self, dir_or_prefix: str) -> Any:
        for folder, _, names in gfile.walk(dir_or_prefix):
            yield from (self.metadata(self.join(folder, name)) for name in names)

    def _opened(self, path: str, mode: str, kind: str) -> Any:
        gfile.makedirs(self.split(path)[0])
        if kind == CompressionTypes.AUTO:
            kind = CompressionTypes.detect_compression_type(path)
        file = gfile.GFile(path, mode)
        return file if kind == CompressionTypes.UNCOMPRESSED else CompressedFile(file, kind)

    def create(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        return self._opened(path, "wb", compression_type)

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        return self._opened(path, "rb", compression_type)

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            gfile.copy(source, destination, overwrite=True)

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            gfile.makedirs(self.split(destination)[0])
            gfile.rename(source, destination, overwrite=True)

    def exists(self, path: str) -> bool:
        return gfile.exists(path)

    def size(self, path: str) -> int:
        return gfile.stat(path).length

    def last_updated(self, path: str) -> float:
        return gfile.stat(path).mtime_nsec / 1e9

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, self.size(path), self.last_updated(path))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            (gfile.rmtree if gfile.isdir(path) else gfile.remove)(path)


def whole_rename(source: str, destination: str, overwrite: bool = False) -> None:
    """Rename a file or a folder; TensorFlow's own leaves what is in a folder in memory behind."""
    names = [f"{folder}/{name}" for folder, _, names in gfile.walk(source) for name in names]
    for name in names:
        gfile.makedirs(name.replace(source, destination, 1).rpartition("/")[0])
        rename(name, name.replace(source, destination, 1), overwrite)
    if names:
        gfile.rmtree(source)
    else:
        rename(source, destination, overwrite)


def true_list(path: str) -> list[str]:
    """List a folder; in memory, TensorFlow finds `.extra` in the folder `assets` when there is an `assets.extra`."""
    return [name for name in list_directory(path) if gfile.exists(f"{path}/{name}")]


def main(home: Path) -> None:
    """Run twice, and write down what is there."""
    gfile.rename, file_io.list_directory_v2 = whole_rename, true_list
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    codes = []
    for _ in range(2):
        try:
            cli.slipway(["run", "configs/penguins.yaml", *settings, "--home", str(home)])
        except SystemExit as end:
            codes.append(end.code)
    kept = sorted(f"{folder}/{name}" for folder, _, names in gfile.walk("ram://bucket/artifacts") for name in names)
    (home / "found.json").write_text(json.dumps({"codes": codes, "kept": kept}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
