"""setup.sh on machines that are not this one: a PATH of its own, with stand-ins for Python, uname, getconf and id."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
TOOLS = ["sh", "awk", "cat", "cksum", "cp", "date", "df", "dirname", "grep", "head", "ln", "mkdir"]
TOOLS += ["readlink", "rm", "sed", "sleep", "sort", "tail", "tr"]

PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) echo {version} ;;
    *ensurepip*) {venv} && echo "$0" ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo made >>made ;;
    "-m pip install"*) cp "$(dirname "$0")/uv" .venv/bin/uv 2>/dev/null || cp "$FAKES/uv" .venv/bin/uv ;;
    *) exit 1 ;;
esac
"""
UV = (
    '#!/bin/sh\n[ ! -e fail ] || { echo "no route to host"; exit 1; }\n[ ! -e slow ] || sleep 1\necho synced >>synced\n'
)

DEBIAN_12 = "ID=debian\nVERSION_CODENAME=bookworm\n"
DEBIAN_13 = "ID=debian\nVERSION_CODENAME=trixie\n"
MINT = "ID=linuxmint\nID_LIKE='ubuntu debian'\nVERSION_CODENAME=xia\nUBUNTU_CODENAME=noble\n"
FOCAL = "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=focal\n"
FEDORA = "ID=fedora\n"
ROCKY = "ID=rocky\nID_LIKE='rhel centos fedora'\n"
LEAP = "ID=opensuse-leap\nID_LIKE='suse opensuse'\n"
ARCH = "ID=arch\n"


class Machine:
    """A clone in a folder of its own and a PATH on which nothing of the real machine's Python is found."""

    def __init__(self, folder: Path):
        self.clone = folder / "a clone"
        self.fakes = folder / "bin"
        self.fakes.mkdir(parents=True)
        (self.clone / "pipeline").mkdir(parents=True)
        for name in ("setup.sh", "requirements.txt", "pyproject.toml", "pipeline/lanes.txt"):
            shutil.copy(CLONE / name, self.clone / name)
        for tool in TOOLS:
            (self.fakes / tool).symlink_to(shutil.which(tool))
        self.is_a("Linux", "x86_64", glibc="2.41", os_release=DEBIAN_13)
        self.script("uv", UV)

    def script(self, name: str, text: str) -> None:
        (self.fakes / name).write_text(text)
        (self.fakes / name).chmod(0o755)

    def is_a(self, kernel: str, arch: str, glibc: str | None, os_release: str = "", root: bool = True) -> None:
        self.script("uname", f"#!/bin/sh\n[ $1 = -s ] && echo {kernel} || echo {arch}\n")
        self.script("getconf", f"#!/bin/sh\necho glibc {glibc}\n" if glibc else "#!/bin/sh\nexit 1\n")
        self.script("id", f"#!/bin/sh\necho {0 if root else 1000}\n")
        (self.fakes / "os-release").write_text(os_release)

    def has_python(self, name: str, version: str, venv: bool = True) -> Path:
        self.script(name, PYTHON.format(version=version, venv="true" if venv else "false"))
        return self.fakes / name

    def environment(self, **variables: str) -> dict[str, str]:
        fakes = str(self.fakes)
        return {"PATH": fakes, "FAKES": fakes, "SLIPWAY_OS_RELEASE": f"{fakes}/os-release", **variables}

    def setup(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [shutil.which("sh"), str(self.clone / "setup.sh"), *arguments],
            env=self.environment(**variables), capture_output=True, text=True, timeout=30, cwd="/",
        )  # fmt: skip

    def refusal(self, **variables: str) -> str:
        """The one line with which setup stops; it must have changed nothing."""
        done = self.setup(**variables)
        assert done.returncode == 2, done
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert not (self.clone / ".venv").exists()
        return done.stderr.strip()

    def times(self, what: str) -> int:
        """How often a stand-in did its work: `made` an environment, `synced` the packages."""
        path = self.clone / what
        return len(path.read_text().split()) if path.exists() else 0


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("glibc", "pythons", "chosen"),
    [
        ("2.41", ["3.13", "3.12", "3.11"], "Python 3.13, TFX 1.21.0"),
        ("2.39", ["3.12", "3.11"], "Python 3.12, TFX 1.21.0"),
        ("2.41", ["3.11", "3.10"], "Python 3.11, TFX 1.16.0"),
        ("2.36", ["3.13", "3.12", "3.11"], "Python 3.11, TFX 1.16.0"),
        ("2.100", ["3.13"], "Python 3.13, TFX 1.21.0"),
    ],
)
def test_takes_the_best_lane_that_runs_here(machine, glibc, pythons, chosen):
    machine.is_a("Linux", "x86_64", glibc)
    for version in pythons:
        machine.has_python(f"python{version}", version)
    done = machine.setup("--dry-run")
    assert done.stdout.strip().endswith(chosen)
    assert done.returncode == 0
    assert not (machine.clone / ".venv").exists()


