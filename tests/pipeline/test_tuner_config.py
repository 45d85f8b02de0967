"""The `tuner` section: what it takes, and what it says to what it does not take."""

import pytest
from pydantic import ValidationError

from pipeline.tuner_config import Tuner

VERTEX = {"project": "mine", "region": "europe-west4", "image": "europe-docker.pkg.dev/mine/a/b:1"}
UNITS = {"units": {"choice": [8, 16]}}


def _tuner(**content):
    return Tuner.model_validate({"space": UNITS, **content})


def _deep(**dimension):
    return {"space": {"network": {"choice": ["wide", "deep"]}, "depth": dimension}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"algorithm": "bayes"}, "no such algorithm, got 'bayes'; did you mean 'bayesian'?"),
        ({"factor": 3}, "factor belongs to hyperband, got algorithm 'random'; take it out"),
        ({"algorithm": "grid", "initial_points": 3}, "initial_points belongs to bayesian, got algorithm 'grid'"),
        ({"vertex": VERTEX, "minutes": 5}, "a job on Vertex AI keeps no minutes, got 5; limit max_trials"),
        ({"vertex": VERTEX, "algorithm": "hyperband"}, "hyperband on Vertex AI needs a number of trials, got none"),
        ({"space": {"x": {"choice": [1, "a"]}}}, "a choice has values of one kind, got [1, 'a']"),
        ({"space": {"x": {"choice": [None]}}}, "a choice has values of one kind, got [None]"),
        ({"space": {"x": {"int": {"min": 1.5, "max": 3}}}}, "an int has whole bounds and steps, got [1.5, 3, 1]"),
        ({"space": {"x": {"float": {"min": 0, "max": 1, "sampling": "log"}}}}, "log needs a min above 0, got 0"),
        ({"space": {"x": {"float": {"min": 0, "max": 1, "step": 0}}}}, "the step must be above 0, got 0"),
        ({"space": {"x": {"when": {"y": 1}}}}, "needs exactly one of choice, int, float, boolean, got []"),
        (
            _deep(boolean=True, when={"netwrok": "deep"}),
            "no such hyperparameter, got 'netwrok'; did you mean 'network'",
        ),
        (_deep(boolean=True, when={"network": "dep"}), "depth.when.network: never drawn, got ['dep']; there are ["),
        (_deep(boolean=True, when={"depth": True}), "depth.when: depends on itself"),
        (
            {"space": {"layers": {"int": {"min": 1, "max": 3}}, "skip": {"boolean": True, "when": {"layers": [3, 7]}}}},
            "skip.when.layers: never drawn, got [7]; it lies in 1..3",
        ),
        ({"algorithm": "bayesian", "max_trials": None}, "bayesian needs a number of trials, got none; set max_trials"),
        (
            {"space": {"x": {"float": {"min": 0, "max": 1}}, "y": {"boolean": True, "when": {"x": 0.5}}}},
            "y.when: a float is no condition, got 'x'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_value(content, message):
    with pytest.raises(ValidationError) as error:
        _tuner(**content)
    assert message in str(error.value)


def test_hyperband_has_its_own_number_of_trials_and_the_others_a_default():
    assert _tuner().max_trials == 5
    assert _tuner(algorithm="hyperband").max_trials is None
    assert _tuner(algorithm="hyperband", max_trials=9).max_trials == 9


def test_a_condition_takes_one_value_or_several():
    space = _tuner(**_deep(int={"min": 1, "max": 3}, when={"network": "deep"})).space
    assert space["depth"].when == {"network": ["deep"]}


def test_whole_numbers_among_decimal_ones_are_decimals():
    assert [type(value) for value in _tuner(space={"dropout": {"choice": [0, 0.2]}}).space["dropout"].choice] == [
        float,
        float,
    ]
