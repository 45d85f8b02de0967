"""Channels: a missing one names its publisher, a second one of a name is refused."""

import pytest

from pipeline.bus import Bus
from pipeline.errors import ConfigError


def test_a_missing_channel_names_the_step_that_would_publish_it():
    with pytest.raises(ConfigError, match=r"Trainer: needs a channel .* got 'examples'; switch ExampleGen on"):
        Bus({"examples": "ExampleGen"}).read("examples", "Trainer")


def test_two_steps_that_publish_one_name_are_refused():
    bus = Bus({})
    bus.publish("model", object(), "Trainer")
    with pytest.raises(ConfigError, match="got 'model' from Trainer and Other"):
        bus.publish("model", object(), "Other")
