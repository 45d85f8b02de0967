"""A version appears whole or not at all."""

import shutil

import pytest

from components._pusher import push


@pytest.fixture
def model(tmp_path):
    """A folder with the files of a SavedModel."""
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables/variables.index").write_bytes(b"index")
    return folder


def test_a_version_has_all_files_and_a_number(model, tmp_path):
    version = push(model, tmp_path / "serving")
    assert version.name.isdigit()
    assert (version / "variables/variables.index").read_bytes() == b"index"
    assert [folder.name for folder in (tmp_path / "serving").iterdir()] == [version.name]


def test_numbers_rise_even_within_a_second(model, tmp_path):
    first = push(model, tmp_path / "serving")
    (model / "saved_model.pb").write_bytes(b"another graph")
    assert int(push(model, tmp_path / "serving").name) > int(first.name)


def test_the_same_files_are_not_pushed_twice(model, tmp_path):
    assert push(model, tmp_path / "serving") == push(model, tmp_path / "serving")


def test_a_copy_that_fails_half_way_leaves_no_version_and_the_next_push_cleans_up(model, tmp_path):
    (model / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(shutil.Error):
        push(model, tmp_path / "serving")
    leftovers = [folder.name for folder in (tmp_path / "serving").iterdir()]
    assert leftovers
    assert not any(name.isdigit() for name in leftovers)
    (model / "dangling").unlink()
    version = push(model, tmp_path / "serving")
    assert [folder.name for folder in (tmp_path / "serving").iterdir()] == [version.name]
