"""A training begins with the last blessed model, and one that was done before with what it began with then."""

from types import SimpleNamespace

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from components import _warm_start

RUN_FN = "models.tabular.run_fn"


class History:
    """A metadata store with the trainings of a pipeline."""

    def __init__(self):
        config = mlmd.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = MetadataStore(config)
        self.type = self.store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
        self.kinds = {
            kind: self.store.put_artifact_type(mlmd.ArtifactType(name=kind)) for kind in ("Examples", "Model")
        }
        self.models, self.blessings = [], []

    def examples(self):
        return self._artifact("Examples")

    def _artifact(self, kind):
        return self.store.put_artifacts([mlmd.Artifact(type_id=self.kinds[kind])])[0]

    def train(self, examples, *, base=None, blessed=True, model=None, epochs=3):
        """Add a training, or one that came from the cache with the model it made before, and return its model."""
        model = model or self._artifact("Model")
        execution = mlmd.Execution(type_id=self.type)
        config = f'{{"training": {{"epochs": {epochs}}}}}'
        for key, value in {"run_fn": RUN_FN, "custom_config": config, "eval_args": "{}"}.items():
            execution.custom_properties[key].string_value = value
        (number,) = self.store.put_executions([execution])
        read = [("examples", examples), *([("base_model", base)] if base else [])]
        events = [(mlmd.Event.INPUT, *one) for one in read] + [(mlmd.Event.OUTPUT, "model", model)]
        for kind, key, artifact in events:
            event = mlmd.Event(execution_id=number, artifact_id=artifact, type=kind)
            event.path.steps.add(key=key)
            self.store.put_events([event])
        self.models = sorted({*self.models, model})
        self.blessings.append((model, int(blessed)))
        return model

    def resolved(self, examples, *, epochs=3):
        """Return the base model of a training, by id, or None."""
        blessings = []
        for number, (model, blessed) in enumerate(self.blessings, start=1):
            blessings.append(standard_artifacts.ModelBlessing())
            blessings[-1].id = number
            blessings[-1].set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model)
            blessings[-1].set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
        strategy = _warm_start.WarmStartStrategy(_warm_start.training(RUN_FN, {"training": {"epochs": epochs}}))
        given = {
            "model": [SimpleNamespace(id=model) for model in self.models],
            "model_blessing": blessings,
            "examples": [SimpleNamespace(id=examples)],
        }
        found = strategy.resolve_artifacts(self.store, given)
        assert found["examples"] == given["examples"]
        assert len(found["model"]) == len(found["model_blessing"]) <= 1
        return found["model"][0].id if found["model"] else None


@pytest.fixture
def history():
    return History()


def test_without_a_blessed_model_there_is_nothing_to_begin_with(history):
    monday = history.examples()
    assert history.resolved(monday) is None
    history.train(monday, blessed=False)
    assert history.resolved(history.examples()) is None


def test_other_data_or_another_config_begin_with_the_last_blessed_model(history):
    monday, tuesday = history.examples(), history.examples()
    first = history.train(monday)
    assert history.resolved(tuesday) == first
    assert history.resolved(monday, epochs=9) == first
    refused = history.train(tuesday, base=first, blessed=False)
    assert history.resolved(history.examples()) == first != refused


def test_a_run_with_nothing_changed_gets_what_it_got_and_so_comes_from_the_cache(history):
    monday, tuesday = history.examples(), history.examples()
    first = history.train(monday)
    assert history.resolved(monday) is None
    second = history.train(tuesday, base=first)
    for _ in range(2):
        assert history.resolved(tuesday) == first
        history.train(tuesday, base=first, model=second)
    assert history.resolved(monday) is None, "what was trained on these data is not trained again"
    assert history.resolved(history.examples()) == second
