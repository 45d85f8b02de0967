"""kill -9 at any moment loses no finished step and leaves no half-written version."""

import json
import signal
import time

import pytest

pytestmark = pytest.mark.slow
TIMEOUT_S = 300


def _kill_during(slipway, step: str, after: str) -> None:
    """Start a run and kill it as soon as the step before `step` is recorded as finished."""
    process = slipway.start("run", "configs/taxi.yaml", *slipway.QUICK)
    records = slipway.home / "runs" / "taxi"
    before = set(records.glob("*/run.json"))
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        fresh = [path for path in records.glob("*/run.json") if path not in before]
        if fresh and after in [step["name"] for step in json.loads(fresh[0].read_text(encoding="utf-8"))["steps"]]:
            break
        time.sleep(0.02)
    assert process.poll() is None, f"the run ended before it was in {step}: {process.communicate()[0]}"
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_run_goes_on_from_its_last_finished_step(slipway_at):
    slipway = slipway_at("home")
    finished: set[str] = set()
    for step, after in (("Transform", "DataGate"), ("Tuner", "Transform"), ("Evaluator", "Baseline")):
        _kill_during(slipway, step, after)
        states = slipway.states()
        assert {name for name, state in states.items() if state == "ran"}.isdisjoint(finished), "nothing is done twice"
        finished |= {name for name, state in states.items() if state == "ran"}
        assert not list((slipway.home / "serving").glob("taxi/*")), "nothing is served yet"
    slipway.run()
    assert {name for name, state in slipway.states().items() if state == "ran"} == {"Evaluator", "Pusher"}
    versions = list((slipway.home / "serving" / "taxi").iterdir())
    assert [version.name.isdigit() for version in versions] == [True]
    assert "probability" in slipway("predict", "taxi")
