"""Where artifacts are kept, and what is told when they cannot be."""

import sys
from pathlib import Path

import pytest

from pipeline import pipeline_root
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home

URL = "mysql://me@db/lineage"


def _of(read_config, home, **settings):
    return pipeline_root.of(read_config(**settings), home)


@pytest.fixture
def read_config():
    """Return a function from settings to the config of the penguins."""
    from pipeline import config_file

    def read(**settings):
        overrides = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
        return config_file.read(Path("configs/penguins.yaml"), overrides).config

    return read


def test_every_metadata_store_has_artifacts_of_its_own(read_config, tmp_path):
    one, other = Home(tmp_path / "one", "penguins"), Home(tmp_path / "other", "penguins")
    roots = [
        _of(read_config, one),
        _of(read_config, one, metadata__url=URL),
        _of(read_config, one, metadata__url=f"{URL}2"),
        _of(read_config, one, pipeline_root="s3://bucket/a/"),
        _of(read_config, other, pipeline_root="s3://bucket/a"),
        _of(read_config, one, pipeline_root="s3://bucket/a", metadata__url=URL),
    ]
    assert roots[0] == str(one.artifacts)
    assert all(root.startswith("s3://bucket/a/penguins/store-") for root in roots[3:])
    assert len(set(roots)) == len(roots)
    assert _of(read_config, one, pipeline_root="s3://bucket/a") == roots[3], "the same one in the next run"
    assert _of(read_config, other, pipeline_root="s3://bucket/a", metadata__url=URL) == roots[5], "machines share it"


@pytest.mark.parametrize("root", ["artifacts", "s3://", "s3:///", "file:///mnt/artifacts", "://bucket"])
def test_a_root_that_not_every_process_finds_is_refused(read_config, root):
    with pytest.raises(ConfigError, match="pipeline_root.*got " + root):
        read_config(pipeline_root=root)


def test_a_search_on_vertex_needs_a_mounted_bucket(read_config):
    vertex = "{project: p, region: r, image: i, machine: m}"
    with pytest.raises(ConfigError, match="finds artifacts below /gcs/ only, got gs://bucket"):
        read_config(pipeline_root="gs://bucket", tuner__vertex=vertex)
    read_config(pipeline_root="/gcs/bucket", tuner__vertex=vertex)


def _refused(config):
    with pytest.raises(SetupError) as told:
        pipeline_root.require(config)
    (line,) = told.value.lines
    return line


def test_s3_without_its_libraries_is_told(read_config, monkeypatch):
    for missing, there in (("tensorflow_io", "boto3"), ("boto3", "tensorflow_io")):
        monkeypatch.setitem(sys.modules, missing, None)
        monkeypatch.setitem(sys.modules, there, sys)
        line = _refused(read_config(pipeline_root="s3://bucket/a"))
        assert line.startswith("pipeline_root: s3:// needs tensorflow-io and boto3, got ")
        assert missing in line.partition(", got ")[2]
        assert "Python 3.11" in line or sys.version_info < (3, 12)


def test_a_filesystem_that_is_unknown_is_told(read_config):
    line = _refused(read_config(pipeline_root="ftp://server/a"))
    assert line.startswith("pipeline_root: TensorFlow knows no ftp://, got ftp://server/a/penguins; there are ")


def test_a_folder_that_cannot_be_written_is_told(read_config, tmp_path):
    (tmp_path / "file").touch()
    line = _refused(read_config(pipeline_root=tmp_path / "file" / "a"))
    assert line.startswith(f"pipeline_root: cannot be written and read, got {tmp_path}/file/a: ")


def test_a_folder_that_can_be_written_is_left_empty(read_config, tmp_path):
    pipeline_root.require(read_config(pipeline_root=tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_is_asked_of_the_output_folder(read_config, monkeypatch):
    monkeypatch.setattr(pipeline_root, "_register", lambda root: pytest.fail("there is no such root"))
    pipeline_root.require(read_config())
