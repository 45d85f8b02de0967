"""The `training` section: what it takes, and what it says to what it does not take."""

import pytest
from pydantic import ValidationError

from models import _heads
from pipeline.training_config import MEASURED, Training, require_monitor


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"optimizer": "adm"}, "no such optimizer, got 'adm'; did you mean 'adam'?"),
        ({"optimizer": ["adam"]}, "no optimizer, got ['adam']; write a name, or {name: {option: value}}"),
        (
            {"optimizer": {"adam": {"clipnorm": 1, "clipvalue": 1}}},
            "gradients are clipped in one way, got clipnorm, clipvalue; keep one",
        ),
        ({"optimizer": {"adam": {"momentum": 0.9}}}, "optimizer.adam.momentum\n  Extra inputs"),
        ({"schedule": "cosinus"}, "no such schedule, got 'cosinus'; did you mean 'cosine'?"),
        ({"schedule": "exponential"}, "schedule.exponential.decay_rate\n  Field required"),
        (
            {"schedule": {"piecewise": {"boundaries": [2, 1], "factors": [1, 1, 1]}}},
            "boundaries rise, got [2.0, 1.0]; sort them",
        ),
        (
            {"schedule": {"piecewise": {"boundaries": [1, 2], "factors": [1, 0.1]}}},
            "there is one factor more than boundaries, got 2 factors for 2 boundaries",
        ),
        (
            {"schedule": "cosine", "reduce_on_plateau": True},
            "the learning rate falls by a schedule or on a plateau, got schedule 'cosine' and reduce_on_plateau",
        ),
        (
            {"schedule": {"constant": {"warmup_epochs": 1}}, "reduce_on_plateau": True},
            "got schedule 'constant' and reduce_on_plateau; keep one",
        ),
        ({"tensorboard": {"profile_batch": [5, 2]}}, "the first and the last batch, counted from 1, got [5, 2]"),
    ],
)
def test_a_mistake_is_named_with_its_value(content, message):
    with pytest.raises(ValidationError) as error:
        Training.model_validate(content)
    assert message in str(error.value)


def test_a_part_may_be_a_name_alone_or_have_options_or_be_off():
    training = Training.model_validate({"optimizer": "sgd", "schedule": "cosine", "reduce_on_plateau": False})
    assert (training.optimizer.kind, training.schedule.kind, training.reduce_on_plateau) == ("sgd", "cosine", None)
    training = Training.model_validate({"optimizer": {"adamw": {"weight_decay": 0.1}}, "reduce_on_plateau": True})
    assert training.optimizer.weight_decay == 0.1
    assert training.reduce_on_plateau is not None


@pytest.mark.parametrize(
    ("monitor", "task", "message"),
    [
        ("val_acuracy", "binary", "no such metric of a binary label, got 'val_acuracy'; did you mean 'val_accuracy'?"),
        ("val_auc", "regression", "no such metric of a regression label, got 'val_auc'"),
    ],
)
def test_what_no_epoch_measures_cannot_be_monitored(monitor, task, message):
    with pytest.raises(ValueError, match=message.replace("?", "\\?")):
        require_monitor(monitor, task)


def test_what_can_be_monitored_is_what_a_network_is_compiled_with():
    for task, names in MEASURED.items():
        assert ["loss", *(metric.name for metric in _heads.METRICS[task]())] == list(names)
        for name in names:
            require_monitor(f"val_{name}", task)
