"""promote, rollback and canary: the file, the history, and a running server that follows."""

import threading
import time

import pytest
from google.protobuf import text_format

from serving import model_config, releases
from serving.releases import Release


@pytest.fixture
def base(tmp_path, half_models, put_version):
    folder = tmp_path / "half"
    folder.mkdir()
    for number in (1, 2, 3):
        put_version(half_models[number], folder, number)
    return folder


def entry(base):
    config = text_format.Parse((base / "models.config").read_text(), model_config.empty())
    (found,) = config.model_config_list.config
    return found


def test_a_config_is_made_once_and_follows_a_move(base, tmp_path):
    file = releases.ensure(base)
    assert (entry(base).name, entry(base).base_path) == ("half", str(base))
    assert entry(base).model_version_policy.latest.num_versions == 1
    releases.promote(base, 2, server=None)
    moved = base.rename(tmp_path / "moved")
    assert releases.ensure(moved) == moved / file.name
    assert (entry(moved).base_path, dict(entry(moved).version_labels)) == (str(moved), {"stable": 2})
    assert entry(moved).name == "half" or releases.ensure(moved, "half")


def test_labels_move_and_the_history_says_who_and_when(base):
    assert releases.current(base) == Release({}, ())
    assert releases.promote(base, 1, server=None) == Release({"stable": 1}, (1,))
    assert releases.promote(base, 2, "canary", server=None) == Release({"stable": 1, "canary": 2}, (1, 2))
    assert releases.promote(base, 2, server=None) == Release({"stable": 2}, (1, 2))
    assert releases.promote(base, 3, server=None) == Release({"stable": 3}, (2, 3))
    assert releases.rollback(base, server=None) == Release({"stable": 2}, (2,))
    assert releases.rollback(base, to=1, server=None) == Release({"stable": 1}, (1,))
    assert releases.follow_latest(base) == Release({}, ()) == releases.current(base)
    events = releases.history(base)
    assert [event.action for event in events][:3] == ["promote 1 stable", "promote 2 canary", "promote 2 stable"]
    assert [event.labels.get("stable") for event in events] == [1, 1, 2, 3, 2, 1, None]
    assert all(event.by and event.time.endswith("+00:00") for event in events)


def test_a_second_rollback_goes_further_back_and_not_to_what_the_first_one_left(base):
    for version in (1, 2, 3):
        releases.promote(base, version, server=None)
    assert releases.rollback(base, server=None).labels == {"stable": 2}
    assert releases.rollback(base, server=None).labels == {"stable": 1}
    releases.promote(base, 3, server=None)
    assert releases.rollback(base, server=None).labels == {"stable": 1}


def test_a_promotion_of_an_older_version_can_be_taken_back(base):
    releases.promote(base, 3, server=None)
    releases.promote(base, 1, server=None)
    assert releases.rollback(base, server=None).labels == {"stable": 3}


def test_a_rollback_ends_a_canary_first(base):
    releases.promote(base, 2, server=None)
    releases.promote(base, 3, "canary", server=None)
    assert releases.rollback(base, server=None) == Release({"stable": 2}, (2,))
    assert releases.rollback(base, server=None) == Release({"stable": 1}, (1,))


def test_a_first_rollback_takes_the_version_before_the_newest(base):
    assert releases.rollback(base, server=None) == Release({"stable": 2}, (2,))


def test_a_first_canary_keeps_what_served_as_stable(base):
    assert releases.promote(base, 3, "canary", server=None) == Release({"stable": 2, "canary": 3}, (2, 3))


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda base: releases.promote(base, 9, server=None), "version: not there, got 9; .* has 1, 2, 3"),
        (lambda base: releases.promote(base, 1, "beta", server=None), "label: unknown, got beta; use stable or canary"),
        (lambda base: releases.rollback(base, to=7, server=None), "version: not there, got 7"),
        (lambda base: releases.promote(base / "none", 1, server=None), "base path: cannot be read"),
    ],
)
def test_what_cannot_be_released_says_why(base, ask, text):
    with pytest.raises(ValueError, match=text):
        ask(base)
    assert not releases.history(base)


def test_there_must_be_something_to_go_back_to(base):
    releases.promote(base, 1, server=None)
    with pytest.raises(ValueError, match="rollback: no version before 1"):
        releases.rollback(base, server=None)


def test_a_broken_config_is_named(base):
    (base / "models.config").write_text("nonsense")
    with pytest.raises(ValueError, match=r"models\.config: cannot be read"):
        releases.current(base)


def serve_releases(base, life_poll_s=0.2):
    from serving.server import ServerOptions, running
    from serving.versions import LifePolicy

    file = releases.ensure(base)
    return running(
        ServerOptions(
            config_file=str(file),
            config_poll_s=1.0,
            rest_port=0,
            early_labels=True,
            life=LifePolicy(poll_s=life_poll_s),
        )
    )


def test_a_rollback_while_serving_takes_under_three_seconds_and_loses_no_request(base, rest_of):
    with serve_releases(base) as server:
        url, rest = f"http://127.0.0.1:{server.rest_port}", rest_of(server)
        releases.promote(base, 3, server=url)
        answers, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                answer = rest.predict({"instances": [0.0]}, model="half")
                answers.append((time.monotonic(), answer.status, answer.body))

        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        time.sleep(1.5)
        asked_at = time.monotonic()
        assert releases.rollback(base, to=1, server=url) == Release({"stable": 1}, (1,))
        while b"[1.0" not in answers[-1][2] and time.monotonic() < asked_at + 10:
            time.sleep(0.02)
        stop.set()
        asker.join()
    assert {status for _, status, _ in answers} == {200}
    assert min(when for when, _, body in answers if b"[1.0" in body) - asked_at < 3.0


def test_a_label_moves_when_the_running_server_has_the_version(base, rest_of, eventually):
    def stable(rest):
        answer = rest("/v1/models/half/labels/stable:predict", {"instances": [0.0]})
        return answer.status, answer.body

    with serve_releases(base) as server:
        url, rest = f"http://127.0.0.1:{server.rest_port}", rest_of(server)
        releases.promote(base, 1, server=url)
        eventually(lambda: stable(rest)[0] == 200)
        releases.promote(base, 3, server=url)
        seen = []
        eventually(lambda: seen.append(stable(rest)) or b"[3.0" in seen[-1][1])
        assert {status for status, _ in seen} == {200}


def test_a_file_that_ran_ahead_of_its_server_is_made_good_by_the_next_release(base, rest_of, eventually):
    with serve_releases(base) as server:
        url = f"http://127.0.0.1:{server.rest_port}"
        releases.promote(base, 1, server=url)
        assert releases.in_force(base, url)
        releases.promote(base, 3, server=None)
        assert releases.in_force(base, url, timeout_s=1.5) is False, "a label must not move to what is not loaded"
        releases.promote(base, 3, server=url)
        assert releases.in_force(base, url)
    assert releases.in_force(base, url) is None


def test_a_version_that_does_not_load_moves_nothing(base, rest_of, eventually):
    with serve_releases(base) as server:
        url = f"http://127.0.0.1:{server.rest_port}"
        releases.promote(base, 1, server=url)
        eventually(lambda: server.catalog._labels == {"half": {"stable": 1}})
        (base / "4").mkdir()
        (base / "4" / "saved_model.pb").write_bytes(b"\x00")
        with pytest.raises(TimeoutError, match="did not load version"):
            releases.promote(base, 4, server=url, timeout_s=1.5)
    assert releases.current(base).labels == {"stable": 1}
