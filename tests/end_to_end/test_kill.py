"""kill -9 at any moment loses no finished step and leaves no half-written version."""

import json
import re
import signal
import time
from collections import Counter

import pytest

pytestmark = pytest.mark.slow
TIMEOUT_S = 300


TRIAL = re.compile(r"slipway\.progress: trial (\d+): ")


def _trials(folder) -> list[str]:
    """Return the trials that were ended, by the logs of the runs in a folder; one that is ended twice stands twice."""
    logs = [log.read_text(encoding="utf-8", errors="replace") for log in folder.glob("**/log.txt")]
    return [number for log in logs for number in TRIAL.findall(log)]


def _kill_during(slipway, step: str, after: str, trials: int = 0) -> None:
    """Start a run and kill it once the step before `step` is recorded as finished, and so many trials are ended."""
    process = slipway.start(*slipway.quick())
    records = slipway.home / "runs" / "taxi"
    before = set(records.glob("*/run.json"))
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        fresh = [path for path in records.glob("*/run.json") if path not in before]
        steps = json.loads(fresh[0].read_text(encoding="utf-8"))["steps"] if fresh else []
        over = [step["name"] for step in steps if step["state"] != "unfinished"]
        if after in over and len(_trials(fresh[0].parent)) >= trials:
            break
        time.sleep(0.02)
    assert process.poll() is None, f"the run ended before it was in {step}: {process.communicate()[0]}"
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_run_goes_on_from_its_last_finished_step(slipway_at):
    slipway = slipway_at("home")
    finished: set[str] = set()
    for step, after, *trials in (("Transform", "DataGate"), ("Tuner", "Transform", 1), ("Evaluator", "Baseline")):
        _kill_during(slipway, step, after, *trials)
        states = slipway.states()
        assert {name for name, state in states.items() if state == "ran"}.isdisjoint(finished), "nothing is done twice"
        finished |= {name for name, state in states.items() if state == "ran"}
        assert not list((slipway.home / "serving").glob("taxi/*")), "nothing is served yet"
        if step == "Tuner":
            assert states[step] == "unfinished"
            assert ", unfinished: 1 trials, best val_auc 0." in slipway("status", "taxi")
    slipway.run()
    assert {name for name, state in slipway.states().items() if state == "ran"} == {"Evaluator", "Pusher"}
    assert Counter(_trials(slipway.home / "runs")) == {"0": 1, "1": 1}, "no trial is done twice"
    versions = list((slipway.home / "serving" / "taxi").iterdir())
    assert [version.name.isdigit() for version in versions] == [True]
    assert "probability" in slipway("predict", "taxi")
