"""What a search finds is what the final model is trained with."""

from attr import evolve

from models import _inputs, tabular


def test_a_batch_size_that_was_found_goes_before_the_configs(head, tmp_path, monkeypatch):
    sizes, epochs = [], _inputs.Split.epochs
    built, build = [], tabular.build_model

    def seen(self, batch_size, *args, **options):
        sizes.append(batch_size)
        return epochs(self, batch_size, *args, **options)

    def noted(transform, config, hp, labels):
        built.append(hp)
        return build(transform, config, hp, labels)

    arguments = head("binary").arguments
    training = {**arguments.custom_config["training"], "epochs": 1}
    monkeypatch.setattr(_inputs.Split, "epochs", seen)
    monkeypatch.setattr(tabular, "build_model", noted)
    tabular.run_fn(
        evolve(
            arguments,
            serving_model_dir=str(tmp_path / "Format-Serving"),
            custom_config={**arguments.custom_config, "training": training},
            hyperparameters={"values": {"batch_size": 300, "tuner/epochs": 2, "dropout": 0.3}},
        )
    )
    assert sizes == [300]
    assert [set(hp) for hp in built] == [set(tabular.DEFAULTS)], "a network has neither batches nor brackets"
    assert built[0]["dropout"] == 0.3
