"""What phones get appears whole, and gives way to the same model made with other options."""

from components._mobile_pusher import push


def _folder(path, text):
    path.mkdir()
    (path / "float32.tflite").write_text(text)
    return path


def test_a_folder_appears_under_the_given_version(tmp_path):
    push(_folder(tmp_path / "made", "a"), tmp_path / "mobile" / "7")
    assert (tmp_path / "mobile/7/float32.tflite").read_text() == "a"
    assert [path.name for path in (tmp_path / "mobile").iterdir()] == ["7"]


def test_the_same_folder_twice_is_left_alone_and_another_one_takes_its_place(tmp_path):
    version = tmp_path / "mobile" / "7"
    made = _folder(tmp_path / "made", "a")
    push(made, version)
    first = version.stat().st_ino
    push(made, version)
    assert version.stat().st_ino == first
    (made / "int8.tflite").write_text("b")
    push(made, version)
    assert (version / "int8.tflite").exists()
    assert [path.name for path in version.parent.iterdir()] == ["7"]


def test_what_a_killed_push_left_is_cleaned_up(tmp_path):
    _folder(tmp_path / "made", "a")
    (tmp_path / "mobile" / ".unfinished-1").mkdir(parents=True)
    push(tmp_path / "made", tmp_path / "mobile" / "7")
    assert [path.name for path in (tmp_path / "mobile").iterdir()] == ["7"]
