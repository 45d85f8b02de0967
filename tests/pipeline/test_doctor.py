import socket

import pytest

from pipeline import doctor
from pipeline.lanes import Machine


def level(findings) -> list[str]:
    return [finding.level for finding in findings]


def test_a_machine_without_a_lane_is_bad_and_says_what_it_is():
    found = doctor.check_lane(Machine("3.12", "Linux-x86_64", "2.36"))
    assert found.level == "bad"
    assert "got Python 3.12 on Linux-x86_64, glibc 2.36" in found.text


def test_a_lock_is_read_for_this_python_alone():
    lock = "\n".join(
        [
            "# a comment",
            "here==1.0 ; python_full_version >= '3.11' \\",
            "    --hash=sha256:00",
            "elsewhere==2.0 ; python_full_version < '3.0' \\",
            "    --hash=sha256:00",
            "Every_Where.X==3.0",
        ]
    )
    assert doctor.locked_versions(lock) == {"here": "1.0", "every-where-x": "3.0"}


def test_packages_that_differ_from_the_lock_are_named_five_at_most():
    locked = {f"p{number}": "1" for number in range(9)}
    found = doctor.check_versions(locked, {"p0": "1", "p1": "2"})
    assert found.level == "bad"
    assert "got p1 2 for 1, p2 nothing for 1, " in found.text
    assert "and 3 more; run `make setup`" in found.text
    assert "p6" not in found.text


def test_what_the_lock_does_not_name_may_be_installed():
    assert doctor.check_versions({"tfx": "1"}, {"tfx": "1", "mine": "5"}).level == "ok"


def test_the_command_of_another_clone_is_bad(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "slipway"\n')
    inner = tmp_path / "models"
    inner.mkdir()
    assert doctor.check_clone(inner, clone=tmp_path).level == "ok"
    assert "another clone" in doctor.check_clone(inner).text
    assert doctor.check_clone(inner).level == "bad"


def test_any_other_folder_is_a_fine_place_to_call_from(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "theirs"\n')
    assert doctor.check_clone(tmp_path).level == "ok"


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        ("print('fine'); import os; print('big', flush=True); os.abort()", "big: its import crashed, got SIGABRT"),
        (
            "print('big'); import nothing_of_that_name",
            "big: its import failed, got ModuleNotFoundError: No module named",
        ),
        ("print('big'); print('missing: Tuner Evaluator')", "got None for Tuner, Evaluator"),
        ("import time; time.sleep(60)", "imports: not finished, got 1 s"),
    ],
)
def test_an_import_that_fails_is_named_whatever_way_it_fails(probe, text):
    found = doctor.check_imports(probe, timeout_s=1)
    assert found.level == "bad"
    assert text in found.text


@pytest.mark.slow
def test_the_libraries_import_here():
    assert doctor.check_imports() == doctor.Finding("ok", "12 libraries import, TFX has all its components")


def test_a_home_that_does_not_exist_yet_is_judged_by_its_parent(tmp_path):
    assert doctor.check_home(tmp_path / "new" / "home").level == "ok"


def test_a_home_that_cannot_be_written_is_bad(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)  # root may write anywhere
    assert "set SLIPWAY_HOME" in doctor.check_home(tmp_path).text


def test_little_disk_and_little_memory_are_warnings(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "DISK_GIB", 2**30)
    assert doctor.check_home(tmp_path).level == "warn"
    assert level(doctor.check_hardware(1.5, 2, None)) == ["warn"]


def test_a_processor_without_avx_is_bad():
    assert level(doctor.check_hardware(8, 2, "fpu sse4_2")) == ["bad", "ok"]
    assert level(doctor.check_hardware(8, 2, "fpu avx")) == ["ok"]
    assert level(doctor.check_hardware(8, 2, None)) == ["ok"], "macOS lists none"


def test_a_taken_port_is_a_warning():
    with socket.socket() as server:
        server.bind(("", 0))
        server.listen()
        port = server.getsockname()[1]
        assert level(doctor.check_ports({port: "REST"})) == ["warn"]
    assert level(doctor.check_ports({port: "REST"})) == ["ok"]


def test_a_python_path_is_a_warning():
    assert level(doctor.check_environment({"PYTHONPATH": "/ros", "PYTHONHOME": ""})) == ["warn"]


@pytest.mark.parametrize(
    ("worst", "exit_code", "last"), [("warn", 0, "nothing to put right"), ("bad", 2, "1 to put right")]
)
def test_the_report_ends_with_2_when_something_is_bad(worst, exit_code, last, monkeypatch, capsys):
    findings = [doctor.Finding("ok", "fine"), doctor.Finding(worst, "thing: wrong, got 1; do that")]
    monkeypatch.setattr(doctor, "examine", lambda home: iter(findings))
    assert doctor.main() == exit_code
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["ok   fine", f"{worst:<5}thing: wrong, got 1; do that", last]
