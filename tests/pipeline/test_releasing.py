"""promote, rollback and the history: what they print, what they write, what they refuse."""

import pytest

from pipeline.home import Home
from pipeline.releasing import after_run
from serving import releases

NOBODY = ("--url", "http://127.0.0.1:9")


def test_a_release_says_what_serves_and_that_no_server_is_there(command, home):
    result = command("promote", "small", 2, *NOBODY)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "small: stable 2; the newest, 3, does not serve until it is promoted",
        "no server answers for small at http://127.0.0.1:9; the next `slipway serve small` starts with this",
    ]
    assert command("promote", "small", 3, "--label", "canary", *NOBODY).output.startswith("small: stable 2, canary 3\n")
    assert command("rollback", "small", *NOBODY).output.startswith("small: stable 2; the newest, 3, does not serve")
    assert command("rollback", "small", *NOBODY).output.startswith("small: stable 1; the newest, 3, does not serve")
    assert command("rollback", "small", "--to", 2, *NOBODY).output.startswith("small: stable 2;")
    assert command("promote", "small", "latest").output.startswith("small: the newest serves, 3\n")
    assert releases.current(home.serving).versions == ()


def test_the_status_shows_who_released_what_and_when(command, home):
    (home.runs / "one").mkdir(parents=True)
    assert command("status", "small").output == "small: the newest serves, 3 (3 versions pushed)\n"
    command("promote", "small", 1, *NOBODY)
    command("promote", "small", "latest", *NOBODY)
    lines = command("status", "small").output.splitlines()
    assert lines[1] == "  releases:"
    assert "promote 1 stable" in lines[2]
    assert lines[2].endswith("stable 1")
    assert lines[3].endswith("the newest serves")
    assert len(command("status", "small", "--last", 1).output.splitlines()) == 3


def test_a_run_ends_with_what_serves(command, home):
    assert after_run(Home(home.root, "new")) == ""
    assert after_run(home) == f"; serves {home.serving}/3"
    command("promote", "small", 2, *NOBODY)
    assert after_run(home) == "; stable 2; the newest, 3, does not serve until it is promoted"
    command("promote", "small", 3, "--label", "canary", *NOBODY)
    assert after_run(home) == f"; serves {home.serving}/3"
    (home.serving / releases.CONFIG).write_text("nonsense")
    assert "models.config: cannot be read" in after_run(home), "a finished run does not fail for it"


def test_a_running_server_follows(command, home, served):
    url = ("--url", f"http://127.0.0.1:{served.rest_port}")
    for arguments, answer in [
        (("promote", "small", 1), 24.5),
        (("promote", "small", 2, "--label", "canary"), 34.5),
        (("rollback", "small", "--to", 1), 24.5),
        (("promote", "small", "latest"), 44.5),
    ]:
        result = command(*arguments, *url)
        assert result.exit_code == 0, result.output
        assert result.output.endswith(f"the server at {url[1]} serves it\n")
        assert f'{{"score": {answer}}}' in command("predict", "small", *url).output


def test_a_version_that_the_server_cannot_load_changes_nothing(command, home, served, monkeypatch):
    monkeypatch.setattr(releases.promote, "__kwdefaults__", {**releases.promote.__kwdefaults__, "timeout_s": 1.0})
    (home.serving / "1" / "saved_model.pb").write_bytes(b"no graph")
    before = (home.serving / "models.config").read_text()
    result = command("promote", "small", 1, "--url", f"http://127.0.0.1:{served.rest_port}")
    assert result.exit_code == 1
    assert "did not load version [1] of small in 1 s; nothing has changed" in result.output
    assert (home.serving / "models.config").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("promote small 9", "slipway promote: version: not there, got 9; "),
        ("promote small two", "slipway promote: VERSION is no number, got 'two'; use one of 1, 2, 3, or latest"),
        ("promote small 1 --label beta", "slipway promote: label: unknown, got beta; use stable or canary"),
        ("promote smal 1", "slipway promote: no pushed model in "),
        ("promote ../small 1", "slipway promote: no pushed model in "),
        ("promote small 1 --url nowhere", "slipway promote: url: must be http://host:port, got nowhere"),
        ("rollback smal", "got 'smal'; did you mean 'small'?"),
        ("rollback small --to 9", "slipway rollback: version: not there, got 9; "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(command, home, arguments, line):
    result = command(*arguments.split())
    assert result.exit_code == 2
    assert line in result.output
    assert len(result.output.splitlines()) == 1
    assert not (home.serving / releases.HISTORY).exists()


def test_there_must_be_a_version_to_go_back_to(command):
    command("promote", "small", 1, *NOBODY)
    result = command("rollback", "small", *NOBODY)
    assert result.exit_code == 2
    assert "slipway rollback: rollback: no version before 1" in result.output


def test_a_broken_config_is_named(command, home):
    (home.serving / releases.CONFIG).write_text("nonsense")
    for arguments in (("promote", "small", 1), ("predict", "small"), ("serve", "small")):
        result = command(*arguments)
        assert result.exit_code == 2, result.output
        assert "models.config: cannot be read" in result.output
