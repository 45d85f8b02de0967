"""From the pushed taxi model to an answer over REST, as `make demo` ends."""

import json

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
