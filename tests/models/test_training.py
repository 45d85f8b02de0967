"""What a search finds is what the final model is trained with."""

from attr import evolve

from models import _inputs, tabular


def test_a_batch_size_that_was_found_goes_before_the_configs(head, tmp_path, monkeypatch):
    sizes, batches = [], _inputs.Split.batches
    built, build = [], tabular.build_model

    def seen(self, batch_size, **options):
        sizes.append(batch_size)
        return batches(self, batch_size, **options)

    def noted(transform, config, hp, labels):
        built.append(hp)
        return build(transform, config, hp, labels)

    arguments = head("binary").arguments
    training = {**arguments.custom_config["training"], "epochs": 1}
    monkeypatch.setattr(_inputs.Split, "batches", seen)
    monkeypatch.setattr(tabular, "build_model", noted)
    tabular.run_fn(
        evolve(
            arguments,
            serving_model_dir=str(tmp_path / "Format-Serving"),
            custom_config={**arguments.custom_config, "training": training},
            hyperparameters={"values": {"batch_size": 300, "tuner/epochs": 2, "dropout": 0.3}},
        )
    )
    assert sizes == [300, training["eval_batch_size"]]
    assert [set(hp) for hp in built] == [set(tabular.DEFAULTS)], "a network has neither batches nor brackets"
    assert built[0]["dropout"] == 0.3