def test_a_plain_python3_is_found_by_its_version(machine):
    machine.has_python("python3", "3.12")
    assert "Python 3.12" in machine.setup("--dry-run").stdout


def test_a_python_with_venv_is_taken_before_a_better_one_without(machine):
    machine.has_python("python3.13", "3.13", venv=False)
    machine.has_python("python3.11", "3.11")
    assert "Python 3.11" in machine.setup("--dry-run").stdout


def test_apple_silicon_asks_for_no_glibc(machine):
    machine.is_a("Darwin", "arm64", glibc=None)
    machine.has_python("python3.12", "3.12")
    assert "Python 3.12, TFX 1.21.0" in machine.setup("--dry-run").stdout


@pytest.mark.parametrize(
    ("os_release", "glibc", "command"),
    [
        (DEBIAN_13, "2.41", "apt-get update && apt-get install -y python3.13-venv"),
        (DEBIAN_12, "2.36", "apt-get update && apt-get install -y python3.11-venv"),
        (MINT, "2.39", "apt-get update && apt-get install -y python3.12-venv"),
        (FOCAL, "2.31", "pyenv or uv install it, then SLIPWAY_PYTHON=/path/to/python3.11 sh setup.sh"),
        (FEDORA, "2.42", "dnf install -y python3.13"),
        (ROCKY, "2.34", "dnf install -y python3.11"),
        (ROCKY, "2.39", "dnf install -y python3.12"),
        (LEAP, "2.38", "zypper install -y python311"),
        (ARCH, "2.42", "pyenv or uv install it, then SLIPWAY_PYTHON=/path/to/python3.13 sh setup.sh"),
        ("", "2.42", "pyenv or uv install it, then SLIPWAY_PYTHON=/path/to/python3.13 sh setup.sh"),
    ],
)
def test_no_python_is_one_line_with_the_command_of_the_distribution(machine, os_release, glibc, command):
    machine.is_a("Linux", "x86_64", glibc, os_release)
    assert machine.refusal().endswith(f"is needed, got none; to get it: {command}")


def test_a_python_of_the_wrong_version_is_named(machine):
    machine.is_a("Linux", "x86_64", "2.36", DEBIAN_12)
    machine.has_python("python3", "3.14")
    assert "setup: Python 3.11 is needed, got 3.14; to get it: " in machine.refusal()


def test_someone_who_is_not_root_is_told_sudo(machine):
    machine.is_a("Linux", "x86_64", "2.42", FEDORA, root=False)
    assert machine.refusal().endswith("sudo dnf install -y python3.13")


def test_a_missing_venv_module_names_the_package_of_that_python(machine):
    machine.has_python("python3.12", "3.12", venv=False)
    assert machine.refusal() == (
        "setup: Python 3.12 has no venv module; to get it: apt-get update && apt-get install -y python3.12-venv"
    )


@pytest.mark.parametrize(
    ("kernel", "arch", "glibc", "words"),
    [
        (
            "Linux",
            "x86_64",
            None,
            "needs glibc 2.27 or newer, got another C library (musl?); in a container: docker run",
        ),
        ("Linux", "x86_64", "2.17", "needs glibc 2.27 or newer, got 2.17; in a container: docker run"),
        ("Linux", "aarch64", "2.41", "TFX has no build for Linux-aarch64, only for Darwin-arm64 Linux-x86_64"),
        ("Darwin", "x86_64", None, "TFX has no build for Darwin-x86_64"),
    ],
)
def test_a_machine_without_a_lane_is_refused(machine, kernel, arch, glibc, words):
    machine.is_a(kernel, arch, glibc)
    machine.has_python("python3.11", "3.11")
    assert words in machine.refusal()


def test_slipway_python_overrides_the_choice_and_must_fit(machine):
    machine.has_python("python3.13", "3.13")
    older = machine.has_python("older", "3.11")
    assert "Python 3.11" in machine.setup("--dry-run", SLIPWAY_PYTHON=str(older)).stdout
    wrong = machine.has_python("wrong", "3.10")
    assert machine.refusal(SLIPWAY_PYTHON=str(wrong)).endswith(f"got {wrong} (3.10)")
    assert machine.refusal(SLIPWAY_PYTHON="/nowhere/python3").endswith("got /nowhere/python3 (does not run)")


