"""Artifacts on another filesystem, TensorFlow's `ram://`, are local folders for as long as a step works on them."""

import os
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components import _local_copies

gfile = tf.io.gfile


@pytest.fixture
def place(request):
    """A folder of its own in memory."""
    folder = f"ram://copies/{request.node.name}"
    yield folder
    if gfile.exists(folder):
        gfile.rmtree(folder)


def _write(path, text):
    gfile.makedirs(os.path.dirname(path))
    if gfile.exists(path):
        gfile.remove(path)  # opened for writing, a file in memory is written on
    with gfile.GFile(path, "w") as file:
        file.write(text)


def _read(path):
    with gfile.GFile(path) as file:
        return file.read()


def _files(folder):
    return sorted(f"{above}/{name}"[len(folder) + 1 :] for above, _, names in gfile.walk(folder) for name in names)


def test_an_input_is_copied_for_as_long_as_it_is_read(place, tmp_path):
    _write(f"{place}/a/b.txt", "text")
    with _local_copies.of(place) as local:
        assert (local / "a/b.txt").read_text() == "text"
    assert not local.exists()
    with _local_copies.of(str(tmp_path)) as local:
        assert local == tmp_path, "what is local is not copied"


def _fail_in_outputs(output):
    with _local_copies.of_outputs({"model": [output]}):
        Path(output.uri, "half").touch()
        raise ZeroDivisionError("planted")


def test_outputs_come_to_their_place_at_the_end_and_after_an_error_not(place):
    output = standard_artifacts.Model()
    output.uri = f"{place}/1"
    gfile.makedirs(output.uri)
    with pytest.raises(ZeroDivisionError, match="planted"):
        _fail_in_outputs(output)
    assert output.uri == f"{place}/1"
    assert _files(output.uri) == []
    with _local_copies.of_outputs({"model": [output]}):
        local = Path(output.uri)
        (local / "a").mkdir()
        (local / "a/whole").write_text("text")
    assert output.uri == f"{place}/1"
    assert _read(f"{place}/1/a/whole") == "text"
    assert not local.exists()


def test_outputs_that_are_local_stay_where_they_are(tmp_path):
    output = standard_artifacts.Model()
    output.uri = str(tmp_path / "1")
    with _local_copies.of_outputs({"model": [output]}):
        assert output.uri == str(tmp_path / "1")


def test_unfinished_work_finds_what_was_kept_of_it(place):
    with _local_copies.of_unfinished(f"{place}/search") as unfinished:
        folder = Path(unfinished.folder)
        (folder / "trial").mkdir(parents=True)
        (folder / "trial/weights").write_text("first")
        (folder / "oracle.json").write_text("counts it")
        (folder / "splits").write_text("too many to keep")
        unfinished.keep("trial/**/*", "*.json")
    assert _files(place) == ["search/oracle.json", "search/trial/weights"]
    with _local_copies.of_unfinished(f"{place}/search") as unfinished:
        assert Path(unfinished.folder, "trial/weights").read_text() == "first"
        # Only what has changed is copied again.
        _write(f"{place}/search/oracle.json", "not touched")
        Path(unfinished.folder, "trial/weights").write_text("second one")
        unfinished.keep("trial/**/*", "*.json")
    assert _read(f"{place}/search/trial/weights") == "second one"
    assert _read(f"{place}/search/oracle.json") == "not touched"


def test_what_counts_the_rest_is_kept_last(place, monkeypatch):
    with _local_copies.of_unfinished(place) as unfinished:
        Path(unfinished.folder).mkdir()
        for name in ("a.json", "weights"):
            Path(unfinished.folder, name).write_text(name)
        seen = []
        rename = gfile.rename
        monkeypatch.setattr(gfile, "rename", lambda *names, **how: (seen.append(names[1]), rename(*names, **how)))
        unfinished.keep("weights", "*.json")
    assert seen == [f"{place}/weights", f"{place}/a.json"]


def test_every_artifact_is_asked_for_its_filesystem(monkeypatch):
    local, remote = standard_artifacts.Examples(), standard_artifacts.TransformGraph()
    local.uri, remote.uri = "artifacts/ExampleGen/examples/1", "s3://bucket/Transform/transform_graph/5"
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    _local_copies.register_all({"examples": [local], "model": []})
    with pytest.raises(ImportError, match="tensorflow_io"):
        _local_copies.register_all({"examples": [local], "transform_graph": [remote]})


def test_an_installation_without_s3_is_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    _local_copies.register_installed()


@pytest.mark.parametrize(
    ("endpoint", "https"), [("http://127.0.0.1:9000", "0"), ("https://objects.example", "1")], ids=["http", "https"]
)
def test_tensorflow_gets_the_endpoint_that_boto3_has(endpoint, https, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", os)
    monkeypatch.setattr(os, "environ", {"AWS_ENDPOINT_URL": endpoint})
    _local_copies.register("gs://bucket")
    assert "S3_ENDPOINT" not in os.environ
    _local_copies.register("s3://bucket")
    assert (os.environ["S3_ENDPOINT"], os.environ["S3_USE_HTTPS"]) == (endpoint, https)
    monkeypatch.setattr(os, "environ", {"AWS_ENDPOINT_URL": endpoint, "S3_ENDPOINT": "http://other"})
    _local_copies.register("s3://bucket")
    assert os.environ["S3_ENDPOINT"] == "http://other"
