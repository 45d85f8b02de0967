"""After a run: an answer over REST, as `make demo` ends, and its training and trials in the real TensorBoard."""

import contextlib
import gzip
import json
import re
import signal
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

pytestmark = pytest.mark.slow
FREE = ("--engine", "embedded", "--port", "0", "--grpc-port", "0")


def test_a_pushed_model_is_a_request_away(pushed):
    output = pushed("serve", "taxi", "--try", *FREE)
    *_, curl, answer, end = output.splitlines()
    assert "trip_miles" in curl
    (probability,) = json.loads(answer)["predictions"]
    assert 0 < probability < 1
    assert end == "taxi: stopped"


def asked(url, path, body=None, ready=bool):
    """What TensorBoard's data API answers when it has read everything; until then it knows nothing, or a part."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}data/plugin/{path}", data, {"Content-Type": "application/json"})
    for _ in range(300):
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:
            text = answer.read()
            # The page of profiles packs its answers, whether one can unpack them or not.
            if ready(found := json.loads(gzip.decompress(text) if answer.headers["Content-Encoding"] else text)):
                return found
        time.sleep(0.2)
    raise AssertionError(f"no answer from {request.full_url}")


def test_tensorboard_shows_the_training_and_the_trials_by_the_name_of_their_run(pushed):
    # The first run: others of the same home, of other tests, took what it made from the cache.
    run_id = min((pushed.home / "runs" / "taxi").glob("*/run.json")).parent.name
    with pushed.start("tensorboard", "taxi", "--port", "0", "--run", run_id) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("taxi: 1 run in TensorBoard at http://127.0.0.1:"), line
            url = re.search(r"http://\S+", line)[0]
            tags = asked(url, "scalars/tags", ready=lambda found: len(found) >= 4)
            trials = {f"{run_id}/trial_{number}" for number in (0, 1)}
            assert set(tags) == {f"{run_id}/trainer/train", f"{run_id}/trainer/validation"} | trials
            assert "epoch_loss" in tags[f"{run_id}/trainer/validation"]
            curve = asked(url, f"scalars/scalars?run={run_id}/trainer/train&tag=epoch_loss")
            assert [step for _, step, _ in curve] == [0, 1, 2]
            assert "learning_rate" in {info["name"] for info in asked(url, "hparams/experiment", {})["hparamInfos"]}
            wanted = {"startIndex": 0, "sliceSize": 9, "allowedStatuses": ["STATUS_SUCCESS"], "colParams": []}
            groups = asked(url, "hparams/session_groups", wanted)["sessionGroups"]
            assert {group["name"] for group in groups} == {f"{number} of {run_id}" for number in (0, 1)}
            assert all(group["hparams"]["learning_rate"] > 0 for group in groups)
            (profile,) = asked(url, "profile/runs")
            assert profile.startswith(f"{run_id}/trainer/train/")
            assert "overview_page" in asked(url, f"profile/run_tools?run={urllib.parse.quote(profile, safe='')}")
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, rest) == (0, "taxi: stopped\n")
    assert not list((pushed.home / "tensorboard").iterdir()), "the links are gone"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)
    status = pushed("status", "taxi", "--last", "99")
    assert f"  {run_id}  done" in status
    assert re.search(r"  search of \S+: 2 trials, best val_auc 0.9", status)
    assert re.search(r"  training of \S+:\n.*\n    accuracy +[▁-█]{3} ", status)