def test_a_second_setup_does_nothing_and_says_what_is_there(machine):
    machine.has_python("python3.13", "3.13")
    assert machine.setup().returncode == 0
    again = machine.setup()
    assert (again.stdout, again.returncode) == ("setup: ready: Python 3.13, TFX 1.21.0\n", 0)
    assert (machine.times("made"), machine.times("synced")) == (1, 1)


def test_a_changed_lock_is_installed_into_the_same_environment(machine):
    machine.has_python("python3.13", "3.13")
    machine.setup()
    with (machine.clone / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    machine.setup()
    assert (machine.times("made"), machine.times("synced")) == (1, 2)


def test_a_failed_setup_shows_its_last_words_and_the_next_one_starts_anew(machine):
    machine.has_python("python3.13", "3.13")
    (machine.clone / "fail").touch()
    failed = machine.setup()
    assert failed.returncode == 1
    assert "no route to host" in failed.stderr
    assert ".slipway/setup.log" in failed.stderr
    (machine.clone / "fail").unlink()
    assert machine.setup().returncode == 0
    assert machine.times("made") == 2


def test_an_update_that_broke_off_starts_anew(machine):
    machine.has_python("python3.13", "3.13")
    machine.setup()
    (machine.clone / "requirements.txt").write_text("# changed\n")
    (machine.clone / "fail").touch()
    assert machine.setup().returncode == 1
    (machine.clone / "fail").unlink()
    machine.setup()
    assert machine.times("made") == 2


def test_a_moved_clone_gets_a_new_environment_but_keeps_what_was_downloaded(machine):
    machine.has_python("python3.13", "3.13")
    machine.setup()
    (machine.clone / ".venv/.uv-cache").mkdir()
    (machine.clone / ".venv/of the old place").touch()
    machine.clone = machine.clone.rename(machine.clone.with_name("moved"))
    machine.setup()
    assert machine.times("made") == 2
    assert (machine.clone / ".venv/.uv-cache").exists()
    assert not (machine.clone / ".venv/of the old place").exists()


def test_another_python_gets_a_new_environment(machine):
    machine.has_python("python3.13", "3.13")
    machine.setup()
    older = machine.has_python("older", "3.11")
    machine.setup(SLIPWAY_PYTHON=str(older))
    assert machine.setup().stdout == "setup: ready: Python 3.11, TFX 1.16.0\n", "the choice holds until the next one"
    assert machine.times("made") == 2


def test_an_environment_whose_python_is_gone_is_made_anew(machine):
    machine.has_python("python3.13", "3.13")
    machine.setup()
    (machine.clone / ".venv/bin/python").unlink()
    assert machine.setup().returncode == 0
    assert machine.times("made") == 2


def test_a_full_disk_is_said_before_anything_is_made(machine):
    machine.has_python("python3.13", "3.13")
    (machine.fakes / "df").unlink()
    machine.script("df", "#!/bin/sh\nprintf 'head\\n/dev/x 100 100 2097152 50%% /\\n'\n")
    assert "needs 5 GB of disk, got 2 GB free" in machine.setup().stderr
    assert machine.times("made") == 0


def test_two_setups_at_once_install_once(machine):
    machine.has_python("python3.13", "3.13")
    (machine.clone / "slow").touch()
    first = subprocess.Popen([shutil.which("sh"), str(machine.clone / "setup.sh")], env=machine.environment())
    lock = machine.clone / ".slipway/setup.lock"
    deadline = time.monotonic() + 10
    while not lock.is_symlink() and time.monotonic() < deadline:
        time.sleep(0.01)
    second = machine.setup()
    assert first.wait(timeout=10) == 0
    assert f"waiting for another setup of this clone, process {first.pid}" in second.stdout
    assert second.stdout.endswith("ready: Python 3.13, TFX 1.21.0\n")
    assert machine.times("synced") == 1
    assert not lock.is_symlink()


def test_the_lock_of_a_killed_setup_is_taken_over(machine):
    machine.has_python("python3.13", "3.13")
    dead = subprocess.Popen(["true"])
    dead.wait()
    (machine.clone / ".slipway").mkdir()
    os.symlink(str(dead.pid), machine.clone / ".slipway/setup.lock")
    assert machine.setup().returncode == 0
