"""What a search finds is what the final model is trained with."""

from attr import evolve

from models import _inputs, tabular


def test_a_batch_size_that_was_found_goes_before_the_configs(head, tmp_path, monkeypatch):
    sizes, batches = [], _inputs.Split.batches

    def seen(self, batch_size, **options):
        sizes.append(batch_size)
        return batches(self, batch_size, **options)

    arguments = head("binary").arguments
    training = {**arguments.custom_config["training"], "epochs": 1}
    monkeypatch.setattr(_inputs.Split, "batches", seen)
    tabular.run_fn(
        evolve(
            arguments,
            serving_model_dir=str(tmp_path / "Format-Serving"),
            custom_config={**arguments.custom_config, "training": training},
            hyperparameters={"values": {"batch_size": 300}},
        )
    )
    assert sizes == [300, training["eval_batch_size"]]
