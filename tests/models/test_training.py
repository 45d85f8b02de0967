"""What a search finds is what the final model is trained with."""

from attr import evolve

from models import _inputs, tabular


def test_a_batch_size_that_was_found_goes_before_the_configs(head, tmp_path, monkeypatch):
    sizes, epochs = [], _inputs.Split.epochs

    def seen(self, batch_size, *args, **options):
        sizes.append(batch_size)
        return epochs(self, batch_size, *args, **options)

    arguments = head("binary").arguments
    training = {**arguments.custom_config["training"], "epochs": 1}
    monkeypatch.setattr(_inputs.Split, "epochs", seen)
    tabular.run_fn(
        evolve(
            arguments,
            serving_model_dir=str(tmp_path / "Format-Serving"),
            custom_config={**arguments.custom_config, "training": training},
            hyperparameters={"values": {"batch_size": 300}},
        )
    )
    assert sizes == [300]
